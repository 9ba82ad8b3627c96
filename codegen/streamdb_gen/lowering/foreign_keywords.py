"""Keywords of another version of JSON Schema than the one that a schema is written in.

Validators differ on them: one ignores what its version does not know, another honours it all the
same. So they are refused, with the member to write instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from streamdb_gen.findings import shown
from streamdb_gen.json_source import JsonValue, Place
from streamdb_gen.lowering.dialects import Dialect
from streamdb_gen.reporting import Report

_LONGEST: Final = 60  # a value in a hint
# Which form of a keyword is meant, if others are known.
_FORMS: Final = {"$id": " that begins with `#`", "items": " that is an array"}


def is_foreign(keyword: str, place: Place, dialect: Dialect) -> bool:
    """Whether a keyword, as it stands, has no meaning in a version and one in others."""
    match keyword:
        case "items":
            return isinstance(place.value, list) and not dialect.items_by_position
        case "$anchor":
            return dialect.named_by_id
        case "$id":
            named = isinstance(place.value, str) and place.value.startswith("#")
            return named and place.value != "#" and not dialect.named_by_id
        case _:
            return keyword in dialect.foreign


def report_foreign(keyword: str, place: Place, dialect: Dialect, report: Report) -> None:
    """Say so, and what to write instead."""
    what = f"{shown(keyword)}{_FORMS.get(keyword, '')}"
    message = f"JSON Schema {dialect.name} knows no {what}"
    report.add("KEYWORD_DIALECT", place, message, _way_out(keyword, place, dialect), at_key=True)


def _way_out(keyword: str, place: Place, dialect: Dialect) -> str:
    instead = dialect.foreign.get(keyword, "")
    if "://" in instead:
        return f'say that the schema is of a version that does: "$schema": "{instead}"'
    if place.value == []:
        return "delete it: it says nothing"
    if keyword == "dependencies":
        members = ", ".join(_member(*one) for one in _dependent(place))
    elif keyword == "items":
        members = _member("prefixItems", place.value)
    elif keyword == "$anchor":
        members = _member("$id", f"#{place.value}")
    elif keyword == "$id":
        members = _member("$anchor", str(place.value)[1:])
    else:
        members = _member(instead, place.value)
    return f"write {members}"


def _dependent(dependencies: Place) -> Iterator[tuple[str, Mapping[str, JsonValue]]]:
    """The two keywords that became of one."""
    for word, is_list in (("dependentRequired", True), ("dependentSchemas", False)):
        own = {
            name: inner.value
            for name, inner in dependencies.members()
            if isinstance(inner.value, list) is is_list
        }
        if own or (is_list and not list(dependencies.members())):
            yield word, own


def _member(keyword: str, value: JsonValue | Mapping[str, JsonValue]) -> str:
    text = json.dumps(value)
    return f'"{keyword}": {text if len(text) <= _LONGEST else "..."}'
