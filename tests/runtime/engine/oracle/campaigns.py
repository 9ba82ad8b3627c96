"""Runs of random worlds through executors, alone and in a graph of live queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from tests.runtime.engine.oracle.graphs import judge_in_graph
from tests.runtime.engine.oracle.indexed import judge_indexed
from tests.runtime.engine.oracle.shrinking import shrunk
from tests.runtime.engine.oracle.worlds import World, world

from streamdb.engine.compiled import Compiled
from streamdb.engine.interpreted import Interpreted

#: Each judges a world and returns how often a query moved.
WAYS: Final[Mapping[str, Callable[[World], int]]] = {
    "interpreted": lambda world: world.judge(Interpreted),
    "compiled": lambda world: world.judge(Compiled),
    "compiled, by indexes": judge_indexed,
    "compiled, in a graph": lambda world: judge_in_graph(world, Compiled),
}
COMMITS: Final = 25


def judge(seed: str) -> tuple[int, int]:
    """Judge the world of a seed in every way; return how many steps of how many queries.

    Raises:
        AssertionError: something is wrong; its message has a world, as small as possible.
    """
    found = world(seed, COMMITS)
    steps = 0
    for name, way in WAYS.items():
        outcome = _outcome(found, way)
        if isinstance(outcome, int):
            steps += outcome
            continue
        small = shrunk(found, partial(_fails, way=way, kind=type(outcome)))
        raise AssertionError(
            f"{name}: wrong in the world of the seed {seed!r}: {_outcome(small, way)!r}\n{small}"
        ) from outcome
    return steps, len(found.lives) * len(WAYS)


def _outcome(world: World, way: Callable[[World], int]) -> Exception | int:
    """Judge a world, and return what is wrong, or how often a query moved."""
    try:
        return way(world)
    except Exception as error:  # noqa: BLE001 - whatever an executor raises
        return error


def _fails(world: World, way: Callable[[World], int], kind: type[Exception]) -> bool:
    return type(_outcome(world, way)) is kind
