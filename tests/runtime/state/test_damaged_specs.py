"""Any bytes, and any change to a real spec: what is read is read as the compiler reads it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamdb import SpecError, StateSchema
from streamdb_gen.loading import load_spec

ROOT = Path(__file__).resolve().parents[3]
OWN = ROOT / "tests/agreement/corpus/own"
#: Real specs: each in its own folder, with the files that it refers to.
SPECS = sorted(OWN.glob("*/schema.json"))


KEYWORDS = """
    $ref $id $anchor $schema $defs $comment type properties required items prefixItems allOf anyOf
    oneOf not if then enum const pattern format minimum maxItems uniqueItems additionalProperties
    collections schema primaryKey updates name version default x-streamdb-type dependencies
"""
WORDS = """
    # #/ #/$defs #/$defs/0 #a ../x.json schema.json a.json#/x https://x.test/y http://[ string
    integer strin date-time ( [a-z http://json-schema.org/draft-07/schema# replace merge id
    Decimal %ff ~2
"""
TEXTS = st.sampled_from(
    [*KEYWORDS.split(), *WORDS.split(), "", "\ud800", "\0", "é" * 300, "#/$defs/" + "9" * 5000]
)
NUMBERS = st.sampled_from([0, -1, 1.5, 2**63, 2**64, -(2**70), 1e300, 10**400])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    steps: Any = value.items() if isinstance(value, dict) else ()
    for step, inner in enumerate(value) if isinstance(value, list) else steps:
        yield from places(inner, (*path, step))


def changed(draw: st.DrawFn, value: Any) -> Any:
    """The value with one thing replaced, deleted, added or renamed."""
    path = draw(st.sampled_from(list(places(value))))
    if not path:
        return value if draw(st.booleans()) else draw(VALUES)
    holder = value
    for step in path[:-1]:
        holder = holder[step]
    match draw(st.sampled_from(["replace", "delete", "add", "rename", "wrap"])):
        case "replace":
            holder[path[-1]] = draw(VALUES)
        case "delete":
            del holder[path[-1]]
        case "add" if isinstance(holder, dict):
            holder[draw(TEXTS)] = draw(VALUES)
        case "rename" if isinstance(holder, dict):
            holder[draw(TEXTS)] = holder.pop(path[-1])
        case _:
            holder[path[-1]] = [holder[path[-1]]] * draw(st.sampled_from([1, 2, 99]))
    return value


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Path, bytes]:
    spec = draw(st.sampled_from(SPECS))
    value = json.loads(spec.read_text("utf-8"))
    for _ in range(draw(st.integers(1, 3))):
        value = changed(draw, value)
    return spec, json.dumps(value).encode()


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Path, bytes]:
    spec = draw(st.sampled_from(SPECS))
    text = spec.read_bytes()
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 20)))
    inserted = draw(st.binary(max_size=5) | st.sampled_from([b"NaN", b"[" * 3000, b'"', b"\\ud8"]))
    return spec, text[:start] + inserted + text[end:]


def schema_or_error(path: Path) -> StateSchema | SpecError:
    try:
        return StateSchema.from_file(path)
    except SpecError as error:
        return error


def read(spec: Path, content: bytes) -> None:
    """Read a spec beside the files of another one; it may fail with the one error only.

    What the compiler takes is read, and as the same collections.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(spec.parent, folder, dirs_exist_ok=True)
        path = Path(folder) / "schema.json"
        path.write_bytes(content)
        compiled = load_spec(path).spec
        schema = schema_or_error(path)
        if isinstance(schema, SpecError):
            assert compiled is None, schema
            assert str(schema).startswith(folder)
            assert schema.line is not None
            return
        if compiled is not None:
            kinds = {"string": str, "integer": int}
            assert [
                (c.name, c.type, c.primary_key, c.key, c.updates) for c in schema.collections
            ] == [
                (c.wire_name, c.event_type, c.primary_key.wire_name, kinds[c.key], c.updates)
                for c in compiled.collections
            ]
            assert (schema.name, schema.version) == (compiled.name, compiled.version)


FUZZED = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@FUZZED
@given(content=st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_any_bytes(content: bytes) -> None:
    read(SPECS[0], content)


@FUZZED
@given(case=damaged())
def test_any_damage_to_the_text_of_a_real_spec(case: tuple[Path, bytes]) -> None:
    read(*case)


@FUZZED
@given(case=mutated())
def test_any_change_to_a_real_spec(case: tuple[Path, bytes]) -> None:
    read(*case)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.parent.name)
def test_real_specs_are_read_as_the_compiler_reads_them(spec: Path) -> None:
    assert load_spec(spec).spec is not None
    StateSchema.from_file(spec)
    read(spec, spec.read_bytes())
