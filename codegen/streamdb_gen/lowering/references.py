"""What a reference means: the target's name, and null or not.

A name stands for what a target is besides null; a reference to a target that accepts null is the
name or null. A target that is only a reference, anything at all, or null, is looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Final

from streamdb_gen.ir import ANYTHING, Named, Nullable, Scalar, Type
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.definitions import BROKEN
from streamdb_gen.lowering.keywords import ASSERTIONS, TYPES, declared_types
from streamdb_gen.lowering.resources import Key, Resources, key_of
from streamdb_gen.lowering.scalars import types_of
from streamdb_gen.reporting import Report

# By these alone a schema says which types its values are of.
_TYPE_WORDS: Final = ("type", "const", "enum")


@dataclass(frozen=True, slots=True)
class Target:
    """A schema with a name: an entry of `$defs`, a row, an input, or what else is referred to."""

    place: Place
    name: str

    @property
    def key(self) -> Key:
        """What identifies it."""
        return key_of(self.place)


class References:
    """Follows references.

    ``target_of`` gives a schema that is referred to its name. References of ``spelt`` stand for
    types of their own.
    """

    def __init__(
        self,
        resources: Resources,
        target_of: Callable[[Place], Target],
        spelt: Set[Key],
        report: Report,
    ) -> None:
        self._resources = resources
        self._target_of = target_of
        self._spelt = spelt
        self._report = report
        self._meanings: dict[Key, tuple[Type, Target | None]] = {}
        self._types: dict[Key, frozenset[str]] = {}

    def resolve(self, schema: Place) -> Place | None:
        """The schema that the `$ref` of another one leads to; reports one that leads nowhere."""
        return self._resources.resolve(schema)

    def meaning(self, place: Place) -> tuple[Type, Target | None]:
        """The type that a reference to a schema stands for, and the target that it names."""
        path: dict[Key, bool] = {}  # what was looked through, and whether it may be null
        found: tuple[Type, Target | None] | None = None
        while found is None:
            key = key_of(place)
            if key in self._meanings:
                found = self._meanings[key]
                break
            if key in path:
                found = BROKEN, None  # a circle, which is reported
                break
            inner, has_null = _sole_choice(place)
            path[key] = has_null
            if not self.is_reference(inner) or key_of(inner) in self._spelt:
                found = self._named(place, inner)
                break
            following = self.resolve(inner)
            if following is None:
                found = BROKEN, None
            else:
                place = following
        meaning, target = found
        for key, has_null in reversed(path.items()):
            meaning = or_null(meaning) if has_null else meaning
            self._meanings[key] = meaning, target
        return meaning, target

    def name_of(self, place: Place) -> str:
        """What a schema is called."""
        return self._target_of(place).name

    def types(self, schema: Place) -> frozenset[str]:
        """The types of JSON Schema that values of a schema may be of; perhaps some more.

        What a schema is made of is looked at before it, in a loop: chains of references may be
        long. Where a schema is part of itself, nothing is known of that part.
        """
        started: set[Key] = set()
        pending = [schema]
        while pending:
            place = pending[-1]
            key = key_of(place)
            if key in self._types:
                pending.pop()
            elif key in started:
                self._types[key] = self._of_keywords(place)
            else:
                started.add(key)
                pending += [part for part in self._parts(place) if key_of(part) not in started]
        return self._types[key_of(schema)]

    def _named(self, place: Place, inner: Place) -> tuple[Type, Target | None]:
        types = self.types(inner)
        if accepts_anything(inner):
            return ANYTHING, None
        if is_null(inner):
            return Scalar("null"), None
        target = self._target_of(place)
        if types == frozenset({"null"}):
            return Scalar("null"), target
        named = Named(target.name)
        return (or_null(named) if "null" in types else named), target

    def _parts(self, schema: Place) -> Iterator[Place]:
        """The schemas that say of which types the values of another one are."""
        target = self.resolve(schema)
        if target is not None:
            yield target
        if not self._resources.ignores_siblings(schema):
            for keyword in ("allOf", "anyOf", "oneOf"):
                yield from _items(schema.get(keyword))

    def _of_keywords(self, schema: Place) -> frozenset[str]:
        if isinstance(schema.value, bool):
            return TYPES if schema.value else frozenset()
        types = TYPES
        if schema.get("$ref") is not None:
            target = self.resolve(schema)
            types = self._known(target) if target is not None else TYPES
            if self._resources.ignores_siblings(schema):
                return types
        types = types.intersection(*(_types_said_by(word, schema) for word in _TYPE_WORDS))
        types = types.intersection(*map(self._known, _items(schema.get("allOf"))))
        for keyword in ("anyOf", "oneOf"):
            choices = _items(schema.get(keyword))
            if choices:
                types &= frozenset[str]().union(*map(self._known, choices))
        return types

    def _known(self, schema: Place) -> frozenset[str]:
        return self._types.get(key_of(schema), TYPES)

    def is_reference(self, schema: Place) -> bool:
        """Whether a schema is nothing but a reference."""
        return self._resources.ignores_siblings(schema) or _constraining(schema) == ["$ref"]


def accepts_anything(schema: Place) -> bool:
    """Whether a schema (`true`, or only annotations) constrains nothing."""
    return schema.value is True or (
        isinstance(schema.value, dict) and not any(key in ASSERTIONS for key, _ in schema.members())
    )


def is_null(schema: Place) -> bool:
    """Whether a schema accepts null and nothing else."""
    words = _constraining(schema)
    if not words or not set(words) <= set(_TYPE_WORDS):
        return False
    return TYPES.intersection(*(_types_said_by(word, schema) for word in words)) == frozenset(
        {"null"}
    )


def or_null(type_: Type) -> Type:
    """The type or null, where that is not the type itself."""
    accepts_null: Final = type_ == BROKEN or isinstance(type_, Nullable)
    if accepts_null or (isinstance(type_, Scalar) and type_.kind in ("any", "null")):
        return type_
    return Nullable(type_)


def _sole_choice(schema: Place) -> tuple[Place, bool]:
    """The one choice of `anyOf` besides null, and whether null is another one.

    `oneOf` is not looked through, for it says something more: that no other choice accepts a value.
    """
    if _constraining(schema) == ["anyOf"]:
        choices = _items(schema.get("anyOf"))
        rest = [choice for choice in choices if not is_null(choice)]
        if len(rest) == 1:
            inner, has_null = _sole_choice(rest[0])
            return inner, has_null or len(rest) < len(choices)
    return schema, False


def _constraining(schema: Place) -> list[str]:
    return [key for key, _ in schema.members() if key in ASSERTIONS]


def _types_said_by(word: str, schema: Place) -> frozenset[str]:
    """The types of the values that `type`, `const` or `enum` allows."""
    place = schema.get(word)
    if word == "type" or place is None:
        return declared_types(place)
    values = [place] if word == "const" else list(place.items())
    return frozenset[str]().union(*(types_of(one.value) for one in values))


def _items(place: Place | None) -> list[Place]:
    return [p for p in place.items() if isinstance(p.value, dict | bool)] if place else []
