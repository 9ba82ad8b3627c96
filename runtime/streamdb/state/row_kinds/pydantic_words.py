"""The errors of pydantic in the words that msgspec has for the same faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from streamdb import formats
from streamdb.protocol import json_text
from streamdb.types.faults import NOT_ALLOWED, Misfit, pointer_to
from streamdb.types.preview import shortened

# The kinds of messages that quote no value.
_DISCREET: Final = frozenset(get_args(ErrorType)) - {
    "assertion_error",
    "literal_error",
    "union_tag_invalid",
    "value_error",
}
_KEY: Final = "[key]"  # pydantic's last step to the name of a property, instead of its value

_EXPECTED: Final[Mapping[str, str]] = {
    "bool_type": "bool",
    "dataclass_type": "object",
    "dict_type": "object",
    "float_type": "float",
    "frozen_set_type": "array",
    "int_from_float": "int",
    "int_type": "int",
    "list_type": "array",
    "mapping_type": "object",
    "model_attributes_type": "object",
    "model_type": "object",
    "none_required": "null",
    "set_type": "array",
    "string_type": "str",
    "tuple_type": "array",
}
_BOUNDS: Final[Mapping[str, str]] = {
    "greater_than": "> {gt}",
    "greater_than_equal": ">= {ge}",
    "less_than": "< {lt}",
    "less_than_equal": "<= {le}",
    "multiple_of": "that's a multiple of {multiple_of}",
    "string_pattern_mismatch": "matching regex {pattern!r}",
    "string_too_long": "of length <= {max_length}",
    "string_too_short": "of length >= {min_length}",
    "too_long": "of length <= {max_length}",
    "too_short": "of length >= {min_length}",
}
_FIXED: Final[Mapping[str, str]] = {
    "extra_forbidden": NOT_ALLOWED,
    "json_invalid": "nested too deeply",  # it is JSON, but the parser ends at some 200 levels
}


def misfit(error: ValidationError, plain: Any) -> Misfit:
    """Report the most specific error: the first of those whose place is furthest inside."""
    details = error.errors(include_url=False, include_input=False)
    places = [(*_way(detail["loc"], plain), detail) for detail in details]
    way, value, detail = max(places, key=lambda place: len(place[0]))
    reason, kind = _reason(detail, value), detail["type"]
    if detail["loc"][-1:] == (_KEY,):
        way, reason = way[:-1], f"{reason} as a key"
    private = reason if kind in _DISCREET else f"refused by the model ({kind})"
    if kind == "literal_error":
        private = "invalid enum value"
    return Misfit(reason, pointer_to(way), private=private)


def _reason(detail: ErrorDetails, value: Any) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _FIXED:
        return _FIXED[kind]
    if kind in _EXPECTED:
        return f"expected `{_EXPECTED[kind]}`, got `{_kind_of(value)}`"
    if kind in _BOUNDS:
        bound = _BOUNDS[kind].format_map(context)
        return formats.in_words(f"expected `{_kind_of(value)}` {bound}")
    if kind == "missing":
        return f"lacks the property `{detail['loc'][-1]}`"
    if kind == "literal_error":
        return f"invalid enum value {shortened(repr(value))}"
    message = detail["msg"]
    return message[:1].lower() + message[1:]


def _kind_of(value: Any) -> str:
    if json_text.is_object(value):
        return "object"
    if json_text.is_array(value):
        return "array"
    return "null" if value is None else type(value).__name__


def _way(location: Sequence[str | int], plain: Any) -> tuple[list[str | int], Any]:
    """Keep the steps that lead through the value; pydantic also names the forms of unions.

    Returns what they lead to as well; the name of a property, where that is at fault.
    """
    way: list[str | int] = []
    for step in location:
        items: Any = plain
        if json_text.is_object(plain):
            is_inside = step in plain
        else:
            is_inside = json_text.is_array(plain) and isinstance(step, int) and step < len(plain)
        if is_inside:
            way.append(step)
            plain = items[step]
    return way, way[-1] if location[-1:] == (_KEY,) and way else plain
