"""Whether a row was written back with all that its type has a place for."""

from __future__ import annotations

from collections.abc import Mapping

from tests.agreement.cases import Json
from tests.agreement.wire import is_same

from streamdb_gen import ir

Types = Mapping[str, ir.TypeDefinition]


def has_all_that_is_declared(spec: ir.Spec, type_: ir.Type, read: Json, written: Json) -> bool:
    """Whether what was written lacks nothing but properties that a type does not declare."""
    types = {definition.name: definition for definition in spec.types}
    return _has_all(types, type_, read, written)


def _has_all(types: Types, type_: ir.Type, read: Json, written: Json) -> bool:
    match type_:
        case ir.Named(name):
            return _has_all_of(types, types[name], read, written)
        case ir.Nullable(inner) if read is not None:
            return _has_all(types, inner, read, written)
        case ir.ArrayOf(item) if isinstance(read, list) and isinstance(written, list):
            pairs = zip(read, written, strict=False)
            return len(read) == len(written) and all(_has_all(types, item, *p) for p in pairs)
        case ir.TupleOf(items) if isinstance(read, list) and isinstance(written, list):
            trios = zip(items, read, written, strict=False)
            return len(items) == len(read) == len(written) and all(
                _has_all(types, *trio) for trio in trios
            )
        case ir.MapOf(inner) if isinstance(read, dict) and isinstance(written, dict):
            return read.keys() == written.keys() and all(
                _has_all(types, inner, read[key], written[key]) for key in read
            )
        case _:
            return is_same(read, written)


def _has_all_of(types: Types, definition: ir.TypeDefinition, read: Json, written: Json) -> bool:
    match definition:
        case ir.ObjectType() if isinstance(read, dict) and isinstance(written, dict):
            declared: dict[str, ir.Type] = {f.wire_name: f.type for f in definition.fields}
            if definition.tag is not None:
                declared[definition.tag.wire_name] = ir.Scalar("any")
            if definition.extras is not None:
                declared = dict.fromkeys(read, definition.extras) | declared
            return written.keys() == read.keys() & declared.keys() and all(
                _has_all(types, declared[key], read[key], written[key]) for key in written
            )
        case ir.UnionType(members=members) | ir.ChoiceType(members=members):
            return any(_has_all(types, member, read, written) for member in members)
        case ir.AliasType(type=inner):
            return _has_all(types, inner, read, written)
        case _:
            return is_same(read, written)
