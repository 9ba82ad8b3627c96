"""The methods of `actions.py`: the effects of an action as statements.

Lint has seen to it that values and keys are there. Only a source of an update's field may be absent
from the input; the field is then left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from streamdb_gen.ir import (
    Action,
    AliasType,
    Constant,
    DeleteEffect,
    Effect,
    Field,
    InputPath,
    Named,
    ObjectType,
    Source,
    Spec,
    Type,
    UpdateEffect,
    WriteEffect,
)
from streamdb_gen.rendering.literals import lit
from streamdb_gen.rendering.marked import Code, code, ident, join
from streamdb_gen.targets.python.annotations import Annotations
from streamdb_gen.targets.python.contracts import contract_of

_STUB = (
    "A stub: a subclass says in `on_mutate` what shows at once, and in `persist` how it becomes "
    "durable."
)


@dataclass(frozen=True, slots=True)
class ActionView:
    """One method, or one stub."""

    name: str
    input: str
    stub: str | None
    documentation: str
    statements: tuple[Code, ...]


def action_views(spec: Spec, annotations: Annotations) -> tuple[ActionView, ...]:
    """The actions in the order of the spec."""
    effects = _Effects(spec, annotations)
    return tuple(_view(action, effects) for action in spec.actions)


def _view(action: Action, effects: _Effects) -> ActionView:
    description = (action.description or "").strip() or f"The action `{action.wire_name}`."
    return ActionView(
        name=action.name,
        input=action.input.name,
        stub=action.stub_class,
        documentation=f"{description}\n\n{_STUB}" if action.stub_class else description,
        statements=tuple(effects.statements(action)),
    )


def action_inputs(spec: Spec) -> Code | None:
    """What checks inputs, if there are any."""
    checks = [code("ActionInput({})", join(", ", _input(action))) for action in spec.actions]
    if not checks:
        return None
    return code("({},)" if len(checks) == 1 else "({})", join(", ", checks))


def _input(action: Action) -> Iterator[Code]:
    yield lit(action.name)
    yield ident(action.input.name)
    if action.beyond_type:
        yield contract_of(f"{action.pointer}/input", action.beyond_type)


class _Effects:
    """Writes effects as statements on ``self._db``; the input is ``data``."""

    def __init__(self, spec: Spec, annotations: Annotations) -> None:
        self._annotations = annotations
        self._types = {definition.name: definition for definition in spec.types}
        self._rows = {collection.name: collection.row.name for collection in spec.collections}
        self._updates = {c.name: c.update_class for c in spec.collections}

    def statements(self, action: Action) -> Iterator[Code]:
        for number, effect in enumerate(action.effects, start=1):
            yield from self._effect(
                effect, action, ident("fields" if number == 1 else f"fields{number}")
            )

    def _effect(self, effect: Effect, action: Action, fields: Code) -> Iterator[Code]:
        collection = code("self._db.{}", ident(effect.collection))
        match effect:
            case WriteEffect(operation):
                yield code("{}.{}({})", collection, ident(operation), self._row(effect))
            case DeleteEffect(key=key):
                yield code("{}.delete({})", collection, _read(key))
            case UpdateEffect():
                yield from self._update(effect, action, collection, fields)

    def _row(self, effect: WriteEffect) -> Code:
        """The row to write: the value itself, or one of the row's class made of its fields."""
        if effect.convert is None:
            return _read(effect.value)
        keywords = (code("{}={}", ident(name), _read(source)) for name, source in effect.convert)
        return code("{}({})", ident(self._rows[effect.collection]), join(", ", keywords))

    def _update(
        self, effect: UpdateEffect, action: Action, collection: Code, fields: Code
    ) -> Iterator[Code]:
        key = _read(effect.key)
        optional = {
            name: source
            for name, source in effect.set
            if isinstance(source, InputPath) and source.optional
        }
        certain = [(name, _value(source)) for name, source in effect.set if name not in optional]
        if not optional:
            keywords = (code("{}={}", ident(name), value) for name, value in certain)
            yield code("{}.update({})", collection, join(", ", [key, *keywords]))
            return
        items = join(", ", (code("{}: {}", lit(name), value) for name, value in certain))
        update = ident(self._updates[effect.collection])
        yield code("{}: {} = {{{}}}", fields, update, items)
        for name, source in optional.items():
            yield code("if {} is not {}:", _read(source), self._absent(source, action))
            yield code("    {}[{}] = {}", fields, lit(name), _read(source))
        call = code("{}.update({}, **{})", collection, key, fields)
        if certain:
            yield call
        else:
            yield code("if {}:", fields)
            yield code("    {}", call)

    def _absent(self, source: InputPath, action: Action) -> Code:
        """What an optional field of the input holds if it is absent."""
        type_: Type = action.input
        for name in source.path:
            type_ = self._field(type_, name).type
        return self._annotations.absent(type_)

    def _field(self, type_: Type, name: str) -> Field:
        definition = self._types[type_.name] if isinstance(type_, Named) else None
        if isinstance(definition, AliasType):
            return self._field(definition.type, name)
        if not isinstance(definition, ObjectType):
            raise TypeError(f"an effect reads {name!a} of {type_}")
        return next(field for field in definition.fields if field.name == name)


def _read(path: InputPath) -> Code:
    return join(".", [code("data"), *map(ident, path.path)])


def _value(source: Source) -> Code:
    return lit(json.loads(source.json)) if isinstance(source, Constant) else _read(source)
