"""What is needed whole: objects whose undeclared properties decide what a schema around them says.

A class drops the properties that its schema does not declare. Another schema for the same value
may ask for them: then a row that was read could not be written back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from streamdb_gen.json_source import Place
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

_Pair = tuple[frozenset[Key], Key]


class Needs:
    """Finds them."""

    def __init__(self, context: Context, undeclared: UndeclaredProperties) -> None:
        self._context = context
        self._undeclared = undeclared

    def are_seen_by(self, beside: Sequence[Part], schema: Place) -> bool:
        """Whether schemas for the same value may ask for what the type of this one drops."""
        return next(self.of(beside, schema), None) is not None

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
            if any(word in each for each in words for word in _COMPARING):
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
