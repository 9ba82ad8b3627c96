"""Live queries of one database: all move on at once, each once, and then everybody is told."""

from __future__ import annotations

import gc
import logging
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from tests.runtime.engine.graphs import Bench, Counting, Write, put, thing
from tests.runtime.engine.judging import equal, is_right
from tests.runtime.engine.recomputing import Recomputing

from streamdb import Change, ExpressionError, QueryClosed, StreamDBError, fn
from streamdb.collections.items import Over
from streamdb.engine import mirrors
from streamdb.engine.base_live_query import BaseLiveQuery
from streamdb.engine.local import AsyncLocalCollection
from streamdb.engine.mirror import Mirror


class Mark(Struct, frozen=True):
    id: str


Live = BaseLiveQuery[Any, Any]

# What may be asked of one or two sources of things, again as things.
KINDS: dict[str, Callable[..., Any]] = {
    "where": lambda one, _: one.where(lambda t: t.a >= 1),
    "filter": lambda one, _: one.filter(lambda t: t.b != 1),
    "window": lambda one, _: one.order_by(lambda t: (t.a, t.b)).limit(2),
    "equal": lambda one, _: one.where(lambda t: (t.a == 1) & (t.b >= 0)),
    "equal and ordered": lambda one, _: one.where(lambda t: t.b == 1).order_by(lambda t: t.a),
    "union": lambda one, other: one.union(other),
    "all": lambda one, _: one.as_query(),
}
# What is asked of them, and of which nothing more is asked here.
LAST: dict[str, Callable[..., Any]] = {
    "join": lambda one, other: one.join(other, on=lambda s, t: s.a == t.a, how="full"),
    "select": lambda one, _: one.select(lambda t: (t.a, t.b)).distinct(),
    "map": lambda one, _: one.map(lambda t: (t.id, t.a)),
}

