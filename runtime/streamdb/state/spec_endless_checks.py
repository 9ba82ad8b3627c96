"""Schemas of a spec by which a check would never end, or not in any useful time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
# The bound of the compiler. jsonschema-rs judges a value by so many in a millisecond, and needs a
# tenth of a second to say what is wrong with it; public schemas have 120 at most.
_MOST_APPLIED: Final = 5_000


def refuse_endless_checks(
    places: Iterable[SchemaPlace], schemas: SpecReferences, refuse: Refuse
) -> None:
    """Refuse schemas that lead back to themselves, and those that apply too many others.

    ``places`` are those to begin with.
    """
    checks = _EndlessChecks(schemas, refuse)
    starts = [*places, *schemas.used]
    checks.refuse_circles(starts)
    checks.refuse_endless_ways(starts)


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

    def refuse_endless_ways(self, starts: Iterable[SchemaPlace]) -> None:
        """Refuse schemas by which a check of one value would apply too many others to it."""
        applied: dict[SchemaPlace, int] = {}
        for place in inner_first(starts, self._applied_in_place):
            applied[place] = self._applied_by(place, applied)
            if applied[place] > _MOST_APPLIED:
                self._refuse(
                    place,
                    f"a check by this schema applies more than {_MOST_APPLIED} schemas to one "
                    "value, once for every way to each",
                    "let `allOf`, `anyOf`, `if` and the like lead to each schema by one way only",
                )

    def _applied_by(self, place: SchemaPlace, applied: Mapping[SchemaPlace, int]) -> int:
        """Return how many schemas one application of a schema costs, itself included."""
        schema = self._schemas.at(place)
        if not is_object(schema):
            return 0
        inner = sum(applied[one] for one in self._applied_in_place(place))
        # Each of these keywords follows all ways once more, when the validator is made.
        again = self._schemas.members(place, schema).keys() & _UNEVALUATED
        return 1 + inner * (1 + len(again))

    def _applied_in_place(self, place: SchemaPlace) -> Iterator[SchemaPlace]:
        if place in self._schemas.targets:
            yield self._schemas.targets[place]
        schema = self._schemas.at(place)
        if is_object(schema):
            members = self._schemas.members(place, schema)
            inside = {name: members[name] for name in members.keys() & _IN_PLACE}
            yield from subschemas(inside, place)
