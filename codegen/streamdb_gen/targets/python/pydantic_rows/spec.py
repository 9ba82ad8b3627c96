"""What pydantic changes about a spec: names that its models have taken, and what is lax."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    DeleteEffect,
    Effect,
    Field,
    InputPath,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Source,
    Spec,
    TupleOf,
    Type,
    TypeDefinition,
    UnionType,
    UpdateEffect,
    WriteEffect,
)
from streamdb_gen.problems import Problem

# The public attributes of pydantic's models, and pydantic itself, which annotations name. A frozen
# list: names must not change with the version.
TAKEN: Final = frozenset(
    {
        "construct",
        "copy",
        "dict",
        "from_orm",
        "json",
        "model_computed_fields",
        "model_config",
        "model_construct",
        "model_copy",
        "model_dump",
        "model_dump_json",
        "model_extra",
        "model_fields",
        "model_fields_set",
        "model_json_schema",
        "model_parametrized_name",
        "model_post_init",
        "model_rebuild",
        "model_validate",
        "model_validate_json",
        "model_validate_strings",
        "parse_file",
        "parse_obj",
        "parse_raw",
        "pydantic",
        "schema",
        "schema_json",
        "update_forward_refs",
        "validate",
    }
)
# Of these pydantic reads more texts than the formats allow: `2026-01-02 03:04Z`, a number as text.
_LAX: Final = frozenset({"date-time", "date", "time", "uuid"})


def for_pydantic(spec: Spec) -> Spec:
    """The same spec, with other names for the fields whose names are taken."""
    lax = {definition.name for definition in spec.types if _is_lax(definition)}
    reached = _reached(spec.types)
    return replace(
        spec,
        collections=tuple(
            replace(
                collection,
                primary_key=_field(collection.primary_key),
                lax=collection.lax or not lax.isdisjoint(reached[collection.row.name]),
            )
            for collection in spec.collections
        ),
        actions=tuple(
            replace(action, effects=tuple(map(_effect, action.effects))) for action in spec.actions
        ),
        types=tuple(map(_definition, spec.types)),
    )


def name_problem(spec: Spec) -> Problem | None:
    """Say which two fields would have one name for pydantic, if there are such."""
    for definition in spec.types:
        if isinstance(definition, ObjectType):
            fields: dict[str, str] = {}
            for field in (definition.tag, *definition.fields):
                if field is None:
                    continue
                other = fields.setdefault(_name(field.name), field.wire_name)
                if other != field.wire_name:
                    return Problem(
                        f"{definition.name}: `{other}` and `{field.wire_name}` would both be "
                        f"called {_name(field.name)}, for pydantic's models use the shorter name",
                        "give one of them another name with `x-streamdb-name`",
                    )
    return None


def _definition(definition: TypeDefinition) -> TypeDefinition:
    if not isinstance(definition, ObjectType):
        return definition
    tag = definition.tag
    return replace(
        definition,
        fields=tuple(map(_field, definition.fields)),
        tag=replace(tag, name=_name(tag.name)) if tag else None,
    )


def _field(field: Field) -> Field:
    return replace(field, name=_name(field.name))


def _name(name: str) -> str:
    return f"{name}_" if name in TAKEN else name


def _effect(effect: Effect) -> Effect:
    match effect:
        case WriteEffect(value=value, convert=convert):
            pairs = convert and tuple((_name(name), _path(path)) for name, path in convert)
            return replace(effect, value=_path(value), convert=pairs)
        case UpdateEffect(key=key, set=pairs):
            renamed = tuple((_name(name), _source(source)) for name, source in pairs)
            return replace(effect, key=_path(key), set=renamed)
        case DeleteEffect(key=key):
            return replace(effect, key=_path(key))


def _source(source: Source) -> Source:
    return _path(source) if isinstance(source, InputPath) else source


def _path(path: InputPath) -> InputPath:
    return replace(path, path=tuple(map(_name, path.path)))


def _is_lax(definition: TypeDefinition) -> bool:
    """Whether pydantic reads more as this type than the schema accepts."""
    match definition:
        case LiteralType(values=values):
            return any(isinstance(value, int) for value in values)  # `true` for 1, and 1 for `true`
        case ObjectType(tag=tag):
            return tag is not None or _names_lax_scalar(definition)
        case _:
            return _names_lax_scalar(definition)


def _names_lax_scalar(definition: TypeDefinition) -> bool:
    return any(isinstance(t, Scalar) and t.kind in _LAX for t in _types_in(definition))


def _reached(types: tuple[TypeDefinition, ...]) -> dict[str, set[str]]:
    """The definitions that each one consists of, itself included."""
    needs = {t.name: {n.name for n in _types_in(t) if isinstance(n, Named)} for t in types}
    reached: dict[str, set[str]] = {}
    for name in needs:
        found, ahead = {name}, [name]
        while ahead:
            new = needs[ahead.pop()] - found
            found |= new
            ahead += new
        reached[name] = found
    return reached


def _types_in(definition: TypeDefinition) -> Iterator[Type]:
    for type_ in _outermost(definition):
        yield from _inside(type_)


def _outermost(definition: TypeDefinition) -> Iterable[Type]:
    match definition:
        case ObjectType(fields=fields, extras=extras):
            return [*(field.type for field in fields), *([extras] if extras else [])]
        case UnionType(members=members) | ChoiceType(members=members):
            return members
        case AliasType(type=type_):
            return [type_]
        case LiteralType():
            return []


def _inside(type_: Type) -> Iterator[Type]:
    yield type_
    match type_:
        case ArrayOf(inner) | MapOf(inner) | Nullable(inner):
            yield from _inside(inner)
        case TupleOf(items):
            for item in items:
                yield from _inside(item)
        case Scalar() | Named():
            return
