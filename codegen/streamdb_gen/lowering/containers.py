"""Arrays and maps: schemas whose values hold others under numbers, or under any names."""

from __future__ import annotations

from streamdb_gen.ir import ANYTHING, ArrayOf, MapOf, TupleOf, Type
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.definitions import BROKEN
from streamdb_gen.lowering.keywords import Keywords
from streamdb_gen.lowering.own_words import chosen_class_name
from streamdb_gen.lowering.scalars import constraints_or_none, sizes
from streamdb_gen.naming import nested_class_name as nested


class ContainerLowering:
    """Compiles arrays and maps."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def lower_map(self, schema: Place, keywords: Keywords, name: str) -> Type:
        """The type of an object without fields of its own."""
        for keyword in ("required", "unevaluatedProperties"):
            if keyword in keywords and keywords[keyword].value not in (True, []):
                self._context.beyond.add(keyword)
        others, patterns = keywords.get("additionalProperties"), keywords.get("patternProperties")
        if patterns is not None:
            self._context.beyond.add("patternProperties")
            value = self._pattern_value(schema, patterns, others, name)
        else:
            value = self._element(schema, others, nested(name, "Value"))
        low, high = sizes("Properties", keywords, self._context.beyond, self._context.report)
        bounds = constraints_or_none(min_length=low, max_length=high)
        return BROKEN if value == BROKEN else MapOf(value, bounds)

    def _pattern_value(
        self, schema: Place, patterns: Place, others: Place | None, name: str
    ) -> Type:
        """The type of all values, if there is one pattern and nothing else."""
        schemas = [place for _, place in patterns.members()]
        if len(schemas) == 1 and others is not None and others.value is False:
            return self._element(schema, schemas[0], nested(name, "Value"))
        return ANYTHING

    def lower_array(self, schema: Place, keywords: Keywords, name: str) -> Type:
        """The type of an array: all items alike, or one type for each place."""
        low, high = sizes("Items", keywords, self._context.beyond, self._context.report)
        bounds = constraints_or_none(min_length=low, max_length=high)
        items, prefix = keywords.get("items"), keywords.get("prefixItems")
        if items is not None and isinstance(items.value, list):  # before 2020-12
            prefix, items = items, keywords.get("additionalItems")
        if prefix is None:
            if items is not None and items.value is False:
                self._context.beyond.add("items")
                return ArrayOf(ANYTHING, bounds)
            item = self._element(schema, items, nested(name, "Item"))
            return BROKEN if item == BROKEN else ArrayOf(item, bounds)
        places = list(prefix.items())
        ends = high == len(places) or (items is not None and items.value is False)
        whole = low == len(places) and (high is None or high >= len(places))
        if not (ends and whole and places) or any(place.value is False for place in places):
            self._context.beyond.add("prefixItems")
            return ArrayOf(ANYTHING, bounds)
        types = [
            self._element(schema, place, nested(name, f"Item{position}"))
            for position, place in enumerate(places, start=1)
        ]
        return BROKEN if BROKEN in types else TupleOf(tuple(types))

    def _element(self, owner: Place, schema: Place | None, name: str) -> Type:
        """The items of an array or the values of a map."""
        if schema is None:
            return ANYTHING
        own_name = chosen_class_name(schema, name, self._context.report)
        return self._context.lower_inside(owner, schema, own_name)
