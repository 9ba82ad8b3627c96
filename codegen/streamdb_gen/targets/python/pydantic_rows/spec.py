"""What pydantic changes about a spec: the names that its models have taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from streamdb_gen.ir import (
    DeleteEffect,
    Effect,
    Field,
    InputPath,
    ObjectType,
    Source,
    Spec,
    TypeDefinition,
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


def for_pydantic(spec: Spec) -> Spec:
    """The same spec, with other names for the fields whose names are taken.

    No row is lax: our types for pydantic read exactly what the schema accepts.
    """
    return replace(
        spec,
        collections=tuple(
            replace(
                collection,
                primary_key=_field(collection.primary_key),
                lax=False,
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
