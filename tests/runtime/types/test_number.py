"""``Number`` keeps every digit of an integer, where ``float`` would round it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Struct

from streamdb import Maybe, Number
from streamdb.pydantic_rows import PydanticRow
from streamdb.state.row_kinds import row_kind
from streamdb.types.faults import UNREADABLE


class Measured(Struct, frozen=True, kw_only=True, omit_defaults=True):
    value: Maybe[Number] = None


class MeasuredModel(PydanticRow, frozen=True):
    value: Maybe[Number] = None


@pytest.mark.parametrize("row", [Measured, MeasuredModel])
@pytest.mark.parametrize("number", [0, 1, 0.5, -0.5, 2**53 + 1, -(2**64) - 1, 10**30 + 1, 1e-9])
def test_it_is_written_as_it_was_read(row: Any, number: float) -> None:
    rows = row_kind(row, None)
    read = rows.read(json.dumps({"value": number}).encode())
    assert (type(read.value), read.value) == (type(number), number)
    assert json.loads(rows.write(read)) == {"value": number}


@pytest.mark.parametrize("row", [Measured, MeasuredModel])
@pytest.mark.parametrize("text", ["true", '"1"', "null", "1e999"])
def test_it_is_a_number(row: Any, text: str) -> None:
    with pytest.raises(UNREADABLE):
        row_kind(row, None).read(b'{"value":' + text.encode() + b"}")
