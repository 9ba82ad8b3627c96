"""The JSON Schema of a row: when it is asked, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from tests.runtime.state.recorded import RecordingFold

from streamdb import (
    CollectionSchema,
    Columns,
    Contract,
    ContractBroken,
    InvalidRow,
    Maybe,
    SchemaError,
    StateSchema,
)
from streamdb.state.decoder import PageDecoder
from streamdb.state.items import Invalid, Merge, Put
from streamdb.types.faults import explain, pointer_to

SECRET = "row content"


class Bag(Struct, frozen=True, omit_defaults=True):
    id: str
    items: Sequence[str] = ()
    size: Maybe[int] = None


SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "pattern": "^b"},
        "items": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "size": {"type": "integer"},
    },
    "dependentRequired": {"size": ["items"]},
}


def bags(**options: Any) -> CollectionSchema[Bag, str]:
    given = {"name": "bags", "type": "bag", "primary_key": "id", "row": Bag, "key": str}
    return CollectionSchema(**{**given, "columns": Columns[Bag], **options})


@pytest.mark.parametrize(
    ("schema", "plain", "pointer", "reason"),
    [
        ({"required": ["a"]}, {}, "", 'lacks the property "a" (required)'),
        ({"type": ["string", "null"]}, 5, "", 'must be of the type ["null", "string"] (type)'),
        ({"properties": {"a": {"const": 1}}}, {"a": SECRET}, "/a", "must be 1 (const)"),
        ({"items": {"enum": ["x"]}}, [SECRET], "/0", 'must be one of ["x"] (enum)'),
        ({"pattern": "^x"}, SECRET, "", 'must match "^x" (pattern)'),
        ({"format": "date"}, SECRET, "", 'must be of the format "date" (format)'),
        ({"maximum": 3}, 4711, "", "must be at most 3 (maximum)"),
        ({"multipleOf": 0.5}, 0.75, "", "must be a multiple of 0.5 (multipleOf)"),
        ({"minItems": 2}, [SECRET], "", "must have at least 2 items (minItems)"),
        ({"not": {"type": "string"}}, SECRET, "", "fits a schema that it must not fit (not)"),
        ({"uniqueItems": True}, [SECRET, SECRET], "", "must not hold an item twice (uniqueItems)"),
        (
            {"contains": {"const": 1}},
            [SECRET],
            "",
            "does not contain what it must contain (contains)",
        ),
        (
            {"properties": {"a": True}, "additionalProperties": False},
            {"a": 1, "b/c": SECRET},
            "/b~1c",
            "is no property that is allowed here (additionalProperties)",
        ),
        (
            {"unevaluatedProperties": False},
            {"b": 1},
            "/b",
            "is no property that is allowed here (unevaluatedProperties)",
        ),
        (
            {"propertyNames": {"maxLength": 3}},
            {SECRET: 1},
            "",
            "has a property whose name must have at most 3 characters (propertyNames)",
        ),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "", 'lacks the property "b" (required)'),
        (
            {"if": {"type": "integer"}, "then": {"minimum": 9}},
            4,
            "",
            "must be at least 9 (minimum)",
        ),
        (False, SECRET, "", "stands where nothing is allowed (falseSchema)"),
        ({"oneOf": [True, True]}, SECRET, "", "must fit exactly one of the schemas (oneOf)"),
        (
            {"anyOf": [{"type": "string"}, {"type": "array"}]},
            5,
            "",
            "fits none of the schemas that it may fit (anyOf)",
        ),
    ],
)
def test_what_is_said_of_a_value_that_breaks_the_schema(
    schema: Any, plain: Any, pointer: str, reason: str
) -> None:
    """The keyword, the place, the schema's words, and of the value what it is."""
    with pytest.raises(ContractBroken) as caught:
        Contract.of(schema).check(plain)
    assert (caught.value.pointer, caught.value.reason) == (pointer, reason)
    assert caught.value.keyword == reason.rpartition("(")[2].rstrip(")")
    assert SECRET not in str(caught.value)
    assert reason in str(caught.value)
    assert str(caught.value).endswith(f"; found {caught.value.found}")


@pytest.mark.parametrize(
    ("row", "pointer", "found"),
    [
        (
            {"note": "the whole of a row's note"},
            "/note",
            "text of 25 characters that begins",
        ),
        ({"note": "ab"}, "/note", "text of 2 characters"),
        ({"note": "x" * 1_000_000}, "/note", "text of 1000000 characters that begins with "),
        ({"note": list(range(1000))}, "/note", "an array of 1000 items"),
        ({"note": {"a": "row content"}}, "/note", "an object of 1 property"),
        ({"note": None}, "/note", "null"),
        ({"note": 10**1000}, "/note", "a number"),
        ({"apiToken": "sk-1234567890abcdef"}, "/apiToken", "text of 19 characters"),
        ({"k" * 1_000_000: "row content"}, "/" + "k" * 1_000_000, "text of 11 characters that "),
    ],
)
def test_of_a_value_that_breaks_the_schema_little_is_shown(
    row: dict[str, Any], pointer: str, found: str
) -> None:
    """Enough to find it, never all of it, and nothing of what may be a secret."""
    with pytest.raises(ContractBroken) as caught:
        Contract.of({"additionalProperties": {"type": "boolean"}}).check(row)
    assert caught.value.pointer == pointer
    assert caught.value.found.startswith(found)
    assert len(str(caught.value)) < 1000
    for value in row.values():
        assert not isinstance(value, str) or value not in str(caught.value)
    assert "1234" not in str(caught.value)


