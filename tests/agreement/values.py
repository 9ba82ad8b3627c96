"""Strategies of values, from the meaning that the compiler found in a spec.

They are valid as far as the generated type can tell: keywords that are beyond it are not looked
at.
"""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st
from tests.agreement.cases import Json
from tests.agreement.format_texts import TEXTS

from streamdb_gen import ir

_DEEPEST: Final = 4
"""From here on, whatever may be absent, null or empty is."""

_TEXTS: Final = st.text(max_size=4) | st.sampled_from(("", "a", "ab", "é", "e\u0301", "\U0001f600"))
_NAMES: Final = st.sampled_from(("a", "b", "c", "kind", "é", "extra", ""))
_ANYTHING: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | _TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
    max_leaves=3,
)

_SCALARS: Final[Mapping[str, st.SearchStrategy[Json]]] = {
    "any": _ANYTHING,
    "null": st.none(),
    "boolean": st.booleans(),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    "bytes": st.sampled_from(("", "AA==", "aGVsbG8=")),
}


def rows(spec: ir.Spec, collection: ir.Collection) -> st.SearchStrategy[Json]:
    """Rows of a collection, as JSON values."""
    return _Values(spec).of(collection.row)


class _Values:
    def __init__(self, spec: ir.Spec) -> None:
        self._types = {definition.name: definition for definition in spec.types}

    def _named(self, name: str) -> ir.TypeDefinition:
        # A name without a type is no affair of the values: the generated package will not import.
        return self._types.get(name, ir.AliasType(name, ir.Scalar("any")))

    def of(self, type_: ir.Type) -> st.SearchStrategy[Json]:
        @st.composite
        def value(draw: st.DrawFn) -> Json:
            return self._drawn(draw, type_, 0)

        return value()

    def _drawn(self, draw: st.DrawFn, type_: ir.Type, depth: int) -> Json:
        match type_:
            case ir.Scalar():
                return draw(_scalar(type_))
            case ir.Nullable(inner):
                is_null = depth > _DEEPEST or draw(st.integers(0, 3)) == 0
                return None if is_null else self._drawn(draw, inner, depth + 1)
            case ir.ArrayOf(item, constraints):
                length = _size(draw, constraints, depth)
                return [self._drawn(draw, item, depth + 1) for _ in range(length)]
            case ir.TupleOf(items):
                return [self._drawn(draw, item, depth + 1) for item in items]
            case ir.MapOf(inner, constraints):
                length = _size(draw, constraints, depth)
                keys = draw(st.lists(_NAMES, min_size=length, max_size=length, unique=True))
                return {key: self._drawn(draw, inner, depth + 1) for key in keys}
            case ir.Named(name):
                return self._defined(draw, self._named(name), depth)

    def _defined(self, draw: st.DrawFn, definition: ir.TypeDefinition, depth: int) -> Json:
        match definition:
            case ir.ObjectType():
                return self._object(draw, definition, depth)
            case ir.LiteralType(values=values):
                return draw(st.sampled_from(values))
            case ir.UnionType(members=members) | ir.ChoiceType(members=members):
                chosen = members[0] if depth > 2 * _DEEPEST else draw(st.sampled_from(members))
                return self._drawn(draw, chosen, depth + 1)
            case ir.AliasType(type=type_):
                return self._drawn(draw, type_, depth)

    def _object(self, draw: st.DrawFn, definition: ir.ObjectType, depth: int) -> Json:
        found: dict[str, Json] = {}
        if definition.tag is not None:
            found[definition.tag.wire_name] = definition.tag.value
        for field in definition.fields:
            if field.required or (depth <= _DEEPEST and draw(st.booleans())):
                found[field.wire_name] = self._drawn(draw, field.type, depth + 1)
        if definition.extras is not None and depth <= _DEEPEST and draw(st.booleans()):
            name = draw(_NAMES)
            found.setdefault(name, self._drawn(draw, definition.extras, depth + 1))
        return found


def _size(draw: st.DrawFn, constraints: ir.Constraints | None, depth: int) -> int:
    least = (constraints and constraints.min_length) or 0
    most = constraints.max_length if constraints else None
    most = min(least + 2, most if most is not None else least + 2)
    return least if depth > _DEEPEST else draw(st.integers(least, max(least, min(most, 7))))


def _scalar(type_: ir.Scalar) -> st.SearchStrategy[Json]:
    constraints = type_.constraints or ir.Constraints()
    match type_.kind:
        case "integer":
            return _integers(constraints)
        case "number":
            return _numbers(constraints)
        case "date-time" | "date" | "time" | "uuid":
            return st.sampled_from(TEXTS[type_.kind])
        case "string":
            return _strings(type_, constraints)
        case _:
            return _SCALARS[type_.kind]


def _strings(type_: ir.Scalar, constraints: ir.Constraints) -> st.SearchStrategy[Json]:
    if type_.format is not None:
        return st.sampled_from(TEXTS[type_.format])
    if constraints.pattern is not None:
        return _matching(constraints.pattern)
    least = constraints.min_length or 0
    most = constraints.max_length if constraints.max_length is not None else least + 4
    return st.text(min_size=least, max_size=max(least, most))


@cache  # what an expression can match takes long to find out
def _matching(pattern: str) -> st.SearchStrategy[Json]:
    return st.from_regex(pattern, alphabet=string.ascii_letters + string.digits)


def _integers(constraints: ir.Constraints) -> st.SearchStrategy[Json]:
    step = constraints.multiple_of or 1
    least, most = _bounds(constraints)
    low = -10 if least is None else math.ceil(least / step)
    high = max(low, low + 20 if most is None else math.floor(most / step))
    return st.integers(low, high).map(lambda value: value * step)


def _numbers(constraints: ir.Constraints) -> st.SearchStrategy[Json]:
    least, most = _bounds(constraints)
    low = -10.0 if least is None else float(least)
    high = max(low, low + 20 if most is None else float(most))
    return st.floats(low, high, allow_subnormal=False) | _integers(constraints)


def _bounds(constraints: ir.Constraints) -> tuple[Any, Any]:
    """The least and the most; exclusive bounds are let in, for the sides to refuse."""
    lows = [bound for bound in (constraints.ge, constraints.gt) if bound is not None]
    highs = [bound for bound in (constraints.le, constraints.lt) if bound is not None]
    return max(lows, default=None), min(highs, default=None)
