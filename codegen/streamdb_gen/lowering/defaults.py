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

_DOCUMENT: Final = "urn:streamdb:spec"
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
    whole = {**document, _CHECKED: [default.schema for default in defaults]}
    whole.pop("$schema", None)  # that of spec files, which is no draft of JSON Schema
    try:
        registry = jsonschema_rs.Registry([(_DOCUMENT, whole)], draft=jsonschema_rs.Draft202012)
        for index, default in enumerate(defaults):
            validator = jsonschema_rs.Draft202012Validator(
                {"$ref": f"{_DOCUMENT}#/{_CHECKED}/{index}"}, registry=registry, offline=True
            )
            if not (validator.is_valid(default.place.value) and _is_of_format(default)):
                yield default.place
    except ValueError:  # half of a surrogate pair, or a schema that is reported elsewhere
        return


def _is_of_format(default: Default) -> bool:
    format_, text = default.schema.get("format"), default.place.value
    if not isinstance(text, str) or not isinstance(format_, str) or format_ not in ALIASES:
        return True
    # The runtime is slow to import.
    from streamdb.formats import is_valid

    return is_valid(format_, text)
