"""Schemas that lead back to themselves while the value stays the same.

A check by such a schema never ends (JSON Schema 2020-12, core, section 9.4.1). One that leads
through a property or an item is fine: the value gets smaller on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from streamdb_gen.findings import shown
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.applicators import applied_in_place
from streamdb_gen.lowering.resources import Key, Resources, key_of
from streamdb_gen.reporting import Report

# A schema, and the reference that led to it; None if the schema stands inside the one before.
_Step = tuple[Place, Place | None]


@dataclass(frozen=True, slots=True)
class _Visit:
    """A schema on the way that is being followed, and where the way can go on."""

    schema: Place
    by: Place | None
    onward: Iterator[_Step]


def check_circles(schemas: Iterable[Place], resources: Resources, report: Report) -> None:
    """Report, for each way back, the last reference on it; every schema is visited once."""
    finished: set[Key] = set()
    for start in schemas:
        if key_of(start) not in finished:
            for reference in _closing(start, resources, finished):
                _report(reference, report)


def _closing(start: Place, resources: Resources, finished: set[Key]) -> Iterator[Place]:
    """The references that close circles, depth first."""
    way = [_Visit(start, None, onward(start, resources))]
    on_the_way = {key_of(start): 0}
    while way:
        schema, by = next(way[-1].onward, (None, None))
        if schema is None:
            key = key_of(way.pop().schema)
            del on_the_way[key]
            finished.add(key)
        elif key_of(schema) in on_the_way:
            # Nothing contains what it stands in, so some step of a circle is a reference.
            steps = [by, *(visit.by for visit in reversed(way[on_the_way[key_of(schema)] + 1 :]))]
            yield next(step for step in steps if step is not None)
        elif key_of(schema) not in finished:
            on_the_way[key_of(schema)] = len(way)
            way.append(_Visit(schema, by, onward(schema, resources)))


def onward(schema: Place, resources: Resources) -> Iterator[_Step]:
    """The schemas that a schema applies to its own value, with the reference that leads there."""
    reference = schema.get("$ref")
    target = resources.resolve(schema)
    if target is not None:
        yield target, reference
    if resources.ignores_siblings(schema):
        return
    for inner in applied_in_place(schema):
        if isinstance(inner.value, dict):
            yield inner, None


def _report(reference: Place, report: Report) -> None:
    text = shown(str(reference.value))
    message = f"{text} leads back here with the same value, so a check by it never ends"
    hint = "take it out, or refer from a property or an item, where the value is another one"
    report.add("REFERENCE_CIRCLE", reference, message, hint)
