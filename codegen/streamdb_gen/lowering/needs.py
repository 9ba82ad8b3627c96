"""What is needed whole: objects whose undeclared properties decide what a schema around them says.

A class drops the properties that its schema does not declare. Another schema for the same value
may ask for them: then a row that was read could not be written back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from streamdb_gen.json_source import JsonValue, Place
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.joints import joined_parts
from streamdb_gen.lowering.keywords import Keywords, constraining, subschemas
from streamdb_gen.lowering.parts import Part, declared_properties
from streamdb_gen.lowering.resources import Key, key_of
from streamdb_gen.lowering.undeclared import (
    UndeclaredProperties,
    applied_by,
    may_ask_for_others,
    names_of,
)

_ITEMS: Final = ("items", "prefixItems", "additionalItems", "contains", "unevaluatedItems")
_OTHERS: Final = ("additionalProperties", "patternProperties", "unevaluatedProperties")
_CHOICES: Final = ("anyOf", "oneOf")
# What compares a value as a whole.
_COMPARING: Final = ("const", "enum", "uniqueItems")
_RESIDUAL: Final = ("not", "if", "then", "else", "dependentSchemas", "dependencies", "contains")
_SHAPES: Final = frozenset({"properties", "items", "prefixItems", *_OTHERS})

Exclude = Callable[[Sequence[Place]], bool]
_Pair = tuple[frozenset[Key], Key]


class Needs:
    """Finds them."""

    def __init__(self, context: Context, undeclared: UndeclaredProperties) -> None:
        self._context = context
        self._undeclared = undeclared

    def are_seen_by(self, beside: Sequence[Part], schema: Place) -> bool:
        """Whether schemas for the same value may ask for what the type of this one drops."""
        return next(self.of(beside, schema), None) is not None

    def keep_whole(self, schemas: Iterable[Place], exclude_each_other: Exclude) -> None:
        """Have classes keep what keywords that are left to a validator may ask for.

        ``exclude_each_other`` says of choices whether no value satisfies two of them.
        """
        found: set[Key] = set()
        for schema in schemas:
            if not isinstance(schema.value, dict):
                continue
            parts = self._parts([schema])
            own = {key_of(schema), *(key_of(part.schema) for part in parts)}
            beside = [part for part in map(_residual, parts) if part.keywords]
            found.update(key for one in self.of(beside, schema) if (key := key_of(one)) not in own)
            found.update(key_of(one) for one in self._beside_choices(parts))
            one_of = self._context.keywords(schema).get("oneOf")
            choices = list(one_of.items()) if one_of is not None else []
            if choices and not exclude_each_other(choices):
                found.update(map(key_of, self._of_choices(choices, exclude_each_other)))
        self._context.whole.update(found)

    def _beside_choices(self, parts: Sequence[Part]) -> Iterator[Place]:
        """The choices that what stands beside them asks for more of."""
        if any(_SHAPES & part.keywords.keys() for part in parts):
            return  # they are no types then
        beside = [
            Part(part.schema, {w: p for w, p in part.keywords.items() if w not in _CHOICES})
            for part in parts
        ]
        for part in parts:
            for choice in _schemas(_CHOICES, part.keywords):
                yield from self.of([one for one in beside if one.keywords], choice)

    def _of_choices(self, choices: Sequence[Place], exclude_each_other: Exclude) -> Iterator[Place]:
        """Those that are needed whole, lest another choice accepts what is left of a value."""
        joined = [self._parts([choice]) for choice in choices]
        required = [{name for part in parts for name, _ in part.required} for parts in joined]
        for choice, parts in zip(choices, joined, strict=True):
            names = names_of(parts)
            for other, others, needed in zip(choices, joined, required, strict=True):
                # What a class has no place for, another choice will miss.
                if other is choice or not needed <= names:
                    continue
                if not exclude_each_other([choice, other]):
                    yield from self.of(others, choice)

    def of(self, beside: Sequence[Part], schema: Place) -> Iterator[Place]:
        """The schemas, in this one and those it leads to, of whose values others ask for more."""
        passed: set[_Pair] = set()
        pending = [(list(beside), schema)]
        while pending:
            others, place = pending.pop()
            pair = frozenset(key_of(part.schema) for part in others), key_of(place)
            if not others or (pair in passed and others != beside):
                continue
            passed.add(pair)
            parts = self._parts([place])
            words = self._words(others)
            compared = (each[word].value for each in words for word in _COMPARING if word in each)
            if any(map(_compares_inside, compared)):
                yield from self._classes(place)
            if any(_is_class(part) for part in parts) and not self._undeclared.are_kept(
                place, parts
            ):
                names = names_of(parts)
                if any(
                    may_ask_for_others(each, names) or _declares(each) - names for each in words
                ):
                    yield from (part.schema for part in parts)
            pending += self._inside(words, parts)
            for part in parts:
                for keyword in _CHOICES:
                    choices = part.keywords[keyword].items() if keyword in part.keywords else ()
                    pending += [(others, choice) for choice in choices]

    def _inside(
        self, words: Iterable[Keywords], parts: Sequence[Part]
    ) -> Iterator[tuple[list[Part], Place]]:
        """What others say of the properties and items, with the schemas that are given for them."""
        declared = declared_properties(parts)
        rest = [one for part in parts for one in _schemas(_OTHERS, part.keywords)]
        items = [one for part in parts for one in _schemas(_ITEMS[:3], part.keywords)]
        for each in words:
            properties = each.get("properties")
            for name, said in properties.members() if properties is not None else ():
                for place in declared.get(name, rest):
                    yield self._parts([said]), place
            for said in _schemas(_OTHERS, each):
                for place in (*(one for all_ in declared.values() for one in all_), *rest):
                    yield self._parts([said]), place
            for said in _schemas(_ITEMS, each):
                for place in items:
                    yield self._parts([said]), place

    def _classes(self, schema: Place) -> Iterator[Place]:
        """All schemas inside another one, and those referred to, that become classes."""
        passed: set[Key] = set()
        pending = [schema]
        while pending:
            place = pending.pop()
            if key_of(place) in passed or not isinstance(place.value, dict):
                continue
            passed.add(key_of(place))
            parts = [Part(place, self._context.keywords(place))]
            if _is_class(parts[0]) and not self._undeclared.are_kept(place, parts):
                yield place
            target = self._context.references.resolve(place)
            pending += [*subschemas(place), *([target] if target is not None else [])]

    def _words(self, parts: Sequence[Part]) -> list[Keywords]:
        """The keywords of parts, and of all that they apply to the same value."""
        applied = (one for inner in applied_by(parts) for one in self._context.applied(inner))
        return [
            *(part.keywords for part in parts),
            *(
                self._context.keywords(one)
                for one in applied
                if isinstance(one.value, dict) and not _only_forbids(one)
            ),
        ]

    def _parts(self, schemas: Iterable[Place]) -> list[Part]:
        return list(joined_parts(schemas, self._context, refers=False))


def _residual(part: Part) -> Part:
    """A part with those of its keywords that no type honours."""
    words = {word: place for word, place in part.keywords.items() if word in _RESIDUAL}
    if _SHAPES & part.keywords.keys():  # the choices are no types then
        words |= {word: part.keywords[word] for word in _CHOICES if word in part.keywords}
    words |= {
        word: part.keywords[word]
        for word in _COMPARING
        if word in part.keywords and _compares_inside(part.keywords[word].value)
    }
    return Part(part.schema, words)


def _compares_inside(value: JsonValue) -> bool:
    """Whether `uniqueItems`, or the constants of `const` and `enum`, concern objects or arrays."""
    if isinstance(value, list):
        return any(isinstance(one, dict | list) for one in value)
    return value is True or isinstance(value, dict)


def _only_forbids(schema: Place) -> bool:
    """Whether it is the schema of a `not` that no value meets for lack of a property."""
    is_negated = schema.pointer.endswith("/not")
    return is_negated and constraining(dict(schema.members())) == ["required"]


def _is_class(part: Part) -> bool:
    return "properties" in part.keywords


def _declares(keywords: Keywords) -> set[str]:
    properties = keywords.get("properties")
    return {name for name, _ in properties.members()} if properties is not None else set()


def _schemas(words: Sequence[str], keywords: Keywords) -> Iterator[Place]:
    """The schemas that these keywords hold."""
    for word in words:
        place = keywords.get(word)
        if place is None:
            continue
        if isinstance(place.value, list):
            yield from place.items()
        elif word == "patternProperties":
            yield from (inner for _, inner in place.members())
        else:
            yield place
