"""Where references lead: where `jsonschema` takes them in the schema as written, or nowhere.

The schema is the one of a property, with an `$id` of its own as exported schemas have, so that all
of its references are inside it. What they lead to accepts one number each, which tells them apart.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from jsonschema.exceptions import _WrappedReferencingError  # type: ignore[import-untyped]

from streamdb_gen.loading import load_spec_text

BASE = "https://example.org/base/schema.json"


def number(n: int, **more: Any) -> Any:
    return {"const": n, **more}


DEFINITIONS = {
    "plain": number(0),
    "a b": number(1),
    "a/b": number(2),
    "a~b": number(3),
    "~1": number(4),
    "100%": number(5),
    "%41": number(6),
    "é": number(7),
    "": number(8),
    "q?": number(9, **{"$anchor": "named"}),
    "other": {
        "$id": "other.json",
        "const": 10,
        "$defs": {
            "inner": number(11, **{"$anchor": "named"}),
            "deep": {"$id": "sub/deep.json", "const": 12, "$defs": {"x": number(13)}},
            "up": {"$id": "/top.json", "const": 14},
        },
    },
    "urn": {"$id": "urn:example:thing", "const": 15, "$defs": {"x": number(16)}},
    "list": {"allOf": [number(17), {"type": "integer"}]},
}
NUMBERS = range(18)
REFERENCES = [
    "#/$defs/plain", "#/$defs/a%20b", "#/$defs/a b", "#/$defs/a~1b", "#/$defs/a%7E1b",
    "#/$defs/a/b", "#/$defs/a%2Fb", "#/$defs/a~0b", "#/$defs/a~b", "#/$defs/a~2b", "#/$defs/~01",
    "#/$defs/~1", "#/$defs/100%25", "#/$defs/100%", "#/$defs/%41", "#/$defs/%2541", "#/$defs/é",
    "#/$defs/%C3%A9", "#/$defs/%E9", "#/$defs/", "#/$defs", "#/$defs/q?", "#/$defs/q%3F", "#named",
    "#nam%65d", "#Named", "#/$defs/list/allOf/0", "#/$defs/list/allOf/00", "#/$defs/list/allOf/-",
    "#/$defs/list/allOf/2", "#$defs/plain", "#//$defs/plain", "#/$defs/plain/const",
    "other.json", "other.json#", "./other.json", "../base/other.json", "other.json#named",
    "other.json#/$defs/inner", "/base/other.json", "//example.org/base/other.json",
    "https://example.org/base/other.json#named", "HTTPS://example.org/base/other.json",
    "schema.json#/$defs/plain", f"{BASE}#/$defs/plain", "sub/deep.json", "sub/deep.json#/$defs/x",
    "deep.json", "top.json", "/top.json", "../top.json", "urn:example:thing",
    "urn:example:thing#/$defs/x", "urn:example:other", "other.json?x", "missing.json",
    "#/$defs/other/$defs/inner", "#/$defs/other/$defs/deep/$defs/x",
]  # fmt: skip


def taken(original: Any, at: str = "") -> set[int] | None:
    """What `jsonschema` accepts; None if a reference leads nowhere for it."""
    validator = Draft202012Validator({**original, "$ref": at} if at else original)
    try:
        return {n for n in NUMBERS if validator.is_valid(n)}
    except _WrappedReferencingError:
        return None


def compiled(schema: Any) -> set[int] | None:
    """What `schema.json` accepts there; None if the compiler finds a fault."""
    row = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "v": schema},
    }
    spec = {"name": "n", "collections": {"rows": {"primaryKey": "id", "schema": row}}}
    loaded = load_spec_text(json.dumps(spec), "spec.json")
    if loaded.spec is None:
        assert {f.rule for f in loaded.findings if f.severity == "error"} <= {
            "REFERENCE_UNKNOWN",
            "REFERENCE_OUTSIDE",
        }
        return None
    document = json.loads(loaded.spec.canonical)
    root = {**document, "$ref": "#/collections/rows/schema/properties/v"}
    validator = jsonschema_rs.validator_for(
        {**root, "$schema": "https://json-schema.org/draft/2020-12/schema"}
    )
    return {n for n in NUMBERS if validator.is_valid(n)}


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_from_the_beginning(reference: str) -> None:
    schema = {"$id": BASE, "$ref": reference, "$defs": DEFINITIONS}
    found = compiled(schema)
    assert found is None or found == taken(schema)


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_from_inside_another_resource(reference: str) -> None:
    inner = {"$id": "sub/inner.json", "$ref": reference, "$defs": {"plain": number(9)}}
    schema = {"$id": BASE, "$ref": "sub/inner.json", "$defs": {**DEFINITIONS, "inner": inner}}
    found = compiled(schema)
    assert found is None or found == taken(schema)


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/$defs/a%20b", {1}),
        ("#/$defs/a~1b", {2}),
        ("#/$defs/a%7E1b", {2}),
        ("#/$defs/100%25", {5}),
        ("#/$defs/%2541", {6}),
        ("#/$defs/%C3%A9", {7}),
        ("#/$defs/", {8}),
        ("#named", {9}),
        ("#nam%65d", None),
        ("other.json#", {10}),
        ("other.json#named", {11}),
        ("sub/deep.json#/$defs/x", {13}),
        ("/top.json", {14}),
        ("urn:example:thing#/$defs/x", {16}),
        ("#/$defs/a/b", None),
        ("#/$defs/a~2b", None),
        ("#/$defs/%E9", None),
        ("#/$defs/list/allOf/00", None),
        ("deep.json", None),
        ("missing.json", None),
    ],
)
def test_what_has_to_be_found_and_what_not(reference: str, found: set[int] | None) -> None:
    assert compiled({"$id": BASE, "$ref": reference, "$defs": DEFINITIONS}) == found


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text("/~01%aé ?#", max_size=5), st.booleans())
def test_every_name_can_be_referred_to(name: str, percent: bool) -> None:
    token = name.replace("~", "~0").replace("/", "~1")
    kept = "" if percent else "/~?"
    text = "".join(
        c if c in kept or c in "01a" else "".join(f"%{b:02x}" for b in c.encode()) for c in token
    )
    schema = {"$id": BASE, "$ref": f"#/$defs/{text}", "$defs": {**DEFINITIONS, name: number(17)}}
    assert compiled(schema) == taken(schema) == {17}
