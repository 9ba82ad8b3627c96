"""Texts whose spelling counts: instants, times and UUIDs of which a schema asks for more than that.

Of a typed value, Python writes its own text. Wherever a schema for the same value judges the text
itself, a row that was read could then be refused when it is written back; so there, the type is
text of the format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Final

from streamdb_gen.formats import SPELT_LENGTHS
from streamdb_gen.json_equality import integral
from streamdb_gen.json_source import JsonValue, Place
from streamdb_gen.lowering.applicators import IN_PLACE, applied_in_place, schemas_of
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.joints import JOINING
from streamdb_gen.lowering.keywords import Keywords, subschemas
from streamdb_gen.lowering.resources import Key, key_of

_PROPERTIES: Final = (
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
)
_ITEMS: Final = ("items", "prefixItems", "additionalItems", "unevaluatedItems")
_SPELLINGS: Final[Mapping[str, re.Pattern[str]]] = {
    "date-time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]"),
    "time": re.compile(r"[0-9]{2}:[0-9]{2}:"),
    "uuid": re.compile(r"[0-9A-Fa-f]{8}-"),
}
# What every match of a pattern begins with; a quantifier may take back the last character.
_BEGINNING: Final = re.compile(r"\^([A-Za-z0-9_-]*)(?![A-Za-z0-9_?*{-])")
# Beyond these, a schema is taken to judge the spelling of all texts in it.
_MOST_PAIRS_OF_PARTS: Final = 100_000
_MOST_PAIRS: Final = 20_000

Exclude = Callable[[Sequence[Place]], bool]


@dataclass(frozen=True, slots=True)
class _Applied:
    """A schema that applies to a value, and how one gets there from the schema of the value.

    ``type_giver`` is the schema that is compiled to the type of the value if it is of this one:
    what is joined to another schema has no type of its own. ``choices`` are those made on the way,
    by the list that they are of.
    """

    schema: Place
    type_giver: Place
    choices: Mapping[Key, int]

    def may_apply_beside(self, other: _Applied) -> bool:
        """Whether no two different choices of one list lead to both."""
        return all(other.choices.get(key, chosen) == chosen for key, chosen in self.choices.items())


class Spellings:
    """Finds them among all schemas of a spec.

    ``exclude_each_other`` says of choices whether no value satisfies two of them.
    """

    def __init__(
        self, context: Context, schemas: Iterable[Place], exclude_each_other: Exclude
    ) -> None:
        self._context = context
        self._schemas = [schema for schema in schemas if isinstance(schema.value, dict)]
        self._exclude_each_other = exclude_each_other
        self._applied: dict[Key, list[_Applied]] = {}
        self._givens: dict[Key, _Given] = {}
        self._found: set[Key] = set()
        self._kept_whole: set[Key] = set()

    def find(self) -> set[Key]:
        """The schemas whose texts are to be kept as they are spelt."""
        if not (self._leading_to_typed and self._leading_to_judging):
            return set()
        in_place = {key_of(one) for schema in self._schemas for one in applied_in_place(schema)}
        pending = [(one, one) for one in self._schemas if key_of(one) not in in_place]
        passed = {(key_of(one), key_of(other)) for one, other in pending}
        while pending:
            for left, right in self._look_at(*pending.pop()):
                pair = key_of(left), key_of(right)
                if pair in passed or pair[0] == pair[1]:
                    continue
                if len(passed) > _MOST_PAIRS + len(self._schemas):
                    self._keep_all_in([left])
                    continue
                passed.add(pair)
                pending.append((left, right))
        return self._found

    def _look_at(self, typed: Place, judging: Place) -> Iterator[tuple[Place, Place]]:
        """Look at two schemas for one value; then at those for its parts, which are returned."""
        lefts = [one for one in self._all_of(typed) if key_of(one.schema) in self._leading_to_typed]
        rights = [
            one for one in self._all_of(judging) if key_of(one.schema) in self._leading_to_judging
        ]
        if len(lefts) * len(rights) > _MOST_PAIRS_OF_PARTS:
            self._keep_all_in([typed])
            return
        for left, right in product(lefts, rights):
            if left.may_apply_beside(right):
                words, said = self._keywords(left.schema), self._keywords(right.schema)
                if any(_judges(said, format_) for format_ in _typed_formats(words)):
                    self._found.add(key_of(left.type_giver))
                if _compares_inside(said):
                    self._keep_all_in([left.type_giver])
                if _wants_unique_items(said):
                    self._keep_all_in(_schemas(_ITEMS, words))
                yield from self._parts(left.schema, right.schema)

    def _parts(self, typed: Place, judging: Place) -> Iterator[tuple[Place, Place]]:
        """The schemas for one property or item that two schemas for an object or array give."""
        words, said = self._keywords(typed), self._keywords(judging)
        given, asked = self._given(typed), self._given(judging)
        declared = [one.properties for one in (given, asked) if not one.says_more]
        for name in min(declared, key=len) if declared else given.properties | asked.properties:
            yield from self._leading(given.for_property(name), asked.for_property(name))
        yield from self._leading(given.for_others(), asked.for_others())
        yield from self._leading(_schemas(_ITEMS, words), _schemas((*_ITEMS, "contains"), said))

    def _given(self, schema: Place) -> _Given:
        if key_of(schema) not in self._givens:
            self._givens[key_of(schema)] = _Given(self._keywords(schema))
        return self._givens[key_of(schema)]

    def _leading(
        self, typed: Iterable[Place], judging: Iterable[Place]
    ) -> Iterator[tuple[Place, Place]]:
        yield from product(
            [one for one in typed if key_of(one) in self._leading_to_typed],
            [one for one in judging if key_of(one) in self._leading_to_judging],
        )

    def _keep_all_in(self, schemas: Iterable[Place]) -> None:
        """Keep the texts of all values inside a value."""
        pending = list(schemas)
        while pending:
            schema = pending.pop()
            key = key_of(schema)
            if key in self._kept_whole or key not in self._leading_to_typed:
                continue
            self._kept_whole.add(key)
            for one in self._all_of(schema):
                words = self._keywords(one.schema)
                if any(_typed_formats(words)):
                    self._found.add(key_of(one.type_giver))
                pending += _schemas((*_PROPERTIES, *_ITEMS), words)

    def _all_of(self, schema: Place) -> list[_Applied]:
        """A schema and all that it applies to the same value, by every way."""
        if key_of(schema) not in self._applied:
            self._applied[key_of(schema)] = list(self._ways(schema))
        return self._applied[key_of(schema)]

    def _ways(self, schema: Place) -> Iterator[_Applied]:
        passed: set[tuple[Key, Key, frozenset[tuple[Key, int]]]] = set()
        pending = [_Applied(schema, schema, {})]
        while pending:
            one = pending.pop()
            identity = key_of(one.schema), key_of(one.type_giver), frozenset(one.choices.items())
            if identity in passed or not isinstance(one.schema.value, dict):
                continue
            passed.add(identity)
            yield one
            words = self._keywords(one.schema)
            target = self._context.references.resolve(one.schema) if "$ref" in words else None
            if target is not None:
                pending.append(_Applied(target, one.type_giver, one.choices))
            for keyword in IN_PLACE:
                if keyword in words:
                    pending += self._ways_by(keyword, words[keyword], one)

    def _ways_by(self, keyword: str, place: Place, one: _Applied) -> Iterator[_Applied]:
        inner = list(schemas_of(place))
        chooses = keyword == "anyOf" or (keyword == "oneOf" and self._exclude_each_other(inner))
        for number, schema in enumerate(inner):
            giver = one.type_giver if keyword in JOINING else schema
            chosen = {**one.choices, key_of(place): number} if chooses else one.choices
            yield _Applied(schema, giver, chosen)

    def _keywords(self, schema: Place) -> Keywords:
        return self._context.keywords(schema)

    @cached_property
    def _leading_to_typed(self) -> set[Key]:
        """The schemas with an instant, a time or a UUID in them."""
        return self._leading_to(lambda words: any(_typed_formats(words)))

    @cached_property
    def _leading_to_judging(self) -> set[Key]:
        """The schemas in which something judges the spelling of texts, or compares values."""

        def judges(words: Keywords) -> bool:
            is_about_texts = any(_judges(words, format_) for format_ in SPELT_LENGTHS)
            return is_about_texts or _compares_inside(words) or _wants_unique_items(words)

        return self._leading_to(judges)

    def _leading_to(self, is_meant: Callable[[Keywords], bool]) -> set[Key]:
        pending = [key_of(one) for one in self._schemas if is_meant(self._keywords(one))]
        found: set[Key] = set()
        while pending:
            key = pending.pop()
            if key not in found:
                found.add(key)
                pending += self._around.get(key, [])
        return found

    @cached_property
    def _around(self) -> Mapping[Key, list[Key]]:
        """The schemas that each stands in, and those that refer to it."""
        around: dict[Key, list[Key]] = {}
        for schema in self._schemas:
            target = self._context.references.resolve(schema)
            for inner in [*subschemas(schema), *([target] if target is not None else [])]:
                around.setdefault(key_of(inner), []).append(key_of(schema))
        return around


def _typed_formats(words: Keywords) -> Iterator[str]:
    """The format of a text that has a type of its own in Python, and more spellings than one."""
    place = words.get("format")
    if place is not None and isinstance(place.value, str) and place.value in SPELT_LENGTHS:
        yield place.value


def _judges(words: Keywords, format_: str) -> bool:
    """Whether keywords may take one spelling of a valid text, and not what is written of it."""
    shortest, longest = SPELT_LENGTHS[format_]
    least, most = _size(words.get("minLength")), _size(words.get("maxLength"))
    is_too_short = least is not None and least > shortest
    is_too_long = most is not None and most < longest
    constants = (value for value in _constants(words) if isinstance(value, str))
    is_listed = any(_SPELLINGS[format_].match(value) for value in constants)
    return "pattern" in words or is_too_short or is_too_long or is_listed


def _size(place: Place | None) -> int | None:
    value = integral(place.value) if place is not None else None
    return value if isinstance(value, int) else None


def _constants(words: Keywords) -> Iterator[JsonValue]:
    if "const" in words:
        yield words["const"].value
    for place in words["enum"].items() if "enum" in words else ():
        yield place.value


def _compares_inside(words: Keywords) -> bool:
    """Whether `const` or `enum` holds an object or array with such a text in it."""
    pending = [value for value in _constants(words) if isinstance(value, dict | list)]
    while pending:
        value = pending.pop()
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, dict | list):
                pending.append(inner)
            elif isinstance(inner, str) and any(one.match(inner) for one in _SPELLINGS.values()):
                return True
    return False


def _wants_unique_items(words: Keywords) -> bool:
    return "uniqueItems" in words and words["uniqueItems"].value is True


class _Given:
    """The schemas that a schema gives for the properties of an object."""

    def __init__(self, words: Keywords) -> None:
        self.properties: Final = dict(
            words["properties"].members() if "properties" in words else ()
        )
        patterns = words.get("patternProperties")
        self._patterns: Final = list(patterns.members() if patterns is not None else ())
        self._others: Final = _schemas(_PROPERTIES[2:], words)

    @property
    def says_more(self) -> bool:
        """Whether there are schemas for properties that it does not declare."""
        return bool(self._patterns or self._others)

    def for_property(self, name: str) -> list[Place]:
        """Those for a property of this name; perhaps some more."""
        found = [self.properties[name]] if name in self.properties else []
        found += [place for pattern, place in self._patterns if _may_match(pattern, name)]
        return found or self._others

    def for_others(self) -> list[Place]:
        """Those for properties that it does not declare."""
        return [*(place for _, place in self._patterns), *self._others]


def _may_match(pattern: str, name: str) -> bool:
    """Whether a name begins as a pattern asks; to search for the rest might never end."""
    beginning = _BEGINNING.match(pattern) if "|" not in pattern else None
    return beginning is None or name.startswith(beginning[1])


def _schemas(keywords: Sequence[str], words: Keywords) -> list[Place]:
    """The schemas that these keywords hold."""
    return [inner for word in keywords if word in words for inner in _schemas_in(words[word])]


def _schemas_in(place: Place) -> list[Place]:
    keyword = place.pointer.rpartition("/")[2]
    if isinstance(place.value, list):
        found = list(place.items())
    elif keyword in ("properties", "patternProperties"):
        found = [inner for _, inner in place.members()]
    else:
        found = [place]
    return [one for one in found if isinstance(one.value, dict)]