small = st.integers(0, 2)
writes: st.SearchStrategy[list[Write]] = st.lists(
    st.one_of(
        st.builds(thing, st.sampled_from("abcd"), small, small).map(lambda t: (t.id, t)),
        st.tuples(st.sampled_from("abcd"), st.none()),
    ),
    max_size=4,
)
recipes = st.lists(
    st.tuples(st.sampled_from([*KINDS, *LAST]), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)


def made(bench: Bench, recipe: list[tuple[str, int, int]]) -> list[Live]:
    """Make live queries, each of collections and of those before it."""
    askable: list[Any] = [bench.left, bench.right]
    lives: list[Live] = []
    for kind, first, second in recipe:
        one, other = askable[first % len(askable)], askable[second % len(askable)]
        lives.append(bench.live((KINDS | LAST)[kind](one, other)))
        if kind in KINDS:
            askable.append(lives[-1])
    return lives


def replayed(rows: dict[Any, Any], changes: tuple[Change[Any, Any], ...]) -> None:
    assert len({change.key for change in changes}) == len(changes)
    for change in changes:
        assert equal(rows.get(change.key), change.old)
        if change.new is None:
            del rows[change.key]
        else:
            rows[change.key] = change.new


@pytest.mark.parametrize("make", [Recomputing, None], ids=["naive", "default"])
@given(recipe=recipes, start=writes, history=st.lists(st.tuples(writes, writes), max_size=5))
def test_everybody_sees_all_of_them_settled(
    make: Any, recipe: list[tuple[str, int, int]], start: list[Write], history: Any
) -> None:
    """Whoever is told of a change, of a collection or of a live query, sees no glitch (Q29)."""
    bench = Bench(make) if make else Bench()
    bench.commit(left=start)
    lives = made(bench, recipe)
    seen = [dict[Any, Any]() for _ in lives]
    told = [0 for _ in lives]

    def on_changes(number: int, changes: Any) -> None:
        told[number] += 1
        replayed(seen[number], changes)
        assert all(map(is_right, lives))

    for number, live in enumerate(lives):
        live.subscribe(lambda changes, n=number: on_changes(n, changes), initial=True)
    bench.left.subscribe(lambda _: [1 / is_right(live) for live in lives])
    for left, right in history:
        told[:] = [0 for _ in lives]
        bench.commit(left, right)
        assert all(count <= 1 for count in told)
        for live, rows in zip(lives, seen, strict=True):
            assert is_right(live)
            assert live.status == "ready"
            assert {**rows} == dict(live.items())


def test_a_diamond_is_stepped_once_a_commit() -> None:
    counting = Counting()
    bench = Bench(counting)
    one = bench.live(bench.left.where(lambda t: t.a >= 1))
    other = bench.live(bench.left.map(lambda t: t.b))
    both = bench.live(one.union(one).filter(lambda t: t.b is not None))
    pairs = bench.live(one.join(both, on=lambda s, t: s.id == t.id))
    apart = bench.live(bench.right)
    told: list[Any] = []
    pairs.subscribe(told.append)
    bench.commit(put(thing("a", 1, 1), thing("b", 0, 0), thing("c", 2, 1)))
    assert len(counting.steps) == len({*counting.steps}) == 4
    assert (len(told), len(pairs), len(other), len(apart)) == (1, 4, 3, 0)
    bench.commit(right=put(thing("a")))
    assert (len(counting.steps), len(apart), len(told)) == (5, 1, 1)


def test_what_changes_nothing_goes_no_further() -> None:
    counting = Counting()
    bench = Bench(counting)
    tens = bench.live(bench.left.select(lambda t: t.a).distinct())
    above = bench.live(tens.select(lambda a: a))
    told: list[Any] = []
    tens.subscribe(told.append)
    bench.commit(put(thing("a", 1)))
    bench.commit(put(thing("b", 1)))
    assert (len(told), len(counting.steps), list(above)) == (1, 3, [1])


def test_the_rows_of_one_slot_may_be_null() -> None:
    bench = Bench()
    live = bench.live(bench.left.select(lambda t: t.a))
    told: list[Any] = []
    live.subscribe(told.extend)
    bench.commit(put(thing("a")))
    bench.commit(put(thing("a", 1)))
    bench.commit([("a", None)])
    assert [(c.kind, c.old, c.new) for c in told] == [
        ("insert", None, None),
        ("update", None, 1),
        ("delete", 1, None),
    ]


def test_users_know_the_group_of_nulls_by_none_but_in_pairs() -> None:
    """There, None says that a row is missing."""
    bench = Bench()
    groups = bench.left.group_by(lambda t: t.a).agg(lambda t: fn.count())
    counts = bench.live(groups)
    pairs = bench.live(groups.join(bench.right, on=lambda a, n, t: n == t.a, how="full"))
    told: list[Any] = []
    counts.subscribe(told.extend)
    bench.commit(put(thing("x"), thing("y", 1), thing("z", 1)), put(thing("r", 1), thing("s", 5)))
    assert {change.key: change.new for change in told} == {None: (None, 1), 1: (1, 2)}
    assert (counts.get(None), counts.get((None,))) == ((None, 1), (None, 1))
    assert pairs.get(((None,), "r")) == (None, 1, thing("r", 1))
    assert pairs.get((None, "s")) == (None, None, thing("s", 5))
    assert (pairs.get((None, "r")), pairs.get((1, 5)), pairs.get(("1", "s"))) == (None,) * 3


def test_what_can_be_no_key_is_not_taken_for_a_missing_row() -> None:
    bench = Bench()
    pairs = bench.live(bench.left.join(bench.right, on=lambda s, t: s.a == t.a, how="full"))
    bench.commit((), put(thing("r", 1)))
    assert pairs.get((None, "r")) == (None, thing("r", 1))
    assert pairs.get((5, "r")) is None


def test_filters_by_equality_are_found_by_the_value() -> None:
    """However many there are, only those are stepped that may see the row (before or after)."""
    counting = Counting()
    bench = Bench(counting)
    filters = [bench.live(bench.left.where(lambda t, n=n: t.a == n)) for n in range(100)]
    twice = bench.live(bench.left.where(lambda t: (t.b != 0) & (t.a == 7)).order_by(lambda t: t.b))
    names = bench.live(filters[7].map(lambda t: t.id))
    everything = bench.live(bench.left)
    bench.commit(put(thing("x", 7, 1)))
    assert len(counting.steps) == 4
    assert (len(filters[7]), len(twice), list(names), len(everything)) == (1, 1, ["x"], 1)
    bench.commit(put(thing("x", 8)))  # from one to another
    assert len(counting.steps) == 4 + 5
    assert (len(filters[7]), len(filters[8]), len(twice), len(names)) == (0, 1, 0, 0)
    # One value without a hash, one that equals 8, and null.
    bench.commit(put(thing("x", [8]), thing("y", 8.0), thing("z", None)))
    assert ([*map(len, filters)].count(1), filters[8].keys()) == (1, ["y"])
    del filters[8]
    del counting.steps[:]
    bench.commit([("y", None)])
    assert len(counting.steps) == 1  # it is dropped, and `everything` is not
    bench.load([thing("x", 7), thing("y", 8)])
    assert (filters[7].keys(), list(names)) == (["x"], ["x"])


def test_a_window_that_is_found_by_a_value_is_never_asked_of_other_rows() -> None:
    """Not when one of them comes to have the value, nor when it runs dry."""
    bench = Bench()
    bench.commit(put(*(thing(str(n), "user", n) for n in range(200))))
    of_users = bench.left.where(lambda t: (t.b >= 0) & (t.a == "user"))
    first = bench.live(of_users.order_by(lambda t: t.b).limit(2))
    bench.commit(put(thing("x", "other", "text"), thing("y", "other", "text")))
    bench.commit(put(thing("x", "user", 0.5)))
    assert [t.id for t in first] == ["0", "x"]
    for n in range(150):
        bench.commit([(str(n), None)])
    assert [t.id for t in first] == ["x", "150"]


# --- loads


def test_before_the_first_load_it_is_empty() -> None:
    bench = Bench(is_loaded=False)
    live = bench.live(bench.left.where(lambda t: t.a >= 1))
    derived = bench.live(live.order_by(lambda t: t.a))
    told: list[Any] = []
    derived.subscribe(told.append, initial=True)
    assert (live.status, derived.status, list(live), derived[:], live.get("a")) == (
        *("loading", "loading"),
        *([], [], None),
    )
    with pytest.raises(IndexError):
        derived[0]
    bench.load(left=[thing("b", 2), thing("a", 1), thing("c", 0)])
    assert (live.status, derived.status, derived.keys()) == ("ready", "ready", ["a", "b"])
    assert [(c.kind, c.key) for (change,) in [told] for c in change] == [
        ("insert", "a"),
        ("insert", "b"),
    ]


def test_a_load_of_nothing_makes_it_ready() -> None:
    bench = Bench(is_loaded=False)
    live = bench.live(bench.left)
    bench.load()
    assert live.status == "ready"


@given(
    before=st.lists(st.builds(thing, st.sampled_from("abcde"), small), unique_by=lambda t: t.id),
    after=st.lists(st.builds(thing, st.sampled_from("abcde"), small), unique_by=lambda t: t.id),
)
def test_a_reset_is_told_as_the_difference(before: list[Any], after: list[Any]) -> None:
    bench = Bench()
    bench.load(before)
    lives = [
        bench.live(bench.left.select(lambda t: (t.a, t.b))),
        bench.live(bench.left.order_by(lambda t: t.a).limit(3)),
    ]
    lives.append(bench.live(lives[1].where(lambda t: t.a >= 1)))
    seen = [dict(live.items()) for live in lives]
    for live, rows in zip(lives, seen, strict=True):
        live.subscribe(lambda changes, rows=rows: replayed(rows, changes))
    told: list[Any] = []
    lives[0].subscribe(told.extend)
    bench.load(after)
    for live, rows in zip(lives, seen, strict=True):
        assert is_right(live)
        assert rows == dict(live.items())
    same = {t.id for t in before if any(t.id == o.id and t.a == o.a for o in after)}
    assert not same & {change.key for change in told}
    bench.commit(put(thing("a", 2), thing("f", 0)))
    assert all(map(is_right, lives))


def test_a_row_that_a_reset_leaves_equal_elsewhere_has_moved() -> None:
    bench = Bench()
    bench.load([thing("a", 1, 1), thing("b", 2, 2)])
    live = bench.live(bench.left.order_by(lambda t: t.b).select(lambda t: (t.id, t.a)))
    told: list[Any] = []
    live.subscribe(told.extend)
    bench.load([thing("a", 1, 3), thing("b", 2, 2)])
    assert [(c.kind, c.key, c.old_index, c.new_index) for c in told] == [("move", "b", 1, 0)]
    bench.load([thing("a", 1, 1), thing("b", 3, 2)])
    assert [(c.kind, c.key) for c in told[1:]] == [("move", "a"), ("update", "b")]


def test_what_is_selected_is_compared_and_what_functions_make_is_not() -> None:
    bench = Bench()
    bench.load([thing("a", 1, 1)])
    made = bench.live(bench.left.map(lambda t: f"{t.id}{t.a}"))
    selected = bench.live(bench.left.select(lambda t: (t.id, t.a)))
    derived = bench.live(selected.map(lambda pair: f"{pair[0]}{pair[1]}"))
    told: list[Any] = []
    for live in (made, selected, derived):
        live.subscribe(lambda changes, live=live: told.append((live, changes[0].kind)))
    bench.commit(put(thing("a", 1, 2)))
    assert told == [(made, "update")]
    bench.commit(put(thing("a", 2, 2)))
    assert told[1:] == [(made, "update"), (selected, "update"), (derived, "update")]


# --- errors


def test_one_that_raises_ends_with_those_derived_from_it(caplog: Any) -> None:
    bench = Bench()
    ratios = bench.live(bench.left.map(lambda t: 6 // t.a))
    above = bench.live(ratios.filter(lambda ratio: ratio > 1))
    other = bench.live(bench.left.where(lambda t: t.a >= 0))
    ended = above.changes()
    bench.commit(put(thing("a", 2)))
    assert list(above) == [3]
    bench.commit(put(thing("b", 0)))
    for live in (ratios, above):
        assert live.status == "error"
        assert isinstance(live.error, ZeroDivisionError)
        for read in (list, len, lambda q: q.get("a"), lambda q: q.first(), lambda q: "a" in q):
            with pytest.raises(ZeroDivisionError):
                read(live)
        with pytest.raises(ZeroDivisionError):
            live.map(str).fetch()
    reader = ended._source
    assert reader.take() is not None  # what came before it
    with pytest.raises(ZeroDivisionError, match="by zero"):
        reader.take()
    assert (other.status, len(other), "of no use" in caplog.text) == ("ready", 2, True)
    late = bench.live(above.filter(bool))
    assert (late.status, late.error) == ("error", ratios.error)
    bench.commit(put(thing("c", 3)))
    assert len(other) == 3


def test_who_logs_that_one_has_raised_may_write_elsewhere() -> None:
    """Handlers of logs are no functions of queries, though they run within the commit."""
    bench, lines = Bench(), AsyncLocalCollection(Mark, key="id")

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.upsert(Mark(record.getMessage()))

    handler, logger = Handler(), logging.getLogger("streamdb.engine")
    logger.addHandler(handler)
    try:
        ratio = bench.live(bench.left.map(lambda t: 6 // t.a))
        other = bench.live(bench.left)
        bench.commit(put(thing("a", 0)))
        late = bench.live(bench.left.map(lambda t: 1 // t.a))
    finally:
        logger.removeHandler(handler)
    assert [live.status for live in (ratio, other, late)] == ["error", "ready", "error"]
    assert len(lines) == 1  # both are told of in the same words
    assert len(other) == 1


def test_one_that_raises_in_its_first_load() -> None:
    bench = Bench()
    bench.commit(put(thing("a", 0)))
    live = bench.live(bench.left.map(lambda t: 1 // t.a))
    assert (live.status, type(live.error)) == ("error", ZeroDivisionError)


def test_callbacks_are_isolated(caplog: Any) -> None:
    bench = Bench()
    live = bench.live(bench.left)
    told: list[Any] = []
    live.subscribe(lambda _: 1 / 0)
    live.subscribe(told.append)
    bench.commit(put(thing("a")))
    assert len(told) == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_function_of_a_query_makes_no_queries() -> None:
    bench = Bench()
    live = bench.live(bench.left.map(lambda t: bench.live(bench.right)))
    fetching = bench.live(bench.left.map(lambda t: bench.right.as_query().fetch()))
    bench.commit(put(thing("a")))
    for one in (live, fetching):
        assert isinstance(one.error, StreamDBError)
        assert "called by a function of a query" in str(one.error)
    bench.commit(put(thing("a")))
    with pytest.raises(StreamDBError, match="called by a function of a query"):
        bench.left.map(lambda t: bench.live(bench.right)).fetch()


def test_an_interrupt_in_a_function_ends_its_query_and_leaves_none_behind() -> None:
    def stop_at(name: str) -> Callable[[Any], Any]:
        def look(row: Any) -> Any:
            if row.id == name:
                raise KeyboardInterrupt
            return row.id

        return look

    bench = Bench()
    before, after = bench.live(bench.left), bench.live(bench.left.map(stop_at("b")))
    derived, last = bench.live(after.map(str)), bench.live(bench.left.filter(lambda t: t.a == 1))
    told: list[Any] = []
    last.subscribe(told.append)
    bench.commit(put(thing("a", 1)))
    with pytest.raises(KeyboardInterrupt):
        bench.commit(put(thing("b", 1)))
    assert (len(before), len(last), len(told)) == (2, 2, 2)
    for one in (after, derived):
        assert one.status == "error"
        with pytest.raises(StreamDBError, match="interrupted while it followed a commit"):
            list(one)
    with pytest.raises(KeyboardInterrupt):
        bench.live(bench.left.map(stop_at("a")))
    bench.commit(put(thing("c", 1)))
    assert (len(before), len(last)) == (3, 3)


def test_an_interrupt_between_functions_ends_all_queries() -> None:
    bench = Bench()
    live = bench.live(bench.left)
    changes = live.changes()

    def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    bench.tables["left"].watch(interrupted, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        bench.commit(put(thing("a")))
    assert live.status == "error"
    with pytest.raises(StreamDBError, match="interrupted"):
        changes._source.take()


def test_an_interrupt_of_one_database_leaves_others_to_go_on() -> None:
    def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    marks = AsyncLocalCollection(Mark, key="id")
    benches = [Bench(), Bench(), Bench()]
    counts = [bench.live(marks) for bench in benches]
    failing = benches[1].live(marks.map(interrupted))
    with pytest.raises(KeyboardInterrupt):
        marks.insert(Mark("a"))
    assert ([len(count) for count in counts], failing.status) == ([1, 1, 1], "error")
    marks.insert(Mark("b"))
    assert [len(count) for count in counts] == [2, 2, 2]


# --- lives


def test_it_is_dropped_with_its_last_holder() -> None:
    counting = Counting()
    bench = Bench(counting)
    live = bench.live(bench.left)
    derived = bench.live(live.where(lambda t: t.a >= 1))
    results = [weakref.ref(one._result) for one in (live, derived)]
    del live
    bench.commit(put(thing("a", 1)))
    assert (len(derived), len(counting.steps)) == (1, 2)  # it holds what it asks
    told: list[Any] = []
    subscription = derived.subscribe(told.append)
    changes = derived.changes()
    del derived
    bench.commit(put(thing("b", 1)))
    assert (len(told), len(changes._source.take()), len(counting.steps)) == (1, 1, 4)
    subscription.close()
    bench.commit(put(thing("c", 1)))
    assert (len(told), len(changes._source.take()), len(counting.steps)) == (1, 1, 6)
    del changes
    gc.collect()
    bench.commit(put(thing("d", 1)))
    assert len(counting.steps) == 6
    assert [reference() for reference in results] == [None, None]
    assert len(bench.graph._routes) == 0


def test_tuples_of_a_live_query_are_asked_by_the_query_that_it_is_made_of() -> None:
    bench = Bench()
    pairs: Any = bench.live(bench.left.join(bench.right, on=lambda s, t: s.id == t.id))
    with pytest.raises(ExpressionError, match="they are tuples, whose columns nobody knows"):
        pairs.where(lambda pair: pair.id == "a")


def test_closing_ends_what_is_derived_from_it() -> None:
    bench = Bench()
    live = bench.live(bench.left)
    derived = bench.live(live.where(lambda t: t.a >= 1))
    other = bench.live(bench.left)
    changes = derived.changes()
    bench.commit(put(thing("a", 1)))
    live.close()
    bench.commit(put(thing("b", 1)))
    assert (live.status, derived.status, other.status) == ("closed", "closed", "ready")
    assert (len(live), len(derived), len(other)) == (1, 1, 2)
    assert len(changes._source.take()) == 1
    with pytest.raises(Over):
        changes._source.take()
    with pytest.raises(QueryClosed, match="which this one asks, is closed"):
        bench.live(live.where(lambda t: t.a >= 1))
    live.close()
    for closed in (live, derived):
        for watch in (closed.changes, lambda q=closed: q.subscribe(print)):
            with pytest.raises(QueryClosed, match="will not change: make it anew"):
                watch()


def test_what_has_failed_is_not_watched() -> None:
    bench = Bench()
    live = bench.live(bench.left.map(lambda t: 1 // t.a))
    bench.commit(put(thing("a", 0)))
    for watch in (live.changes, lambda: live.subscribe(print)):
        with pytest.raises(ZeroDivisionError):
            watch()


@pytest.mark.parametrize("status", ["ended", "closed", "error"])
def test_the_end_of_the_database_is_theirs(status: Any) -> None:
    bench = Bench()
    live = bench.live(bench.left)
    bench.commit(put(thing("a")))
    error = ValueError("lost") if status == "error" else None
    bench.stop(status, error)
    assert (live.status, live.error, len(live)) == (status, error, 1)
    reader = live.reader(lambda: None, initial=True)
    assert len(reader.take() or ()) == 1
    with pytest.raises(ValueError if error else Over):
        reader.take()


# --- rows of other places


def test_nothing_is_kept_for_a_database_that_has_ended() -> None:
    bench = Bench()
    marks = AsyncLocalCollection(Mark, key="id")
    live = bench.live(marks)
    marks.insert(Mark("a"))
    bench.stop("closed")
    marks.insert(Mark("b"))
    assert (len(live), len(marks)) == (1, 2)
    assert not bench.graph._mirrors.are_behind
    assert not marks._table.is_watched


def test_threads_that_ask_one_source_at_once_share_its_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    marks = AsyncLocalCollection(Mark, key="id")
    made: list[Mirror] = []

    def slow(*given: Any) -> Mirror:
        time.sleep(0.05)  # the other thread comes meanwhile
        made.append(Mirror(*given))
        return made[-1]

    monkeypatch.setattr(mirrors, "Mirror", slow)
    with ThreadPoolExecutor(2) as pool:
        lives = list(pool.map(bench.live, [marks, marks]))
    marks.insert(Mark("a"))
    assert (len(made), *map(len, lives)) == (1, 1, 1)


# --- what callbacks do


def test_changes_by_callbacks_are_the_next_commit() -> None:
    """They see the end of the commit that they were told of, and nobody hears of theirs before."""

    bench = Bench()
    marks = AsyncLocalCollection(Mark, key="id")
    live = bench.live(bench.left)
    marked = bench.live(live.join(marks, on=lambda t, m: t.id == m.id))
    told: list[str] = []

    def mark(changes: Any) -> None:
        told.append("mark")
        for change in changes:
            marks.insert(Mark(change.key))
            assert len(marked) == 0

    live.subscribe(mark)
    live.subscribe(lambda _: told.append("live"))
    marked.subscribe(lambda changes: told.append(f"{len(changes)} marked"))
    bench.commit(put(thing("a"), thing("b")))
    assert told == ["mark", "live", "2 marked"]
    assert marked.keys() == [("a", "a"), ("b", "b")]


def test_a_callback_may_make_and_drop_queries() -> None:
    bench = Bench()
    kept: list[Live] = []
    live = bench.live(bench.left)

    def more(_: Any) -> None:
        kept[:] = [bench.live(live.where(lambda t: t.a >= 1)) for _ in range(2)]

    live.subscribe(more)
    bench.commit(put(thing("a", 1)))
    bench.commit(put(thing("b", 1)))
    assert [len(one) for one in kept] == [2, 2]
