"""Specs that are large, deep or circular: a package or a finding, in bounded resources.

Each is compiled in a process of its own, which ends for lack of memory or processor time where the
compiler needs more than its input warrants. The limits are many times what is needed.
"""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.forked_python import ForkedPython, forked_python, imports_of

Json = dict[str, Any]

GOLDEN = Path(__file__).parent.parent / "golden"
CPU_SECONDS = 60
MEMORY = 2 * 1024**3
CHAIN = 2_000


def nested(levels: int, wrap: Callable[[Json], Json]) -> Json:
    schema: Json = {"$ref": "#/$defs/C0"}
    for _ in range(levels):
        schema = wrap(schema)
    return schema


def chained(link: Callable[[str], Json], last: Json) -> Json:
    links = {f"C{n}": link(f"#/$defs/C{n + 1}") for n in range(CHAIN)}
    return {**links, f"C{CHAIN}": last}


UNIONS = chained(lambda next_: {"anyOf": [{"$ref": next_}, {"type": "string"}]}, {"type": "null"})
REFERENCES = chained(lambda next_: {"$ref": next_}, {"type": "string"})
DOUBLED = {
    f"C{n}": {
        "anyOf": [
            {"$ref": f"#/$defs/C{n + 1}"},
            {"type": "array", "items": {"$ref": f"#/$defs/C{n + 1}"}},
        ]
    }
    for n in range(300)
} | {"C300": {"type": "object", "properties": {}}}
JOINED = {
    f"C{n}": {"allOf": [{"$ref": f"#/$defs/C{n + 1}"}] * 2, "properties": {f"p{n}": {}}}
    for n in range(90)
} | {"C90": {"type": "object", "properties": {}}}
CIRCULAR = {
    "C0": {"allOf": [{"$ref": "#/$defs/C1"}, {"$ref": "#/$defs/C0"}], "type": "object"},
    "C1": {"anyOf": [{"$ref": "#/$defs/C0"}, {"$ref": "#/$defs/C2"}]},
    "C2": {"type": "array", "items": {"$ref": "#/$defs/C2"}},
}
APPLIED_TWICE = {
    f"C{n}": {
        "type": "object",
        word: [
            {"$ref": f"#/$defs/C{n + 1}"},
            {"type": "object", "not": {"$ref": f"#/$defs/C{n + 1}"}},
        ],
    }
    for n, word in zip(range(60), itertools.cycle(("anyOf", "oneOf", "allOf")), strict=False)
} | {"C60": {"type": "object", "properties": {"a": {"default": 1}}, "default": {}}}
LOOKED_AT_TWICE = {
    f"C{n}": {
        "type": "object",
        "if": {"$ref": f"#/$defs/C{n + 1}"},
        "then": {"$ref": f"#/$defs/C{n + 1}"},
        "unevaluatedProperties": False,
    }
    for n in range(25)
} | {"C25": {"type": "object", "properties": {"a": {"default": 1}}}}
LOOKED_AT_ONCE_MORE = {  # `unevaluatedProperties` alone doubles the ways
    f"C{n}": {"allOf": [{"$ref": f"#/$defs/C{n + 1}"}], "unevaluatedProperties": {}}
    for n in range(200)
} | {"C200": {"type": "object", "properties": {}}}
FIRST: Json = {"$ref": "#/$defs/C0"}

