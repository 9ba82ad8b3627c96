"""The machinery finds what it shall find: planted liars, stale exceptions, changes that change."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.agreement.agreement import Excuse, Tally
from tests.agreement.cases import DRAFT_2020_12, Case, Instance, wrapped, wrapped_instance
from tests.agreement.losses import KnownLoss, Losses
from tests.agreement.mutations import bounds_of, changes
from tests.agreement.sides import Side, Verdict
from tests.agreement.wire import is_same

from streamdb_gen.ir import Spec

CASE = wrapped("own/numbers", {"type": "integer"}, DRAFT_2020_12).with_instances(
    wrapped_instance("seven", 7, expected=True), wrapped_instance("text", "7", expected=False)
)


class Constant(Side):
    """Says the same of everything."""

    def __init__(self, name: str, verdict: Verdict) -> None:
        self.name = name
        self._verdict = verdict

    def judge(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[Verdict]:
        return [self._verdict for _ in texts]


def tallied(side: Side, *excuses: Excuse) -> Tally:
    tally = Tally(excuses)
    tally.take(CASE, [side])
    return tally


@pytest.mark.parametrize(("verdict", "wrong"), [(True, "text"), (False, "seven")])
def test_one_wrong_verdict_is_a_disagreement(verdict: bool, wrong: str) -> None:
    tally = tallied(Constant("liar", verdict))
    assert [found.instance.name for found in tally.disagreements] == [wrong]
    assert (tally.instances, tally.judged["liar"], tally.agreed["liar"]) == (2, 2, 1)


def test_a_side_that_cannot_tell_disagrees() -> None:
    assert len(tallied(Constant("mute", None)).disagreements) == 2


def test_an_exception_excuses_what_it_names_and_is_counted() -> None:
    excuse = Excuse("liar", ("own/*",), ("te*",), "it is known to")
    tally = tallied(Constant("liar", True), excuse)
    assert (tally.disagreements, tally.excused[excuse], tally.excused_instances) == ([], 1, 1)
    assert list(tally.stale({"own"})) == []


def test_an_exception_that_excuses_nothing_is_stale() -> None:
    excuse = Excuse("liar", ("own/*",), ("seven",), "it was known to")
    tally = tallied(Constant("liar", True), excuse)
    assert len(tally.disagreements) == 1
    assert list(tally.stale({"own"})) == [excuse]
    assert list(tally.stale({"suite"})) == []


def test_an_exception_that_is_needed_too_rarely_is_too_wide() -> None:
    excuse = Excuse("liar", ("own/*",), ("*",), "it may be known to")
    case = CASE.with_instances(*(wrapped_instance(str(n), n, expected=True) for n in range(8)))
    tally = Tally([excuse])
    tally.take(case, [Constant("liar", True)])  # wrong once in ten
    assert (tally.disagreements, list(tally.too_wide({"own"}))) == ([], [])
    tally.take(CASE.with_instances(wrapped_instance("8", 8, True)).renamed("own/more"), [])
    tally.take(case.renamed("own/again"), [Constant("liar", True)])
    assert list(tally.too_wide({"own"})) == []
    more = wrapped("own/any", True, DRAFT_2020_12).with_instances(
        wrapped_instance("any", 1, expected=True)
    )
    tally.take(more, [Constant("liar", True)])
    (told,) = tally.too_wide({"own"})
    assert "needed in 2 of 21 instances" in told
    assert list(tally.too_wide({"suite"})) == []


def test_every_change_changes_one_thing() -> None:
    value = {"a": [1, 2.0, True, None, "é"], "b": {}}
    found = changes(value, [3])
    assert all(repr(change.applied_to(value)) != repr(value) for change in found)
    texts = {repr(change.applied_to(value)) for change in found}
    for expected in (
        {"b": {}},
        {"a": [1.0, 2, True, None, "é"], "b": {}},
        {"a": [1, 2.0, True, None, "e\u0301"], "b": {}},
        {"a": [True, 2.0, True, None, "é"], "b": {}},
        {"a": [3, 2.0, True, None, "é"], "b": {}},
        {"a": [2.0, True, None, "é"], "b": {}},
        {"a": [1, 2.0, True, None, "é"], "b": {}, "extra": 1},
        {"a": [1, 2.0, True, None, "é"], "b": None},
    ):
        assert repr(expected) in texts, expected
    assert value == {"a": [1, 2.0, True, None, "é"], "b": {}}


def test_bounds_have_neighbours() -> None:
    schema = {"properties": {"n": {"minimum": 3}, "e": {"enum": ["x", True]}}}
    assert {repr(bound) for bound in bounds_of(schema)} >= {"3", "2", "4", "'x'", "True"}


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ({"a": [1, None]}, {"a": [1.0, None]}, True),
        (2**63, float(2**63), True),
        (2**63 + 1, float(2**63), False),
        (1, True, False),
        (0, False, False),
        ("2025-01-01T01:00:00+01:00", "2025-01-01T00:00:00.000Z", True),
        ("2025-01-01T01:00:00+01:00", "2025-01-01T01:00:00.000Z", False),
        ("é", "e\u0301", False),
        ({"a": None}, {}, False),
        ([1], [1, 1], False),
    ],
)
def test_what_is_the_same_value(left: object, right: object, same: bool) -> None:
    assert is_same(left, right) is same


class Rewriting(Constant):
    """Takes every row for valid and writes it back as one that it is given."""

    def __init__(self, written: str) -> None:
        super().__init__("forgetful", True)
        self._written = written

    def rewrite(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[str]:
        return [self._written for _ in texts]


def lost(read: str, written: str, *known: KnownLoss) -> Losses:
    tally = Tally((), losses=Losses(known))
    case = wrapped("own/open", OPEN, DRAFT_2020_12).with_instances(Instance("a row", read))
    tally.take(case, [Rewriting(written)])
    return tally.losses


OPEN = {"type": "object", "properties": {"n": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("read", "written", "what"),
    [
        ('{"n": 1}', '{"n": 1.0}', None),
        ('{"n": 1}', '{"n": true}', "value"),
        ('{"n": 1}', "{}", "value"),
        ("{}", '{"n": 1}', "value"),
        ('{"n": 1}', '{"n": null}', "value"),
        ('{"n": 1, "x": 2}', '{"n": 1}', "undeclared properties"),
        ('{"n": 1, "x": 2}', '{"x": 2}', "value"),
        ('{"n": 9007199254740993}', '{"n": 9007199254740992}', "digits beyond 2^53"),
    ],
)
def test_what_is_lost(read: str, written: str, what: str | None) -> None:
    losses = lost(f'{{"id": "row", "value": {read}}}', f'{{"id": "row", "value": {written}}}')
    assert losses.written["forgetful"] == 1
    assert [loss.what for loss in losses.found] == ([] if what is None else [what])


def test_a_row_that_cannot_be_written_is_lost() -> None:
    assert [loss.what for loss in lost('{"id": "row", "value": {}}', "error: x").found] == ["value"]


def test_a_known_loss_is_counted_and_stale_without_one() -> None:
    read, written = '{"id": "row", "value": {"x": 1}}', '{"id": "row", "value": {}}'
    known = KnownLoss("forgetful", "undeclared properties", ("own/*",), ("*",), "it is known to")
    found = lost(read, written, known)
    assert (found.found, found.excused[known], list(found.stale({"own"}))) == ([], 1, [])
    kept = lost(written, written, known)
    assert list(kept.stale({"own"})) == [known]
