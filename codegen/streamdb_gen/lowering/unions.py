"""Unions: a value that is one of several things (`anyOf`, `oneOf`, several names in `type`)."""

from __future__ import annotations

from collections.abc import Sequence

from streamdb_gen.ir import (
    ANYTHING,
    AliasType,
    ChoiceType,
    Named,
    Nullable,
    Scalar,
    Tag,
    Type,
    UnionType,
)
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.definitions import BROKEN
from streamdb_gen.lowering.keywords import Keywords
from streamdb_gen.lowering.objects import ObjectLowering
from streamdb_gen.lowering.own_words import chosen_class_name, description
from streamdb_gen.lowering.references import is_null, or_null
from streamdb_gen.lowering.resources import Key, key_of
from streamdb_gen.lowering.scalars import as_literals, literal_places
from streamdb_gen.naming import nested_class_name as nested


class UnionLowering:
    """Compiles choices."""

    def __init__(self, context: Context, objects: ObjectLowering) -> None:
        self._context = context
        self._objects = objects

    def lower(
        self, schema: Place, keyword: str, keywords: Keywords, types: frozenset[str], name: str
    ) -> Type:
        """The choices of `anyOf` or `oneOf` that are of these types."""
        every = list(keywords[keyword].items())
        choices = [choice for choice in every if self._types(choice) & types]
        self._context.leave(keywords, keyword, "type")
        if keyword == "oneOf" and not self.exclude_each_other(choices):
            self._context.beyond.add("oneOf")
        for choice in choices:
            if self._context.references.is_reference(choice) and not self._types(choice) <= types:
                self._context.beyond.add("type")
        others = [choice for choice in choices if not is_null(choice)]
        if not choices:
            message = "none of these choices can ever occur"
            hint = "correct them, or the `type` beside them"
            self._context.report.add("SCHEMA_FALSE", keywords[keyword], message, hint, at_key=True)
            return BROKEN
        if not others:
            return Scalar("null")
        if len(others) == 1:
            lowered = self._only(schema, others[0], types, name)
        else:
            tags = [self._objects.tag_of(choice) for choice in others]
            members = [
                self._context.lower_inside(schema, choice, self._name(choice, name), types)
                for choice in others
            ]
            lowered = self.of_members(schema, members, tags, name)
        return or_null(lowered) if len(others) < len(choices) else lowered

    def _only(self, schema: Place, choice: Place, types: frozenset[str], name: str) -> Type:
        """The type of the one choice besides null, under the names that it has beside others."""
        own_name = self._name(choice, name)
        lowered = self._context.lower_inside(schema, choice, own_name, types)
        inner = lowered.inner if isinstance(lowered, Nullable) else lowered
        if inner != Named(own_name) or choice.get("x-streamdb-name") is not None:
            return lowered
        alias = AliasType(name, inner, description(schema), schema.pointer)
        self._context.add(alias, schema)
        return Nullable(Named(name)) if isinstance(lowered, Nullable) else Named(name)

    def of_members(
        self, schema: Place, members: Sequence[Type], tags: Sequence[Tag | None], name: str
    ) -> Type:
        """A value of one of several types; null is taken out of them."""
        if BROKEN in members:
            return BROKEN
        if ANYTHING in members:
            return ANYTHING
        plain = [one.inner if isinstance(one, Nullable) else one for one in members]
        nullable = any(isinstance(one, Nullable) for one in members) or Scalar("null") in members
        distinct = tuple(dict.fromkeys(one for one in plain if one != Scalar("null")))
        if not distinct:
            return Scalar("null")
        if len(distinct) == 1:
            return or_null(distinct[0]) if nullable else distinct[0]
        text = description(schema)
        named = tuple(one for one in distinct if isinstance(one, Named))
        if len(named) == len(members) and _tell_apart(tags):
            self._context.add(UnionType(name, named, text, schema.pointer), schema)
        else:
            self._context.add(ChoiceType(name, distinct, text, schema.pointer), schema)
        return Nullable(Named(name)) if nullable else Named(name)

    def _name(self, choice: Place, parent: str) -> str:
        """What an inline choice is called: by its position, which nothing inside it can change."""
        position = int(choice.pointer.rpartition("/")[2]) + 1
        return chosen_class_name(choice, nested(parent, f"Choice{position}"), self._context.report)

    def exclude_each_other(
        self, choices: Sequence[Place], tags: dict[Key, Tag | None] | None = None
    ) -> bool:
        """Whether it is certain that no value satisfies two of the choices.

        ``tags`` are those that were found before.
        """
        tags = tags if tags is not None else {}
        for choice in choices:
            if key_of(choice) not in tags:
                tags[key_of(choice)] = self._objects.tag_of(choice)
        if _tell_apart([tags[key_of(choice)] for choice in choices]):
            return True
        constants = [_constants(choice) for choice in choices]
        if all(constants):
            listed = [(type(value), value) for values in constants for value in values or ()]
            return len(set(listed)) == len(listed)
        seen: set[str] = set()
        for choice in choices:
            types = self._types(choice)
            if types & seen:
                return False
            seen |= types
        return True

    def _types(self, choice: Place) -> frozenset[str]:
        return self._context.references.types(choice)


def _tell_apart(tags: Sequence[Tag | None]) -> bool:
    """Whether all have the same tag property, with a different constant of one type in each."""
    found = [tag for tag in tags if tag is not None]
    names = {tag.wire_name for tag in found}
    values = {tag.value for tag in found}
    kinds = {type(tag.value) for tag in found}
    return len(found) == len(tags) == len(values) and len(names) == len(kinds) == 1


def _constants(choice: Place) -> tuple[str | int | bool | None, ...] | None:
    if choice.get("const") is None and choice.get("enum") is None:
        return None
    return as_literals(place.value for place in literal_places(dict(choice.members())))
