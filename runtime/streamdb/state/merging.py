"""Writing to collections that merge: what readers would keep of the row before has to be said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import UNSET

from streamdb.protocol import json_text
from streamdb.state.parsing import parse
from streamdb.state.row_kinds import RowKind
from streamdb.state.unknown_fields import Stored
from streamdb.state.unknown_kept import same_but_for_order
from streamdb.types.faults import UNREADABLE, Misfit, pointer_to

Row = TypeVar("Row")


def with_all_changes(rows: RowKind[Row], row: Row, text: bytes, before: Stored) -> bytes:
    """Write a row so that it is what comes of laying it over the one before (UPDATE-4).

    A property that is left out keeps its value, so a default that is not written usually (None of
    a nullable field, the default of a struct with ``omit_defaults``) is written out.

    Args:
        rows: what is done with rows of the class.
        row: the new row.
        text: how it is written by itself.
        before: what it is laid over.

    Raises:
        Misfit: the row lacks a property that the one before has, and no value says that.
    """
    sent: dict[str, Any] = parse(text)
    kept: dict[str, Any] = parse(before.original or rows.write(before.row))
    shown = rows.members(row)
    alone = rows.write(rows.read(text))
    explicit: dict[str, Any] = {}
    for name in kept.keys() - sent.keys():
        if _reads_as(rows, {**sent, name: kept[name]}, alone):
            continue  # the class shows no such property
        value = shown.get(name, UNSET)
        plain = UNSET if value is UNSET else parse(json_text.encode({"it": value}))["it"]
        if plain is UNSET or not _reads_as(rows, {**sent, name: plain}, alone):
            raise Misfit(
                "the collection merges, so a write without this property leaves it as it is: "
                "give it another value (null, if its schema allows that), or delete the row and "
                "insert it anew",
                pointer_to([name]),
            )
        explicit[name] = plain
    return json_text.encode({**sent, **explicit}) if explicit else text


def _reads_as(rows: RowKind[Any], plain: Mapping[str, Any], text: bytes) -> bool:
    try:
        return same_but_for_order(rows.write(rows.convert(plain)), text)
    except UNREADABLE:
        return False
