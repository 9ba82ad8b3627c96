"""Schemas of a spec by which a check would never end, or not in any useful time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from streamdb.protocol.json_text import is_object
from streamdb.state.schema_circles import circle, inner_first
from streamdb.state.spec_places import Refuse, SchemaPlace, shown, subschemas
from streamdb.state.spec_references import SpecReferences

# By these a schema judges the same value by another one, not a part of it.
_IN_PLACE: Final = frozenset({
    "allOf", "anyOf", "dependencies", "dependentSchemas", "else", "if", "not", "oneOf", "then"
})  # fmt: skip
_UNEVALUATED: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})
# jsonschema-rs needs half a second for so many; people's schemas have some hundreds at most.
_MOST_LOOKED_AT: Final = 20_000


def refuse_endless_checks(
    places: Iterable[SchemaPlace], schemas: SpecReferences, refuse: Refuse
) -> None:
    """Refuse schemas that lead back to themselves, and ``unevaluated...`` that look at too many.

    ``places`` are those to begin with.
    """
    checks = _EndlessChecks(schemas, refuse)
    starts = [*places, *schemas.used]
    checks.refuse_circles(starts)
    checks.refuse_endless_looks(starts)


class _EndlessChecks:
    def __init__(self, schemas: SpecReferences, refuse: Refuse) -> None:
        self._schemas = schemas
        self._refuse = refuse

    def refuse_circles(self, starts: Iterable[SchemaPlace]) -> None:
        """Refuse schemas that lead back to themselves with the same value: no check would end."""
        found = circle(starts, self._applied_in_place)
        if found is None:
            return
        # Nothing contains what it stands in, so some step of a circle is a reference.
        place = next(place for place in reversed(found) if place in self._schemas.targets)
        reference = self._schemas.at(place)["$ref"]
        self._refuse(
            place.inner("$ref"),
            f"the reference {shown(reference)} leads back here with the same value, so that a "
            "check would never end",
            "take it out, or refer from a property or an item, where the value is another one",
        )

    def refuse_endless_looks(self, starts: Iterable[SchemaPlace]) -> None:
        """Refuse `unevaluated...` that would look at more schemas than a validator can follow."""
        looked_at: dict[SchemaPlace, int] = {}
        for place in inner_first(starts, self._applied_in_place):
            schema = self._schemas.at(place)
            members = self._schemas.members(place, schema) if is_object(schema) else {}
            keywords = sorted(members.keys() & _UNEVALUATED)
            # Each of the keywords follows all ways once more.
            inner = sum(looked_at[one] for one in self._applied_in_place(place))
            count = 1 + inner * (1 + len(keywords))
            if keywords and count > _MOST_LOOKED_AT:
                self._refuse(
                    place.inner(keywords[0]),
                    f"`{keywords[0]}` looks at more than {_MOST_LOOKED_AT} schemas here, once for "
                    "every way to each",
                    "let `allOf`, `anyOf`, `if` and the like lead to each schema by one way only",
                )
            looked_at[place] = min(count, _MOST_LOOKED_AT)

    def _applied_in_place(self, place: SchemaPlace) -> Iterator[SchemaPlace]:
        if place in self._schemas.targets:
            yield self._schemas.targets[place]
        schema = self._schemas.at(place)
        if is_object(schema):
            members = self._schemas.members(place, schema)
            inside = {name: members[name] for name in members.keys() & _IN_PLACE}
            yield from subschemas(inside, place)
