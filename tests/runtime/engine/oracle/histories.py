"""Random commits: to several sources at once, of every kind of change, and of none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

from msgspec.structs import replace
from tests.runtime.engine.oracle.schemas import RandomSource
from tests.runtime.engine.tables import Write

#: What is written to each source, by its number.
Commit: TypeAlias = Mapping[int, Sequence[Write]]


def history(
    random: Random, sources: Sequence[RandomSource], count: int
) -> tuple[list[dict[Any, Any]], list[Commit]]:
    """Return what sources hold at the beginning, and so many commits."""
    states = [_some_rows(random, source) for source in sources]
    start = [dict(state) for state in states]
    commits: list[Commit] = []
    for _ in range(count):
        numbers = random.sample(
            range(len(sources)), random.choice((1, 1, 1, min(2, len(sources)), len(sources)))
        )
        commits.append(
            {number: _writes(random, sources[number], states[number]) for number in numbers}
        )
    return start, commits


def _some_rows(random: Random, source: RandomSource) -> dict[Any, Any]:
    ids = random.sample(source.ids, random.randint(0, len(source.ids)))
    return {str(one): source.row(random, one) for one in ids}


def _writes(random: Random, source: RandomSource, state: dict[Any, Any]) -> list[Write]:
    """Make the writes of one commit to a source, and carry them out."""
    writes = list[Write]()
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        some = _one_kind(random, source, state)
        writes += some
        for key, row in some:
            if row is None:
                state.pop(key, None)
            else:
                state[key] = row
    return writes


def _one_kind(random: Random, source: RandomSource, state: dict[Any, Any]) -> list[Write]:
    own = random.choice(source.ids)
    key, row = str(own), state.get(str(own))
    fresh = source.row(random, own)
    # Large sources shrink and grow much, to make windows of them run dry.
    chance = random.random() * (0.3 if len(source.ids) > 50 else 1)
    if chance < 0.03:
        return [(one, None) for one in state]  # all go
    if chance < 0.07:
        return [(str(one), source.row(random, one)) for one in source.ids]  # all are written
    if chance < 0.1:
        some = random.sample(source.ids, random.randint(1, len(source.ids)))
        return [(str(one), None) for one in some]
    if row is None:
        return [(key, fresh), (key, None)] if chance < 0.2 else [(key, fresh)]
    if chance < 0.2:
        return [(key, None)]
    if chance < 0.3:
        return [(key, None), (key, random.choice((fresh, replace(row))))]
    if chance < 0.35:
        return [(key, replace(row))]  # another object that says the same
    if chance < 0.4:
        return [(key, row)]  # nothing at all
    return [(key, source.changed(random, row))]