def test_reports_hold_nothing_of_the_value() -> None:
    """They go to logs."""
    contract = Contract.of({"properties": {"note": {"maxLength": 3}}})
    with pytest.raises(ContractBroken) as caught:
        contract.check({"note": SECRET})
    assert SECRET[:3] in explain(caught.value)[0]
    reason, pointer = explain(caught.value, private=True)
    assert (reason, pointer) == ("must have at most 3 characters (maxLength)", "/note")


def test_the_most_specific_fault_is_reported() -> None:
    """In the branch that was meant, which its constant tells."""
    shape = {
        "oneOf": [
            {
                "required": ["kind"],
                "properties": {"kind": {"const": kind}, "size": {"type": "integer"}},
            }
            for kind in ("circle", "square", "line")
        ]
    }
    schema = {"required": ["name"], "properties": {"shapes": {"items": shape}}}
    with pytest.raises(ContractBroken) as caught:
        Contract.of(schema).check({"shapes": [{"kind": "square", "size": "large"}]})
    assert caught.value.pointer == "/shapes/0/size"


def test_whole_floats_are_integers() -> None:
    contract = Contract.of({"type": "integer"})
    contract.check(1.0)
    contract.check(2**70)
    for plain in (1.5, True):
        with pytest.raises(ContractBroken):
            contract.check(plain)


def test_formats_are_ours_and_others_are_not_checked() -> None:
    with pytest.raises(ContractBroken):
        Contract.of({"format": "ipv4"}).check("1.2.3")
    with pytest.raises(ContractBroken):
        Contract.of({"format": "date"}).check("2026-01-02\n")
    Contract.of({"format": "made-up"}).check("anything")
    Contract.of({"format": "regex"}).check("(")


def test_a_lone_surrogate_is_text_like_any_other() -> None:
    cut, other = "\ud83d", "\ud83e"
    Contract.of({"uniqueItems": True, "items": {"maxLength": 1}}).check([cut, other])
    Contract.of({"const": {cut: [cut]}}).check({cut: [cut]})
    for schema, plain in (
        ({"uniqueItems": True}, [cut, cut]),
        ({"const": cut}, other),
        ({"maxLength": 1}, cut + cut),
    ):
        with pytest.raises(ContractBroken):
            Contract.of(schema).check(plain)


def test_nesting_beyond_all_measure_is_an_error_and_no_crash() -> None:
    plain: Any = []
    for _ in range(200_000):
        plain = [plain]
    try:
        with pytest.raises(RecursionError):
            Contract.of({"items": {"$ref": "#"}}).check(plain)
    finally:
        while plain:  # taken apart from outside, for the garbage collector's sake
            plain = plain.pop()


def test_threads_may_share_one() -> None:
    contract = Contract.of({"items": {"type": "integer"}})
    broken: list[str] = []

    def work() -> None:
        contract.check([1, 2])
        for number in range(200):
            try:
                contract.check([1] * number + ["x"])
            except ContractBroken as error:
                broken.append(error.pointer)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(broken) == sorted([f"/{number}" for number in range(200)] * 4)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"pattern": "("},
    ],
)
def test_a_schema_that_cannot_be_used(schema: Any) -> None:
    with pytest.raises(SchemaError):
        Contract.of(schema).check({})


def test_references_lead_into_the_document_alone(tmp_path: Path) -> None:
    """Nothing is ever fetched, from files neither."""
    (tmp_path / "other.json").write_text("{}")
    for document in (
        {"$ref": (tmp_path / "other.json").as_uri()},
        {"$id": (tmp_path / "this.json").as_uri(), "$ref": "other.json"},
    ):
        with pytest.raises(SchemaError, match=r"other\.json"):
            Contract.of(document).check({})
        with pytest.raises(SchemaError, match=r"other\.json"):
            Contract.of({"row": document}, pointer="/row").check({})


@pytest.mark.parametrize("name", ["plain", "a/b~c", "50% off#?", "é 😀", "%41", '"', "\ud83d"])
def test_what_is_not_a_schema_in_a_spec_does_not_matter(name: str) -> None:
    spec = {
        "name": "x",
        "collections": {name: {"type": "t", "schema": {"$ref": "#/$defs/Row"}}},
        "type": {"type": "a collection that is called like a keyword"},
        "$defs": {"Row": {"type": "object"}},
    }
    contract = Contract.of(spec, pointer=pointer_to(["collections", name, "schema"]))
    contract.check({})
    with pytest.raises(ContractBroken):
        contract.check([])


