"""The two reference validators, on the schema as its author wrote it.

They know the draft by `$schema`. `format` is asserted, by the project's own grammar and for its
formats alone: that is what the project promises, and what differs most between validators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import jsonschema
import jsonschema.validators
import jsonschema_rs
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from tests.agreement.cases import DRAFT_2020_12, Json, Original
from tests.agreement.python_patterns import with_python_patterns

from streamdb import formats


class JsonSchemaOracle:
    """`jsonschema`, in Python."""

    def __init__(self, original: Original) -> None:
        translated = with_python_patterns(original.documents)
        registry: Registry[Any] = Registry().with_resources(
            (address, Resource.from_contents(document, default_specification=DRAFT202012))
            for address, document in translated.items()
        )
        schema = _schema(replace(original, documents=translated))
        validator = jsonschema.validators.extend(
            jsonschema.validators.validator_for(schema), {"multipleOf": _multiple_of}
        )
        self._validator = validator(schema, registry=registry, format_checker=_format_checker())

    def accepts(self, value: Json) -> bool:
        return bool(self._validator.is_valid(value))


class RustOracle:
    """`jsonschema-rs`, in Rust."""

    def __init__(self, original: Original) -> None:
        resources = list(original.documents.items())
        self._validator = jsonschema_rs.validator_for(
            _schema(original),
            formats={
                "regex": lambda _: True,  # which it would check of its own accord
                **{name: partial(formats.is_valid, name) for name in formats.PATTERNS},
            },
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


def _multiple_of(
    _validator: Any, step: float, value: Json, _schema: Json
) -> Iterator[jsonschema.ValidationError]:
    """What `jsonschema` itself checks in floating point, where 0.3 is no multiple of 0.1."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and Fraction(str(value)) % Fraction(str(step)) != 0:
        yield jsonschema.ValidationError(f"{value} is not a multiple of {step}")


def _format_checker() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(formats=())
    for name in formats.PATTERNS:
        checker.checks(name)(_of_text(name))
    return checker


def _of_text(name: str) -> Callable[[Json], bool]:
    return lambda value: not isinstance(value, str) or formats.is_valid(name, value)