SHAPES: dict[str, tuple[Json, Json]] = {
    "arrays": (nested(90, lambda s: {"type": "array", "items": s}), UNIONS),
    "maps": (nested(90, lambda s: {"type": "object", "additionalProperties": s}), UNIONS),
    "any-of": (nested(45, lambda s: {"anyOf": [s, {"type": "string"}]}), UNIONS),
    "all-of": (nested(45, lambda s: {"allOf": [s, {"minLength": 1}]}), UNIONS),
    "not": (nested(90, lambda s: {"not": s}), UNIONS),
    "objects": (nested(45, lambda s: {"type": "object", "properties": {"a": s}}), UNIONS),
    "chain-of-references": (FIRST, REFERENCES),
    "doubled-unions": (FIRST, DOUBLED),
    "doubled-conjunctions": (FIRST, JOINED),
    "circular": (FIRST, CIRCULAR),
    "applied-twice": (FIRST, APPLIED_TWICE),
    "looked-at-twice": (FIRST, LOOKED_AT_TWICE),
    "looked-at-once-more": (FIRST, LOOKED_AT_ONCE_MORE),
    "huge-enum": ({"enum": [f"value {n}" for n in range(50_000)]}, {}),
    "huge-enum-of-objects": ({"enum": [{"n": n} for n in range(10_000)]}, {}),
    "many-properties": (
        {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(10_000)}},
        {},
    ),
    "many-choices": (
        {
            "oneOf": [
                {"type": "object", "required": ["k"], "properties": {"k": {"const": f"t{n}"}}}
                for n in range(2_000)
            ]
        },
        {},
    ),
    "many-plain-choices": ({"anyOf": [{"const": n} for n in range(2_000)]}, {}),
}


@pytest.fixture(scope="module")
def python() -> Iterator[ForkedPython]:
    imports = imports_of(GOLDEN, "everything") + "import streamdb_gen.commands"
    with forked_python(imports) as python:
        yield python


@pytest.mark.parametrize("shape", SHAPES)
def test_it_compiles_and_imports_or_is_refused(
    tmp_path: Path, python: ForkedPython, shape: str
) -> None:
    value, definitions = SHAPES[shape]
    row = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "value": value},
    }
    document = {
        "name": "shape",
        "collections": {"rows": {"primaryKey": "id", "schema": row}},
        "$defs": definitions,
    }
    (tmp_path / "shape.json").write_text(json.dumps(document), encoding="utf-8")
    generated = _limited(tmp_path, python, "-m", "streamdb_gen", "shape.json")
    assert generated.returncode in (0, 4), generated.stdout + generated.stderr
    assert "Traceback" not in generated.stderr
    if generated.returncode == 0:
        imported = _limited(
            tmp_path, python, "-c", "import shape; shape.events.rows.schema.decode(b'{}')"
        )
        assert "InvalidRow" in imported.stderr.splitlines()[-1], imported.stderr


@pytest.mark.parametrize(("levels", "exit_code"), [(8, 0), (30, 2)])
def test_rows_of_pydantic_import_or_are_refused(
    tmp_path: Path, python: ForkedPython, levels: int, exit_code: int
) -> None:
    """pydantic takes three times as long for each level of unions that name one another twice."""

    def link(level: int) -> Json:
        inner = {"$ref": f"#/$defs/C{level + 1}"}
        return {"anyOf": [inner, {"type": "array", "items": inner}]}

    value = {"type": "object", "properties": {"a": {"type": "integer"}}}
    row = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "value": FIRST},
    }
    document = {
        "name": "shape",
        "collections": {"rows": {"primaryKey": "id", "schema": row}},
        "$defs": {f"C{level}": link(level) for level in range(levels)} | {f"C{levels}": value},
    }
    (tmp_path / "shape.json").write_text(json.dumps(document), encoding="utf-8")
    generated = _limited(
        tmp_path, python, "-m", "streamdb_gen", "shape.json", "--models", "pydantic"
    )
    assert generated.returncode == exit_code, generated.stdout + generated.stderr
    if exit_code:
        assert "pydantic would build more than 1000 validators" in generated.stderr
        assert not (tmp_path / "shape").exists()
    else:
        imported = _limited(tmp_path, python, "-c", "import shape; shape.events")
        assert imported.returncode == 0, imported.stderr


def _limited(
    folder: Path, python: ForkedPython, *arguments: str
) -> subprocess.CompletedProcess[str]:
    limits = {"RLIMIT_CPU": CPU_SECONDS, "RLIMIT_AS": MEMORY}
    return python.run(*arguments, cwd=folder, limits=limits)
