"""Defaults that the schema which they stand in refuses; docstrings would repeat them as true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import jsonschema_rs

from streamdb_gen.canonical import canonical_value
from streamdb_gen.findings import shown
from streamdb_gen.formats import ALIASES
from streamdb_gen.json_source import JsonValue, Place
from streamdb_gen.reporting import Report

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_CHECKED: Final = "x-with-default"


@dataclass(frozen=True, slots=True)
class Default:
    """A default, and the schema that it stands in as the bundle says it."""

    place: Place
    schema: dict[str, JsonValue]


def check_defaults(defaults: Sequence[Default], document: JsonValue, report: Report) -> None:
    """Report defaults that their schemas refuse; references lead into the document."""
    for place in _refused(defaults, document):
        message = f"the default {shown(canonical_value(place.value))} is refused by its own schema"
        hint = "correct one of the two; a default is documentation, and is never filled in"
        report.add("DEFAULT_MISFIT", place, message, hint)


def _refused(defaults: Sequence[Default], document: JsonValue) -> Iterator[Place]:
    if not defaults or not isinstance(document, dict):
        return
    # One validator judges all: each of its own would compile what they refer to once more.
    whole = {**document, "$schema": _DRAFT, "$ref": f"#/{_CHECKED}"}
    whole[_CHECKED] = {"prefixItems": [default.schema for default in defaults]}
    if _divides_by_zero(whole):
        return  # which is reported elsewhere, and ends the validator in a panic
    try:
        validator = jsonschema_rs.validator_for(whole)
        errors = validator.iter_errors([default.place.value for default in defaults])
        # What refuses all of them stands at the top of a document that is no spec.
        broken = {error.instance_path[0] for error in errors if error.instance_path}
    except ValueError:  # half of a surrogate pair, or a schema that is reported elsewhere
        return
    for index, default in enumerate(defaults):
        if index in broken or not _is_of_format(default):
            yield default.place


def _divides_by_zero(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return value.get("multipleOf", 1) == 0 or any(map(_divides_by_zero, value.values()))
    return isinstance(value, list) and any(map(_divides_by_zero, value))


def _is_of_format(default: Default) -> bool:
    format_, text = default.schema.get("format"), default.place.value
    if not isinstance(text, str) or not isinstance(format_, str) or format_ not in ALIASES:
        return True
    # The runtime is slow to import.
    from streamdb.formats import is_valid

    return is_valid(format_, text)
