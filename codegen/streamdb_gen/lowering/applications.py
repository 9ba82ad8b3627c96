"""Schemas by which a check applies too many others to one and the same value.

A validator follows every way to every schema, and schemas that refer to one another twice double
the ways with each level: 25 levels in a file of two pages take seconds for each value, 60 never
end. `unevaluatedProperties` and `unevaluatedItems` follow all ways once more, and that when the
validator is made. Properties and items do not count: their schemas are applied to other values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from streamdb_gen.json_source import Place
from streamdb_gen.lowering.circles import onward
from streamdb_gen.lowering.resources import Key, Resources, key_of
from streamdb_gen.reporting import Report

_UNEVALUATED: Final = ("unevaluatedProperties", "unevaluatedItems")
# jsonschema-rs judges a value by so many in a millisecond, and needs a tenth of a second to say
# what is wrong with it; public schemas have 120 at most.
_MOST: Final = 5_000


def are_applications_bounded(
    schemas: Iterable[Place], resources: Resources, report: Report
) -> bool:
    """Report the innermost schema that is beyond the bound, if there is one."""
    applied: dict[Key, int] = {}
    for start in schemas:
        for schema in _inner_first(start, resources, applied):
            count = _applied_by(schema, resources, applied)
            if count > _MOST:
                _report(schema, report)
                return False
            applied[key_of(schema)] = count
    return True


def _applied_by(schema: Place, resources: Resources, applied: dict[Key, int]) -> int:
    """How many schemas one application of a schema costs, itself included."""
    if not isinstance(schema.value, dict):
        return 0
    inner = sum(applied.get(key_of(one), 0) for one, _ in onward(schema, resources))
    has_siblings = not resources.ignores_siblings(schema)
    again = [word for word in _UNEVALUATED if has_siblings and word in schema.value]
    return 1 + inner * (1 + len(again))


def _inner_first(start: Place, resources: Resources, finished: dict[Key, int]) -> Iterator[Place]:
    """All schemas on the ways from one, each once, after those that it applies."""
    begun: set[Key] = set()
    pending = [start]
    while pending:
        schema = pending[-1]
        key = key_of(schema)
        if key in finished:
            pending.pop()
        elif key in begun:
            yield pending.pop()
        else:
            begun.add(key)
            inner = (one for one, _ in onward(schema, resources))
            # One that is begun is part of a circle, which is reported elsewhere.
            pending += [one for one in inner if key_of(one) not in begun]


def _report(schema: Place, report: Report) -> None:
    message = (
        f"a check by this schema applies more than {_MOST} schemas to one value, once for every "
        "way to each"
    )
    hint = "let `allOf`, `anyOf`, `if` and the like lead to each schema by one way only"
    report.add("SCHEMA_NOT_CHECKABLE", schema, message, hint, at_key=True)
