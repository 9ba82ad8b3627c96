"""Schemas by which `unevaluatedProperties` or `unevaluatedItems` looks at too many others.

Such a keyword needs to know what all schemas that are applied to the same value have looked at.
Validators follow every way to them, and schemas that refer to one another twice double the ways
with each level: 25 levels in a file of two pages are more than a validator can ever compile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from streamdb_gen.json_source import Place
from streamdb_gen.lowering.circles import onward
from streamdb_gen.lowering.resources import Key, Resources, key_of
from streamdb_gen.reporting import Report

_UNEVALUATED: Final = ("unevaluatedProperties", "unevaluatedItems")
# jsonschema-rs needs half a second for so many; people's schemas have some hundreds at most.
_MOST: Final = 20_000


def are_unevaluated_bounded(schemas: Iterable[Place], resources: Resources, report: Report) -> bool:
    """Report the innermost schema that is beyond the bound, if there is one."""
    looked_at: dict[Key, int] = {}
    for start in schemas:
        for schema in _inner_first(start, resources, looked_at):
            inner = sum(looked_at.get(key_of(one), 0) for one, _ in onward(schema, resources))
            keywords = [place for word in _UNEVALUATED if (place := schema.get(word)) is not None]
            # Each of the keywords follows all ways once more.
            count = 1 + inner * (1 + len(keywords))
            if keywords and count > _MOST:
                _report(keywords[0], report)
                return False
            looked_at[key_of(schema)] = min(count, _MOST)
    return True


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


def _report(keyword: Place, report: Report) -> None:
    word = keyword.pointer.rpartition("/")[2]
    message = f"`{word}` looks at more than {_MOST} schemas here, once for every way to each"
    hint = "let `allOf`, `anyOf`, `if` and the like lead to each schema by one way only"
    report.add("SCHEMA_NOT_CHECKABLE", keyword, message, hint, at_key=True)
