"""Random schemas whose parts have to be read together, and small values to judge by them.

What stands in `allOf`, beside `$ref` or in a condition sees only the keywords of its own schema;
`unevaluated*` sees more than that. A few names and values occur everywhere, so that parts meet. The
schemas are drawn by a plain random generator, for most of what hypothesis draws is too simple here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.agreement.cases import (
    DRAFT_7,
    DRAFT_2019_09,
    DRAFT_2020_12,
    Case,
    Json,
    wrapped,
    wrapped_instance,
)
from tests.agreement.sides import Side

_NAMES: Final = ("a", "b", "ab", "c")
_DEFINITIONS: Final = ("A", "B", "C")
_SCALARS: Final[Sequence[Json]] = (None, True, False, 0, 1, 1.0, 2, 3, 0.5, -1, "", "a", "b", "ab")
_TYPES: Final = ("string", "integer", "number", "boolean", "null", "array", "object")
_DIALECTS: Final = (DRAFT_2020_12, DRAFT_2020_12, DRAFT_2020_12, DRAFT_2019_09, DRAFT_7)
_DEEPEST: Final = 2
_INSTANCES: Final = 16


def joined_case(number: int, seed: int) -> Case:
    """One case; the same for the same number and seed."""
    chosen = random.Random(f"{seed} {number}")
    schemas = _Schemas(chosen, chosen.choice(_DIALECTS))
    case = wrapped(f"joined/{number}", schemas.whole(), schemas.draft)
    return case.with_instances(
        *(wrapped_instance(f"value {n}", _value(chosen, 2)) for n in range(_INSTANCES))
    )


# Keywords of which ajv does not count the items that they have evaluated.
_NOT_COUNTED: Final = ("contains", "if", "anyOf", "oneOf")
# What jsonschema takes for names of properties, not for a schema, to tell what is evaluated.
_MISREAD: Final = ('"additionalProperties": {', '"unevaluatedProperties": {')


def sides_for(case: Case, sides: Sequence[Side]) -> list[Side]:
    """Those that can judge a case.

    ajv differs on evaluated items (`exceptions.toml`), jsonschema on evaluated properties, by the
    draft 2019-09. In that draft, from_file refuses `unevaluatedItems` where items are in lists.
    """
    text = json.dumps(case.spec)
    unable: set[str] = set()
    if "unevaluatedItems" in text and any(f'"{word}"' in text for word in _NOT_COUNTED):
        unable.add("typescript")
    if DRAFT_2019_09 in text and "unevaluatedItems" in text and '"items": [' in text:
        unable.add("from_file")
    if DRAFT_2019_09 in text and "unevaluatedProperties" in text:
        unable |= {"jsonschema"} if any(word in text for word in _MISREAD) else set()
    return [side for side in sides if side.name not in unable]


def _value(chosen: random.Random, depth: int) -> Json:
    kind = chosen.choice(("array", "array", "object", "object", "scalar")) if depth else "scalar"
    if kind == "array":
        return [_value(chosen, chosen.randrange(depth)) for _ in range(chosen.randint(0, 3))]
    if kind == "object":
        names = chosen.sample(_NAMES, chosen.randint(0, 3))
        return {name: _value(chosen, chosen.randrange(depth)) for name in names}
    return chosen.choice(_SCALARS)


class _Schemas:
    """The schemas of one dialect; ``draft`` is its address."""

    def __init__(self, chosen: random.Random, draft: str) -> None:
        self.draft: Final = draft
        self._chosen: Final = chosen
        self._place: Final = "definitions" if draft == DRAFT_7 else "$defs"
        self._words: Final[Mapping[str, Callable[[str, int], Mapping[str, Json]]]] = {
            "object": self._of_objects,
            "array": self._of_arrays,
            "scalar": self._of_scalars,
        }

    def whole(self) -> Json:
        kind = self._chosen.choice(("object", "object", "array", "array", "scalar"))
        schema = self._schema(kind, 0)
        definitions = {name: self._part(kind, 1) for name in _DEFINITIONS}
        return {**schema, self._place: definitions}

    def _any(self, depth: int) -> Json:
        """A schema of anything inside another one."""
        chosen = self._chosen
        if depth >= _DEEPEST or chosen.random() < 0.6:
            return self._leaf()
        return self._schema(chosen.choice(tuple(self._words)), depth + 1)

    def _leaf(self) -> Json:
        chosen = self._chosen
        return chosen.choice(
            (
                lambda: {"type": chosen.choice(_TYPES)},
                lambda: {"type": chosen.sample(_TYPES, 2)},
                lambda: {"const": _value(chosen, chosen.randrange(2))},
                lambda: {"enum": self._listed()},
                lambda: {"type": chosen.choice(("integer", "number")), "minimum": 1},
                lambda: {"type": "string", "minLength": 1},
                lambda: {"maximum": chosen.choice((1, 1.0, 0.5))},
                lambda: chosen.choice((True, True, False, {}, {"title": "annotated"})),
                lambda: {"$ref": self._reference()},
            )
        )()

    def _reference(self) -> str:
        return f"#/{self._place}/{self._chosen.choice(_DEFINITIONS)}"

    def _listed(self) -> list[Json]:
        values = [_value(self._chosen, self._chosen.randrange(2)) for _ in range(3)]
        return list({repr(value): value for value in values}.values())

    def _schema(self, kind: str, depth: int) -> dict[str, Json]:
        """A schema of some kind of value, with other schemas for the same value in it."""
        chosen = self._chosen
        schema = dict(self._part(kind, depth)) if chosen.random() < 0.8 else {}
        for word in chosen.sample(_JOINING, chosen.choice((0, 1, 1, 1, 2, 2))):
            schema |= self._joining(word, kind, depth)
        return schema

    def _joining(self, word: str, kind: str, depth: int) -> Mapping[str, Json]:
        chosen = self._chosen
        if word == "$ref":
            return {"$ref": self._reference()}
        if word == "if":
            words = chosen.choice((("if",), ("if", "then"), ("if", "else"), ("if", "then", "else")))
            return {each: self._beside(kind, depth) for each in words}
        if word == "dependentSchemas":
            dependent = {chosen.choice(_NAMES): self._beside(kind, depth)}
            return {"dependencies" if self.draft == DRAFT_7 else word: dependent}
        if word == "not":
            return {"not": self._beside(kind, depth)}
        return {word: [self._beside(kind, depth) for _ in range(chosen.randint(1, 3))]}

    def _beside(self, kind: str, depth: int) -> Json:
        """A schema for the value that another one is about, most times of the same kind."""
        chosen = self._chosen
        if chosen.random() < 0.1:
            kind = chosen.choice(tuple(self._words))
        if chosen.random() < 0.15:
            return self._leaf()
        joined = depth + 1 < _DEEPEST and chosen.random() < 0.3
        return self._schema(kind, depth + 1) if joined else self._part(kind, depth + 1)

    def _part(self, kind: str, depth: int) -> dict[str, Json]:
        """Some keywords of a kind."""
        chosen = self._chosen
        words = self._words[kind](kind, depth)
        count = min(len(words), chosen.choice((0, 1, 1, 2, 2, 3, 4)))
        part = {word: words[word] for word in chosen.sample(sorted(words), count)}
        if kind != "scalar" and chosen.random() < 0.5:
            others = [type_ for type_ in _TYPES if type_ != kind]
            part["type"] = kind if chosen.random() < 0.8 else [kind, chosen.choice(others)]
        return part

    def _of_objects(self, _kind: str, depth: int) -> Mapping[str, Json]:
        chosen = self._chosen
        words: dict[str, Json] = {
            "properties": self._by_name(depth),
            "additionalProperties": self._closing(depth),
            "patternProperties": {chosen.choice(("^a", "b$")): self._any(depth)},
            "required": chosen.sample(_NAMES, chosen.randint(1, 2)),
            "propertyNames": chosen.choice(({"maxLength": 1}, {"enum": ["a", "c"]})),
            "minProperties": chosen.randint(0, 2),
            "maxProperties": chosen.randint(0, 2),
        }
        needed = {chosen.choice(_NAMES): chosen.sample(_NAMES, 1)}
        if self.draft == DRAFT_7:
            return {**words, "dependencies": needed}
        more = {"dependentRequired": needed, "unevaluatedProperties": self._closing(depth)}
        return {**words, **more}

    def _by_name(self, depth: int) -> Json:
        names = self._chosen.sample(_NAMES, self._chosen.randint(0, 3))
        return {name: self._any(depth) for name in names}

    def _closing(self, depth: int) -> Json:
        return self._chosen.choice((False, False, True, self._any(depth)))

    def _of_arrays(self, _kind: str, depth: int) -> Mapping[str, Json]:
        chosen = self._chosen
        prefix = [self._any(depth) for _ in range(chosen.randint(1, 3))]
        words: dict[str, Json] = {
            "minItems": chosen.randint(0, 3),
            "maxItems": chosen.randint(1, 3),
            "uniqueItems": chosen.random() < 0.7,
            "contains": self._any(depth),
        }
        if self.draft == DRAFT_2020_12:
            words |= {"prefixItems": prefix, "items": self._closing(depth)}
        else:
            # One validator stumbles over `items` that are true or false, where others stand beside.
            possible: list[Json] = [{"not": {}}, {}, self._any(depth)]
            rest = chosen.choice(possible)
            by_position = isinstance(rest, bool) or chosen.random() < 0.6
            words |= {"items": prefix if by_position else rest}
            words |= {"additionalItems": self._closing(depth)} if by_position else {}
        if self.draft != DRAFT_7:
            words |= {"minContains": chosen.randint(0, 2), "maxContains": chosen.randint(1, 2)}
            words |= {"unevaluatedItems": self._closing(depth)}
        return words

    def _of_scalars(self, _kind: str, depth: int) -> Mapping[str, Json]:
        chosen = self._chosen
        return {
            "type": chosen.choice((chosen.choice(_TYPES), chosen.sample(_TYPES, 2))),
            "const": _value(chosen, chosen.randrange(2)),
            "enum": self._listed(),
            "minimum": chosen.choice((0, 1, 1.0, 0.5)),
            "exclusiveMaximum": chosen.choice((1, 2, 2.5)),
            "multipleOf": chosen.choice((1, 2, 0.5)),
            "minLength": chosen.randint(0, 2),
            "maxLength": chosen.randint(0, 2),
            "pattern": chosen.choice(("^a", "b$")),
            **({"format": "date"} if depth == 0 else {}),
        }


_JOINING: Final = ("allOf", "allOf", "anyOf", "oneOf", "not", "if", "$ref", "dependentSchemas")
