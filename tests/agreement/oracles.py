"""The two reference validators, on the schema as its author wrote it.

They know the draft by `$schema`. `format` is asserted, by the project's own grammar and for its
formats alone: that is what the project promises, and what differs most between validators.
"""

from __future__ import annotations

import re
from typing import Any, Final

import jsonschema
import jsonschema.validators
import jsonschema_rs
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from tests.agreement.cases import DRAFT_2020_12, Json, Original

from streamdb.formats import PATTERNS

_FORMATS: Final = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}


class JsonSchemaOracle:
    """`jsonschema`, in Python."""

    def __init__(self, original: Original) -> None:
        registry: Registry[Any] = Registry().with_resources(
            (address, Resource.from_contents(document, default_specification=DRAFT202012))
            for address, document in original.documents.items()
        )
        schema = _schema(original)
        validator = jsonschema.validators.validator_for(schema)
        self._validator = validator(schema, registry=registry, format_checker=_format_checker())

    def accepts(self, value: Json) -> bool:
        return bool(self._validator.is_valid(value))


class RustOracle:
    """`jsonschema-rs`, in Rust."""

    def __init__(self, original: Original) -> None:
        resources = list(original.documents.items())
        self._validator = jsonschema_rs.validator_for(
            _schema(original),
            formats={name: _matcher(pattern) for name, pattern in _FORMATS.items()},
            validate_formats=True,
            registry=jsonschema_rs.Registry(resources),
            offline=True,
        )

    def accepts(self, value: Json) -> bool:
        return self._validator.is_valid(value)


def _schema(original: Original) -> dict[str, Json]:
    """The schema itself, or a document that does no more than refer to it."""
    whole: dict[str, Json] | None = original.documents.get(original.reference)
    return whole or {"$schema": DRAFT_2020_12, "$ref": original.reference}


def _matcher(pattern: re.Pattern[str]) -> Any:
    return lambda text: pattern.fullmatch(text) is not None


def _format_checker() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(formats=())
    for name, pattern in _FORMATS.items():
        checker.checks(name)(_checked(pattern))
    return checker


def _checked(pattern: re.Pattern[str]) -> Any:
    return lambda value: not isinstance(value, str) or pattern.fullmatch(value) is not None
