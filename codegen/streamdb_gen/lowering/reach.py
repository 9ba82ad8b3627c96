"""All schemas that a spec consists of: those that stand in it, and those that they refer to.

Of another file only what is referred to counts; the rest of it is none of the spec's business.
"""

from __future__ import annotations

from collections.abc import Iterator

from streamdb_gen.json_source import Place
from streamdb_gen.lowering.layout import kept_subschemas
from streamdb_gen.lowering.resources import Resources, key_of


def reached(resources: Resources) -> tuple[Place, ...]:
    """The schemas, every reference of which is resolved or reported."""
    found = {key_of(place): place for place in resources.roots}
    pending = list(reversed(found.values()))
    ordered: list[Place] = []
    while pending:
        place = pending.pop()
        ordered.append(place)
        new = {key_of(one): one for one in _next(place, resources) if key_of(one) not in found}
        found |= new
        pending += reversed(new.values())
    return tuple(ordered)


def _next(schema: Place, resources: Resources) -> Iterator[Place]:
    for _, inner in kept_subschemas(schema, resources):
        yield inner
    target = resources.resolve(schema)
    if target is not None:
        yield target
