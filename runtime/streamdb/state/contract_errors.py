"""What is wrong with a value by its JSON Schema: which error is reported, and in which words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from streamdb.errors import ContractBroken
from streamdb.types.faults import pointer_to
from streamdb.types.preview import preview

if TYPE_CHECKING:
    import jsonschema_rs

_MOST_ERRORS: Final = 100  # looked at for the one to report


def what_is_broken(validator: jsonschema_rs.Validator, value: Any) -> ContractBroken | None:
    """Return why a value breaks a schema, None if it does not."""
    if validator.is_valid(value):
        return None
    return _broken(_deepest(islice(validator.iter_errors(value), _MOST_ERRORS)))


def _deepest(errors: Iterable[jsonschema_rs.ValidationError]) -> jsonschema_rs.ValidationError:
    """Return the most specific error: the first of those whose place is furthest inside."""
    return max(map(_inside, errors), key=lambda error: len(error.instance_path))


def _inside(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Look into the branches of an `anyOf` or `oneOf` for what is wrong in the likeliest one."""
    context: list[list[jsonschema_rs.ValidationError]] = getattr(error.kind, "context", [])
    branches = [branch for branch in context if branch]
    if not branches:
        return error
    likeliest = min(branches, key=lambda branch: _unlikeliness(branch, error))
    inner = _deepest(likeliest)
    return inner if len(inner.instance_path) > len(error.instance_path) else error


def _unlikeliness(
    branch: Sequence[jsonschema_rs.ValidationError], error: jsonschema_rs.ValidationError
) -> tuple[int, int, int]:
    """Rank a branch: is it for values of this kind, do its constants agree, how much is wrong?"""
    here = [inner for inner in branch if len(inner.instance_path) == len(error.instance_path)]
    constants = [inner for inner in branch if inner.kind.name in ("const", "enum")]
    return len(here), len(constants), len(branch)


def _broken(error: jsonschema_rs.ValidationError) -> ContractBroken:
    kind, steps = error.kind, list(error.instance_path)
    if kind.name == "propertyNames":
        inner = kind.as_dict()["error"]
        reason = f"has a property whose name {_reason(inner.kind)}"
    else:
        reason = _reason(kind)
    value: Any = error.instance
    if kind.name in ("additionalProperties", "unevaluatedProperties"):
        name = kind.as_dict()["unexpected"][0]
        steps.append(name)
        value = value[name]
    pointer = pointer_to(steps)
    return ContractBroken(
        f"{reason} ({kind.name})",
        pointer=pointer,
        keyword=kind.name,
        found=preview(value, pointer),
    )


_REASONS: Final[Mapping[str, str]] = {
    "additionalItems": "must have at most {limit} items",
    "additionalProperties": "is no property that is allowed here",
    "anyOf": "fits none of the schemas that it may fit",
    "const": "must be {expected_value}",
    "contains": "does not contain what it must contain",
    "enum": "must be one of {options}",
    "exclusiveMaximum": "must be less than {limit}",
    "exclusiveMinimum": "must be greater than {limit}",
    "falseSchema": "stands where nothing is allowed",
    "format": "must be of the format {format}",
    "maximum": "must be at most {limit}",
    "maxItems": "must have at most {limit} items",
    "maxLength": "must have at most {limit} characters",
    "maxProperties": "must have at most {limit} properties",
    "minimum": "must be at least {limit}",
    "minItems": "must have at least {limit} items",
    "minLength": "must have at least {limit} characters",
    "minProperties": "must have at least {limit} properties",
    "multipleOf": "must be a multiple of {multiple_of}",
    "not": "fits a schema that it must not fit",
    "oneOf": "must fit exactly one of the schemas",
    "pattern": "must match {pattern}",
    "required": "lacks the property {property}",
    "type": "must be of the type {types}",
    "unevaluatedItems": "has an item that is not allowed",
    "unevaluatedProperties": "is no property that is allowed here",
    "uniqueItems": "must not hold an item twice",
}


def _reason(kind: jsonschema_rs.ValidationErrorKind) -> str:
    template = _REASONS.get(kind.name)
    if template is None:
        return "breaks the schema"
    said = kind.as_dict()
    if len(said.get("types", ())) == 1:
        said["types"] = said["types"][0]
    return template.format_map({name: _shown(value) for name, value in said.items()})


def _shown(value: Any) -> str:
    """Write what the schema says as JSON, in short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else text[:100] + "…"
