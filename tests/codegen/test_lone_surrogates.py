"""Half a surrogate pair among the values of an enum: data like any other (INVALID-9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import ModuleType

import msgspec
import pytest
from tests.codegen.hostile_specs import imported

from streamdb.errors import InvalidRow
from streamdb_gen import api
from streamdb_gen.loading import load_spec_text

HALF, OTHER_HALF, WHOLE = "\ud83d", "\ude00", "\U0001f600"
VALUES = [HALF, f"{HALF}{HALF}", "^.*$", 1, True, None]
SPEC = {
    "collections": {
        "items": {
            "type": "item",
            "primaryKey": "id",
            "schema": {
                "type": "object",
                "required": ["id", "value"],
                "properties": {
                    "id": {"enum": ["a", HALF]},
                    "value": {"enum": VALUES},
                    "values": {"type": "array", "items": {"$ref": "#/$defs/Half"}},
                },
            },
        }
    },
    "$defs": {"Half": {"const": HALF}},
}


@pytest.fixture(scope="module")
def package() -> Iterator[ModuleType]:
    loaded = load_spec_text(json.dumps(SPEC), "halves.json")
    assert loaded.spec is not None, loaded.findings
    with imported(api.generate(loaded.spec)) as module:
        yield module


@pytest.mark.parametrize("value", VALUES)
def test_each_value_is_written_and_read(package: ModuleType, value: object) -> None:
    row = package.Item(id=HALF, value=value, values=[HALF])
    text = package.events.items.schema.encode(row)
    assert json.loads(text) == {"id": HALF, "value": value, "values": [HALF]}
    read = package.events.items.schema.rows.read(text)
    assert read == row
    assert type(read.value) is type(value)


@pytest.mark.parametrize("value", [OTHER_HALF, WHOLE, f"{HALF}\n", f"{HALF}x", "", "x", 2, False])
def test_no_other_value_is_written_or_read(package: ModuleType, value: object) -> None:
    row = package.Item(id="a", value=value)
    with pytest.raises(InvalidRow, match=r"^collection 'items': Item at /value: "):
        package.events.items.schema.encode(row)
    text = json.dumps({"id": "a", "value": value}).encode()
    with pytest.raises(msgspec.ValidationError):
        package.events.items.schema.rows.read(text)
