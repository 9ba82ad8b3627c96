"""The fold: what a batch does to the rows, worked out before any of it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from tests.runtime.chat_schema import SCHEMA, Profile, message, messages, profiles, sensor, sensors
from tests.runtime.state.recorded import RecordingFold

from streamdb.state.items import (
    ControlMessage,
    Invalid,
    Item,
    Merge,
    Put,
    Remove,
    Undeclared,
)

Verdict = Literal["clear", "restart", "skip"]


def fold(
    *pages: Sequence[Item], stored: dict[str, dict[str, Any]] | None = None, verdict: Verdict
) -> RecordingFold:
    folded = RecordingFold(SCHEMA, lambda _: verdict, stored=stored)
    for number, items in enumerate(pages):
        folded.add_items(items, f"t{number}")
    return folded


def put(key: int, content: str = "") -> Put:
    return Put(messages.schema, str(key), message(key, content))


RESET = ControlMessage("reset", "0_0")


def test_operations_keep_their_order() -> None:
    """MAT-1: a row that goes and comes again goes last, so no operation may be merged away."""
    gone = Remove(messages.schema, "1")
    folded = fold([put(1), gone, put(1, "again")], [put(2)], verdict="clear")
    assert folded.writes("messages") == [
        ("1", message(1)),
        ("1", None),
        ("1", message(1, "again")),
        ("2", message(2)),
    ]
    assert (folded.counts.events, folded.counts.txids) == (4, ["t0", "t1"])
    assert folded.rows["messages"].ordinals == [1, 3, 4]


def test_what_changes_nothing_is_counted() -> None:
    """INVALID-2, TYPE-1, SNAP-1."""
    bad = Invalid("message", "1", "/value", "bad")
    items: list[Item] = [
        bad,
        Undeclared("x"),
        Undeclared("x"),
        ControlMessage("snapshot-start", None),
    ]
    folded = fold([*items, put(1)], verdict="clear")
    assert folded.writes("messages") == [("1", message(1))]
    assert folded.rows["messages"].ordinals == [5]
    counts = folded.counts
    assert (counts.invalid, counts.undeclared, counts.events) == ([bad], {"x": 2}, 5)


def test_a_reset_clears_all_collections() -> None:
    """RESET-1, RESET-4, RESET-6: what was before has no effect but its txids."""
    before = Put(sensors.schema, "7", sensor(7))
    folded = fold([before, put(1)], [RESET, put(2)], verdict="clear")
    assert {name: rows.writes[-1] for name, rows in folded.rows.items()} == {
        "messages": ("2", message(2)),
        "sensors": ("*", None),
        "profiles": ("*", None),
    }
    assert folded.counts.txids == ["t0", "t1"]
    assert folded.rows["messages"].ordinals == [2, 1], "they are counted anew"


def test_a_skipped_reset_does_nothing() -> None:
    """RESET-8."""
    folded = fold([put(1), RESET, put(2)], verdict="skip")
    assert [key for key, _ in folded.writes("messages")] == ["1", "2"]
    assert folded.rows["messages"].ordinals == [1, 3]


def test_a_restart_drops_the_rest() -> None:
    """RESET-3."""
    folded = fold([put(1), RESET, put(2)], [put(3)], verdict="restart")
    assert folded.restart_from == "0_0"
    assert [key for key, _ in folded.writes("messages")] == ["1"]
    assert folded.counts.txids == ["t0"]


def merge(key: str, **fields: Any) -> Merge:
    return Merge(profiles.schema, key, {**fields, "id": key})


ADA = Profile(id="a", name="Ada", city="London")


def test_merging_lays_fields_over_the_stored_row() -> None:
    """UPDATE-4, and on top of what the same batch did before."""
    folded = fold(
        [merge("a", city="Paris")],
        [merge("a", name="A.")],
        stored={"profiles": {"a": ADA}},
        verdict="clear",
    )
    paris = msgspec.structs.replace(ADA, city="Paris")
    assert folded.writes("profiles") == [
        ("a", paris),
        ("a", msgspec.structs.replace(paris, name="A.")),
    ]


def test_merging_what_is_gone_starts_from_nothing() -> None:
    gone = Remove(profiles.schema, "a")
    stored = {"profiles": {"a": ADA}}
    for cause in (gone, RESET):
        folded = fold([cause, merge("a", name="New")], stored=stored, verdict="clear")
        assert folded.writes("profiles")[-1] == ("a", Profile(id="a", name="New"))


def test_a_merged_row_is_validated_as_a_whole() -> None:
    """A part alone is invalid if there is nothing to lay it over; the row before stays."""
    folded = fold([merge("b", city="Rome")], verdict="clear")
    (invalid,) = folded.counts.invalid
    assert (invalid.type, invalid.key) == ("profile", "b")
    assert "name" in invalid.message
    stored = {"profiles": {"a": ADA}}
    folded = fold([merge("a", city=5), merge("a", name="B")], stored=stored, verdict="clear")
    assert [invalid.pointer for invalid in folded.counts.invalid] == ["/value/city"]
    assert folded.writes("profiles") == [("a", msgspec.structs.replace(ADA, name="B"))]
