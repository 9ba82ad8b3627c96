"""What is needed whole: objects whose undeclared properties decide what a schema around them says.

A class drops the properties that its schema does not declare. Another schema for the same value
may ask for them: then a row that was read could not be written back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from streamdb_gen.json_source import JsonValue, Place, parent_pointer
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.joints import DEEPEST_JOINT, JOINING, MAX_JOINTS, MAX_PARTS, joined_parts
from streamdb_gen.lowering.keywords import Keywords, constraining, subschemas
from streamdb_gen.lowering.parts import Part, declared_properties, shapes
from streamdb_gen.lowering.resources import Key, key_of
from streamdb_gen.lowering.undeclared import (
    UndeclaredProperties,
    applied_by,
    may_ask_for_others,
    names_of,
)

_OF_ITEMS: Final = ("items", "prefixItems", "additionalItems")
_ITEMS: Final = (*_OF_ITEMS, "contains", "unevaluatedItems")
_OTHERS: Final = ("additionalProperties", "patternProperties", "unevaluatedProperties")
_REST: Final = ("additionalProperties", "unevaluatedProperties")
_CHOICES: Final = ("anyOf", "oneOf")
_OBJECT: Final = frozenset({"object"})
# What compares a value as a whole.
_COMPARING: Final = ("const", "enum", "uniqueItems")
_RESIDUAL: Final = ("not", "if", "then", "else", "dependentSchemas", "dependencies", "contains")
# By these a schema may say more of a value than the type that is made of it by itself.
_SAYING_MORE: Final = frozenset({*JOINING, *_CHOICES, *_COMPARING, *_RESIDUAL, "patternProperties"})
# What says something of a property that a class may drop, or of a value that may hold one.
_ASKING: Final = frozenset(
    {
        *("properties", "required", "minProperties", "maxProperties", "propertyNames"),
        *("dependentRequired", "dependentSchemas", "dependencies"),
        *_OTHERS,
        *_ITEMS,
        *_COMPARING,
    }
)
# Where more would have to be looked at, all classes keep everything.
_MOST_LOOKED_AT: Final = 100_000
# Of more it is not asked whether they exclude each other.
_MOST_CHOICES: Final = 500
_SHAPES: Final = frozenset({"properties", "items", "prefixItems", *_OTHERS})

Exclude = Callable[[Sequence[Place]], bool]
_Asked = tuple[list[Part], Place]  # what is said beside a schema of the same value
_Pair = tuple[frozenset[tuple[Key, frozenset[str]]], Key]


class Needs:
    """Finds them."""

    def __init__(self, context: Context, undeclared: UndeclaredProperties) -> None:
        self._context = context
        self._undeclared = undeclared
        self._known_parts: dict[tuple[Key, ...], list[Part]] = {}
        self._known_ends: dict[Key, Place] = {}  # of chains of references
        self._looked_at = 0  # schemas, once for every way to each

    def are_seen_by(self, beside: Sequence[Part], schema: Place) -> bool:
        """Whether schemas for the same value may ask for what the type of this one drops."""
        return next(self.of(beside, schema), None) is not None

    def keep_whole(self, schemas: Iterable[Place], exclude_each_other: Exclude) -> None:
        """Have classes keep what other schemas for the same value may ask for.

        ``exclude_each_other`` says of choices whether no value satisfies two of them.
        """
        every = [schema for schema in schemas if isinstance(schema.value, dict)]
        passed: set[_Pair] = set()
        found: set[Key] = set()
        for asked in self._asked(every, exclude_each_other):
            found.update(key_of(one) for one in self._all([asked], passed))
            if self._has_enough():
                break
        for group in self._joined(every):
            if self._has_enough():
                break
            words = self._words(self._residual(self._parts(group)))
            if _are_compared(words):
                found.update(key_of(one) for schema in group for one in self._classes(schema))
        if self._has_enough():
            found.update(map(key_of, every))
        self._context.whole.update(found)

    def of(self, beside: Sequence[Part], schema: Place) -> Iterator[Place]:
        """The schemas, in this one and those it leads to, of whose values others ask for more."""
        self._looked_at = 0
        yield from self._all([([*map(_asking, beside)], schema)], set())

    def _joined(self, schemas: Iterable[Place]) -> Iterator[list[Place]]:
        """Each schema, and those of which one class is made because they are for one property.

        Schemas that say nothing more are passed over.
        """
        several: set[frozenset[Key]] = set()
        for schema in schemas:
            if _SAYING_MORE.isdisjoint(self._context.keywords(schema)):
                continue
            pending = [([schema], 0)]
            while pending:
                group, depth = pending.pop()
                yield group
                for places in declared_properties(self._parts(group)).values():
                    keys = frozenset(map(key_of, places))
                    is_known = len(keys) == 1 or keys in several
                    if not is_known and depth < DEEPEST_JOINT and len(several) < MAX_JOINTS:
                        several.add(keys)
                        pending.append((places, depth + 1))

    def _has_enough(self) -> bool:
        return self._looked_at > _MOST_LOOKED_AT

    def _asked(self, schemas: Sequence[Place], exclude_each_other: Exclude) -> Iterator[_Asked]:
        """All that is said beside the schemas that types are made of."""
        for schema in schemas:
            for keyword in _CHOICES:
                choices = list(_schemas([keyword], self._context.keywords(schema)))
                if self._has_enough():
                    return
                if choices and not exclude_each_other(choices):
                    yield from self._between_choices(keyword, choices, exclude_each_other)
        for group in self._joined(schemas):
            parts = self._parts(group)
            beside = self._residual(parts)
            yield from self._inside(self._words(beside), parts)
            yield from _choices(beside, parts)
            yield from self._between(parts)
            types = [self._context.references.types(schema) for schema in group]
            if types[0].intersection(*types) - {"null"} != _OBJECT:
                # Objects among other values are of a class that is made of one of the parts.
                yield from ((beside, part.schema) for part in parts)
            if not _are_shaped(parts) or not any("type" in part.keywords for part in parts):
                yield from _beside_choices(parts)

    def _between_choices(
        self, keyword: str, choices: Sequence[Place], exclude_each_other: Exclude
    ) -> Iterator[_Asked]:
        """Choices, with others that a value may satisfy as well.

        By `oneOf` it must not, and no other one may accept what is left of a value either.
        """
        are_few = len(choices) <= _MOST_CHOICES
        joined = [self._parts([choice]) for choice in choices]
        ask = [any(_ASKING & each.keys() for each in self._words(parts)) for parts in joined]
        required = [{name for part in parts for name, _ in part.required} for parts in joined]
        for choice, parts in zip(choices, joined, strict=True):
            names = names_of(parts)
            for other, others, asks, needed in zip(choices, joined, ask, required, strict=True):
                # What a class has no place for, another choice will miss.
                misses = keyword == "oneOf" and not needed <= names
                if other is choice or misses or not asks:
                    continue
                if not (are_few and exclude_each_other([choice, other])):
                    yield others, choice

    def _between(self, parts: Sequence[Part]) -> Iterator[_Asked]:
        """Schemas for properties and items, with those that are given for the same ones.

        Several that `properties` gives are not among them: one type is made of those.
        """
        if len(parts) > MAX_PARTS:
            return  # they are refused
        for part in parts:
            by_pattern = list(_schemas(["patternProperties"], part.keywords))
            rest = list(_schemas(_REST, part.keywords))
            items = list(_schemas(_OF_ITEMS, part.keywords))
            for other in parts:
                # What a schema itself declares is none of the rest, nor are its items.
                said = by_pattern if other is part else [*by_pattern, *rest]
                if said:
                    beside = self._parts(said)
                    yield from ((beside, place) for place in other.properties.values())
                if items and other is not part:
                    beside = self._parts(items)
                    yield from ((beside, place) for place in _schemas(_OF_ITEMS, other.keywords))

    def _all(self, asked: Iterable[_Asked], passed: set[_Pair]) -> Iterator[Place]:
        """The schemas of whose values others ask for more, in these and those they lead to.

        What was ``passed`` is not looked at once more.
        """
        pending = list(asked)
        while pending:
            others, place = pending.pop()
            beside = frozenset((key_of(one.schema), frozenset(one.keywords)) for one in others)
            if not others or (beside, key_of(place)) in passed:
                continue
            if self._has_enough():
                yield place
                return
            passed.add((beside, key_of(place)))
            parts = self._parts([place])
            words = [each for each in self._words(others) if _ASKING & each.keys()]
            if not words:
                continue
            if _are_compared(words):
                yield from self._classes(place)
            if _is_class(parts) and not self._undeclared.are_kept(place, parts):
                names = names_of(parts)
                if any(
                    may_ask_for_others(each, names) or _declares(each) - names for each in words
                ):
                    yield from (part.schema for part in parts)
            pending += self._inside(words, parts)
            pending += _choices(others, parts)

    def _inside(self, words: Iterable[Keywords], parts: Sequence[Part]) -> Iterator[_Asked]:
        """What others say of the properties and items, with the schemas that are given for them."""
        declared = declared_properties(parts)
        rest = [one for part in parts for one in _schemas(_OTHERS, part.keywords)]
        items = [one for part in parts for one in _schemas(_OF_ITEMS, part.keywords)]
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
            parts = self._parts([place])
            if _is_class(parts) and not self._undeclared.are_kept(place, parts):
                yield from (part.schema for part in parts)
            target = self._context.references.resolve(place)
            pending += [*subschemas(place), *([target] if target is not None else [])]

    def _words(self, parts: Sequence[Part]) -> list[Keywords]:
        """The keywords of parts, and of all that they apply to the same value."""
        applied = (one for inner in applied_by(parts) for one in self._context.applied(inner))
        words = [
            *(part.keywords for part in parts),
            *(self._context.keywords(one) for one in applied if isinstance(one.value, dict)),
        ]
        self._looked_at += len(words)
        return words

    def _residual(self, parts: Sequence[Part]) -> list[Part]:
        """The parts with those of their keywords that no type honours."""
        words = {*_RESIDUAL, *(_CHOICES if _are_shaped(parts) else ())}
        kept = (
            Part(
                part.schema,
                {
                    word: place
                    for word, place in part.keywords.items()
                    if word in words or (word in _COMPARING and _compares_inside(place.value))
                },
            )
            for part in map(_asking, parts)
        )
        return [part for part in kept if part.keywords]

    def _parts(self, schemas: Sequence[Place]) -> list[Part]:
        meant = list(map(self._meant, schemas))
        keys = tuple(map(key_of, meant))
        if keys not in self._known_parts:
            joined = joined_parts(meant, self._context, refers=False)
            self._known_parts[keys] = list(joined)
        return self._known_parts[keys]

    def _meant(self, schema: Place) -> Place:
        """The schema itself, or what it leads to if it is a reference and nothing else.

        Chains of references may be long, so each step of one is taken once.
        """
        way: dict[Key, None] = {}
        while key_of(schema) not in self._known_ends and key_of(schema) not in way:
            is_reference = isinstance(schema.value, dict) and (
                constraining(self._context.keywords(schema)) == ["$ref"]
            )
            target = self._context.references.resolve(schema) if is_reference else None
            if target is None:
                break
            way[key_of(schema)] = None
            schema = target
        end = self._known_ends.get(key_of(schema), schema)
        self._known_ends.update(dict.fromkeys(way, end))
        return end


def _choices(others: list[Part], parts: Sequence[Part]) -> Iterator[_Asked]:
    """What others say of a value, with each of the choices that it has."""
    for part in parts:
        yield from ((others, choice) for choice in _schemas(_CHOICES, part.keywords))


def _beside_choices(parts: Sequence[Part]) -> Iterator[_Asked]:
    """Choices, with all that stands beside them."""
    for part in parts:
        for keyword in _CHOICES:
            others = [_without(keyword, one) if one is part else one for one in parts]
            beside = [_asking(one) for one in others if one.keywords]
            yield from ((beside, choice) for choice in _schemas([keyword], part.keywords))


def _without(keyword: str, part: Part) -> Part:
    words = {word: place for word, place in part.keywords.items() if word != keyword}
    return Part(part.schema, words)


def _asking(part: Part) -> Part:
    """A part without a `not` that no value meets for lack of a property."""
    negated = part.keywords.get("not")
    words = constraining(dict(negated.members())) if negated is not None else []
    return _without("not", part) if words == ["required"] else part


def _are_shaped(parts: Sequence[Part]) -> bool:
    """Whether a type is made of what stands beside choices, and not of these."""
    return any(_SHAPES & part.keywords.keys() for part in parts)


def _compares_inside(value: JsonValue) -> bool:
    """Whether `uniqueItems`, or the constants of `const` and `enum`, concern objects or arrays."""
    if isinstance(value, list):
        return any(isinstance(one, dict | list) for one in value)
    return value is True or isinstance(value, dict)


def _are_compared(words: Iterable[Keywords]) -> bool:
    """Whether keywords compare a value as a whole that may be an object or hold one."""
    compared = (each[word].value for each in words for word in _COMPARING if word in each)
    return any(map(_compares_inside, compared))


def _is_class(parts: Sequence[Part]) -> bool:
    """Whether a class is made of schemas; of one by itself, it is by its properties."""
    is_joined = len(parts) > 1 or any(_is_in_all_of(part.schema) for part in parts)
    return any(
        "properties" in part.keywords or (is_joined and shapes(part.keywords)) for part in parts
    )


def _is_in_all_of(schema: Place) -> bool:
    return parent_pointer(schema).endswith("/allOf")


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