def test_the_schema_of_a_generated_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "generated_bags"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "events.py").write_text(
        "from streamdb import Contract\n"
        'contract = Contract(__name__, "/collections/bags/schema", beyond_type=("uniqueItems",))\n'
    )
    spec = {"$schema": "./streamdb-spec-v1.json", "collections": {"bags": {"schema": SCHEMA}}}
    (package / "schema.json").write_text(json.dumps(spec))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "generated_bags", raising=False)
    from generated_bags import events  # type: ignore[import-not-found] # made above

    events.contract.check({"id": "b"})
    with pytest.raises(ContractBroken):
        events.contract.check({"id": "a"})


def test_a_missing_extra_is_named_at_the_first_check() -> None:
    program = (
        "import sys; sys.modules['jsonschema_rs'] = None\n"
        "import streamdb\n"
        "contract = streamdb.Contract.of({})\n"
        "try:\n"
        "    contract.check(1)\n"
        "except streamdb.MissingExtra as error:\n"
        "    print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'streamdb[validate]'" in result.stdout, result.stderr


# --- when it is asked ---------------------------------------------------------------------------

TWICE = Bag("b1", ["x", "x"])
TWICE_TEXT = b'{"id":"b1","items":["x","x"]}'


def test_a_type_that_says_less_is_helped_when_rows_are_written() -> None:
    schema = bags(contract=Contract.of(SCHEMA, beyond_type=("uniqueItems",)))
    assert schema.encode(Bag("b1", ["x"])) == b'{"id":"b1","items":["x"]}'
    with pytest.raises(InvalidRow, match="Bag at /items: must not hold an item twice") as caught:
        schema.encode(TWICE)
    assert caught.value.pointer == "/items"


@pytest.mark.parametrize("contract", [None, Contract.of(SCHEMA, beyond_type=())])
def test_a_type_that_is_exact_is_not(contract: Contract | None) -> None:
    assert bags(contract=contract).encode(TWICE) == TWICE_TEXT


def test_reading_asks_the_schema_only_when_it_is_strict() -> None:
    schema = bags(contract=Contract.of(SCHEMA))
    assert schema.decode(TWICE_TEXT) == TWICE
    with pytest.raises(InvalidRow) as caught:
        schema.decode(TWICE_TEXT, strict=True)
    assert caught.value.pointer == "/items"
    assert bags().decode(TWICE_TEXT, strict=True) == TWICE


def test_strict_reading_takes_what_type_and_schema_take() -> None:
    schema = bags(contract=Contract.of(SCHEMA))
    text = b'{"id":"b1","size":3.0,"items":["\\ud83d"],"unknown":1}'
    assert schema.decode(text, strict=True) == Bag("b1", ["\ud83d"], 3)


def event(value: Any, type_: str = "bag", key: str = "b1") -> dict[str, Any]:
    return {"type": type_, "key": key, "headers": {"operation": "insert"}, "value": value}


STRICT = bags(contract=Contract.of(SCHEMA))
FREE = bags(name="free", type="free")
MERGED = bags(name="merged", type="merged", updates="merge", contract=Contract.of(SCHEMA))
STATE = StateSchema(name="s", collections=(STRICT, FREE, MERGED))


@pytest.mark.parametrize("beside", [[], [{"headers": {"control": "reset"}}]])
@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"id": "b1", "items": ["x"]}, None),
        ({"id": "b1", "size": 1.0, "items": []}, None),
        ({"items": ["x", "x"]}, "/value/items"),
        ({"id": "wrong", "size": 1}, "/value"),
        ({"id": "wrong"}, None),  # KEY-4: it is the event's key that counts
        ({}, None),
        ({"id": "b1", "items": [5]}, "/value/items/0"),
    ],
)
def test_strict_decoding_judges_every_row(
    value: Any, pointer: str | None, beside: list[Any]
) -> None:
    page = json.dumps([event(value), event(value, "free"), *beside]).encode()
    judged, free, *_ = PageDecoder(STATE, strict=True).decode(page, url="u", offset="o").items
    assert isinstance(free, Put) or value.get("items") == [5]
    if pointer is None:
        assert isinstance(judged, Put)
        assert judged.row.id == "b1"
    else:
        assert isinstance(judged, Invalid)
        assert (judged.type, judged.key, judged.pointer) == ("bag", "b1", pointer)
    lax = PageDecoder(STATE).decode(page, url="u", offset="o").items[0]
    assert isinstance(lax, Put) or value.get("items") == [5]


def test_merged_rows_are_judged_as_they_become() -> None:
    """UPDATE-4: a part of a row may break what the whole keeps, and the other way round."""
    fold = RecordingFold(STATE, strict=True)
    parts = [{"items": ["x"]}, {"size": 1}, {"items": ["x", "x"]}]
    page = json.dumps([event(part, "merged") for part in parts]).encode()
    decoded = fold.decoder.decode(page, url="u", offset="o")
    assert all(isinstance(item, Merge) for item in decoded.items)
    fold.add_page(page)
    assert [row for _, row in fold.writes("merged")] == [
        Bag("b1", ["x"]),
        Bag("b1", ["x"], 1),
    ]
    (invalid,) = fold.counts.invalid
    assert invalid.pointer == "/value/items"
