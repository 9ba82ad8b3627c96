"""What happens in random histories of local writes, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from hypothesis import strategies as st
from tests.faults import (
    Busy,
    CutAnswer,
    CutRequest,
    DeliverAgain,
    DeliverTwice,
    Fault,
    Fine,
    LoseAnswer,
    Refuse,
    RefuseWrite,
    Slow,
)
from tests.runtime.chat_schema import message, sensor
from tests.runtime.db.database_histories import Form
from tests.runtime.db.write_model import LARGE_TEXT, WRITTEN, Kind, Place, Way

_ROLES: Final = ("user", "assistant")
_FIELD_NAMES: Final = {
    "messages": {"text": "content", "number": "role"},
    "sensors": {"text": "room", "number": "celsius"},
}


Resolution = Literal["ours", "theirs", "both"]


@dataclass(frozen=True)
class Write:
    """A local write. Of the fields, an update changes those of ``names``.

    Attributes:
        by_function: an update is one by a function.
        expects: an update expects the row that shows, or another one.
        is_too_large: the row is larger than any request may be.
    """

    kind: Kind
    name: str
    key: int
    text: str
    number: int
    names: frozenset[str]
    by_function: bool
    expects: Literal["nothing", "this", "another"]
    is_too_large: bool

    @property
    def place(self) -> Place:
        """Which row it writes."""
        return self.name, str(self.key) if self.name == "messages" else self.key

    @property
    def row(self) -> Any:
        """The row that it writes."""
        text = LARGE_TEXT if self.is_too_large else self.text
        if self.name == "messages":
            return message(self.key, text, role=_ROLES[self.number % 2])
        return sensor(self.key, text, self.number)

    @property
    def fields(self) -> dict[str, Any]:
        """What an update is given."""
        row, names = self.row, _FIELD_NAMES[self.name]
        return {names[name]: getattr(row, names[name]) for name in sorted(self.names)}

    def other_fields(self, now: Any) -> dict[str, Any]:
        """Return fields that make another row of one."""
        name = _FIELD_NAMES[self.name]["text"]
        return {name: getattr(now, name) + "!"}


@dataclass(frozen=True)
class Transact:
    """Local writes in one transaction, one without a block if there is only one.

    Attributes:
        raises: the block ends by an exception.
    """

    writes: list[Write]
    raises: bool


@dataclass(frozen=True)
class Act:
    """An action of the application.

    Attributes:
        writes: what it shows.
        way: how it becomes durable.
        raises: what writes raises in the end.
    """

    writes: list[Write]
    way: Way
    raises: bool


@dataclass(frozen=True)
class ByHand:
    """One more block of the transaction that is committed by hand, or its end.

    Attributes:
        does: what is done.
        writes: what the block writes.
        raises: the block ends by an exception.
    """

    does: Literal["write", "commit", "roll back"]
    writes: list[Write]
    raises: bool


@dataclass(frozen=True)
class Append:
    """Somebody else writes events in one request."""

    events: list[Any]


@dataclass(frozen=True)
class ResetTo:
    """Somebody writes a reset that names the offset at which so many requests had been written."""

    appends: int


@dataclass(frozen=True)
class Hold:
    """From now on some things wait.

    Attributes:
        sending: what is written here is not sent.
        reading: what is read is not taken in.
        persisting: durable parts of actions do not go on.
        asking: the application is not asked about conflicts.
    """

    sending: bool = False
    reading: bool = False
    persisting: bool = False
    asking: bool = False


@dataclass(frozen=True)
class Pause:
    """So many milliseconds pass."""

    milliseconds: int


@dataclass(frozen=True)
class Wait:
    """All that is on its way arrives."""


@dataclass(frozen=True)
class GiveUp:
    """Somebody waits for the last transaction, and no longer."""

    synced: bool


@dataclass(frozen=True)
class Trouble:
    """All connections break, and the next requests meet faults."""

    faults: list[Fault]


@dataclass(frozen=True)
class TroubleOfWrites:
    """The next requests that write meet faults."""

    faults: list[Fault]


@dataclass(frozen=True)
class Reopen:
    """The database is closed, and another one opened.

    Attributes:
        form: of the new one.
        cached: it goes on from the cache.
        waits: its first load is waited for.
        is_patient: it waits for its writes when it is closed, for as long as it takes.
        upsert_as: how it writes upserts.
        resolves: what the application says to conflicts, if it is asked.
    """

    form: Form
    cached: bool
    waits: bool
    is_patient: bool
    upsert_as: Literal["upsert", "insert_or_update"]
    resolves: Resolution | None


Step = (
    Transact
    | Act
    | ByHand
    | Append
    | ResetTo
    | Hold
    | Pause
    | Wait
    | GiveUp
    | Trouble
    | TroubleOfWrites
    | Reopen
)


@dataclass(frozen=True)
class History:
    """Steps, with a database that is opened before the first of them.

    Attributes:
        before: what is on the stream before.
        opening: of the database.
        live: how it follows.
        steps: what happens then.
        ends: before so many of the last steps, the stream is closed; None if it is not.
    """

    before: list[Append]
    opening: Reopen
    live: Literal["auto", "sse", "long-poll"]
    steps: list[Step]
    ends: int | None


# --- what of it is tried


def _weighted(weights: dict[st.SearchStrategy[Any], int]) -> st.SearchStrategy[Any]:
    """Draw from strategies by their weights, which `one_of` does not: it takes each once."""
    strategies = [one for one, weight in weights.items() for _ in range(weight)]
    return st.sampled_from(strategies).flatmap(lambda one: one)


_KEYS = st.sampled_from([1, 1, 2])
_TEXTS = st.sampled_from(["a", "b", "c"])
_NUMERALS = st.integers(0, 3)
_KINDS: st.SearchStrategy[Kind] = st.sampled_from(
    ["insert", "insert", "upsert", "upsert", "update", "update", "update", "delete"]
)
_FIELDS = st.sampled_from(
    [frozenset({"text"}), frozenset({"number"}), frozenset({"text", "number"})]
)
_WRITES = st.builds(
    Write,
    _KINDS,
    st.sampled_from(WRITTEN),
    _KEYS,
    _TEXTS,
    _NUMERALS,
    _FIELDS,
    by_function=st.booleans(),
    expects=st.sampled_from(["nothing", "nothing", "this", "this", "this", "another"]),
    is_too_large=st.sampled_from([False] * 9 + [True]),
)
_ONE = st.builds(Transact, st.lists(_WRITES, min_size=1, max_size=1), raises=st.just(False))
_SOME = st.builds(
    Transact, st.lists(_WRITES, max_size=5), raises=st.sampled_from([False] * 7 + [True])
)
_BLOCKS = st.builds(
    ByHand,
    st.just("write"),
    st.lists(_WRITES.map(lambda write: replace(write, expects="nothing")), max_size=3),
    raises=st.sampled_from([False] * 7 + [True]),
)
_BY_HAND = st.builds(
    ByHand, st.sampled_from(["commit", "commit", "roll back"]), st.just([]), raises=st.just(False)
)
_ACTIONS = st.builds(
    Act,
    st.lists(_WRITES, min_size=1, max_size=1) | st.lists(_WRITES, max_size=5),
    st.sampled_from(get_args(Way)),
    raises=st.sampled_from([False] * 9 + [True]),
)


def _event(kind: str, name: str, key: int, text: str, number: int) -> dict[str, Any]:
    if name == "messages":
        type_, value = "message", {"role": _ROLES[number % 2], "content": text}
    else:
        type_, value = "sensor", {"room": text, "celsius": number}
    headers = {"operation": kind}
    return {"type": type_, "key": str(key), "value": value, "headers": headers}


_EVENTS = st.builds(_event, _KINDS, st.sampled_from(WRITTEN), _KEYS, _TEXTS, _NUMERALS)
_RESETS = st.just({"headers": {"control": "reset"}})
_APPENDS = st.builds(Append, st.lists(_weighted({_EVENTS: 30, _RESETS: 1}), min_size=1, max_size=4))
_REFUSED = st.builds(RefuseWrite, st.sampled_from([400, 413]))
_LOST: st.SearchStrategy[Fault] = st.one_of(
    st.just(LoseAnswer()),
    st.builds(CutAnswer, st.integers(0, 400)),
    st.builds(CutRequest, st.integers(0, 900)),
    st.just(Refuse()),
    st.just(DeliverTwice()),
    st.builds(DeliverAgain, st.sampled_from([0.0, 0.01])),
    st.builds(Busy, st.sampled_from([429, 503])),
    st.builds(Slow, st.just(0.002)),
    st.just(Fine()),
)
_REOPENINGS = st.builds(
    Reopen,
    st.sampled_from(["async", "async", "blocking"]),
    cached=st.booleans(),
    waits=st.sampled_from([True, True, False]),
    is_patient=st.booleans(),
    upsert_as=st.sampled_from(["upsert", "insert_or_update"]),
    resolves=st.sampled_from([None, "ours", "theirs", "both", "both"]),
)
_HOLDS = st.builds(Hold, *[st.booleans()] * 4)


@st.composite
def _clashes(draw: st.DrawFn) -> list[Step]:
    """Others write what is written here, and here it goes on before anybody is asked about it."""
    name, key = draw(st.sampled_from(WRITTEN)), draw(_KEYS)
    texts, numbers = draw(st.permutations(["a", "b", "c"])), draw(st.permutations([0, 1, 2]))

    def update(field: str, value: int) -> Transact:
        given = texts[value], numbers[value], frozenset({field})
        write = Write("update", name, key, *given, False, "nothing", False)
        return Transact([write], raises=False)

    def upsert(value: int) -> Append:
        return Append([_event("upsert", name, key, texts[value], numbers[value])])

    one, other = draw(st.permutations(["text", "number"]))
    return [
        upsert(0),
        Wait(),
        Hold(sending=True, asking=True),
        update(one, 1),
        upsert(2),
        Pause(draw(st.sampled_from([0, 10]))),
        Hold(asking=True),
        Pause(20),
        draw(st.sampled_from([update(other, 1), update(other, 0), upsert(1), draw(_ONE)])),
        draw(_HOLDS),
    ]


_STEPS = _weighted(
    {
        _ONE: 16,
        _SOME: 6,
        _ACTIONS: 8,
        _BLOCKS: 4,
        _BY_HAND: 2,
        _APPENDS: 8,
        _HOLDS: 6,
        st.builds(Pause, st.sampled_from([0, 0, 2, 10])): 6,
        st.just(Wait()): 3,
        st.builds(GiveUp, st.booleans()): 2,
        st.builds(Trouble, st.lists(_LOST, max_size=3)): 2,
        st.builds(TroubleOfWrites, st.lists(_LOST | _REFUSED, min_size=1, max_size=3)): 4,
        st.builds(ResetTo, st.integers(0, 3)): 1,
        _REOPENINGS: 2,
    }
)
histories = st.builds(
    History,
    before=st.lists(_APPENDS, max_size=2),
    opening=_REOPENINGS,
    live=st.sampled_from(["auto", "sse", "long-poll"]),
    steps=st.lists(
        _weighted({_STEPS.map(lambda step: [step]): 15, _clashes(): 1}), min_size=8, max_size=40
    ).map(lambda runs: [step for run in runs for step in run]),
    ends=st.sampled_from([None] * 6 + [0, 1, 2, 4]),
)
