"""`x-streamdb-type`: the Python type that the user chose for a string."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from streamdb_gen.findings import shown
from streamdb_gen.ir import ScalarKind
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.keywords import strings
from streamdb_gen.reporting import Report

#: What can be chosen.
OVERRIDES: Final[Mapping[str, ScalarKind]] = {
    "str": "string",
    "Decimal": "decimal",
    "bytes": "bytes",
}


def check_overrides(schemas: Iterable[Place], report: Report) -> None:
    """Report what cannot be chosen: the word stands beside `"type": "string"`, and no constant.

    Nowhere else would a type follow it, but validators check what it asserts.
    """
    for schema in schemas:
        place = schema.get("x-streamdb-type")
        if place is None or not isinstance(place.value, str):
            continue
        is_string = "string" in {name for name, _ in strings(schema.get("type"))}
        is_constant = schema.get("const") is not None or schema.get("enum") is not None
        if place.value not in OVERRIDES or not is_string or is_constant:
            message = f"{shown(place.value)} is no type that this value can have"
            hint = f'strings can be {", ".join(OVERRIDES)}, beside "type": "string"'
            report.add("TYPE_OVERRIDE", place, message, hint)
