"""Runs of random worlds through an executor."""

from __future__ import annotations

from tests.runtime.engine.judging import MakeExecutor
from tests.runtime.engine.oracle.shrinking import shrunk
from tests.runtime.engine.oracle.worlds import World, world

from streamdb.engine.compiled import Compiled
from streamdb.engine.interpreted import Interpreted

EXECUTORS: tuple[MakeExecutor, ...] = (Interpreted, Compiled)
COMMITS = 25


def judge(seed: str) -> tuple[int, int]:
    """Judge all executors in the world of a seed; return how many steps of how many queries.

    Raises:
        AssertionError: one is wrong; its message has a world in which it is, as small as possible.
    """
    found = world(seed, COMMITS)
    steps = 0
    for make in EXECUTORS:
        try:
            steps += found.judge(make)
        except Exception as error:
            kind = type(error)
            small = shrunk(found, lambda smaller, make=make, kind=kind: _fails(smaller, make, kind))
            raise AssertionError(
                f"{make.__name__} is wrong in the world of the seed {seed!r}: "
                f"{_failure(small, make)!r}\n{small}"
            ) from error
    return steps, len(found.lives) * len(EXECUTORS)


def _failure(world: World, make: MakeExecutor) -> Exception | None:
    try:
        world.judge(make)
    except Exception as error:  # noqa: BLE001 - whatever an executor raises
        return error
    return None


def _fails(world: World, make: MakeExecutor, kind: type[Exception]) -> bool:
    return type(_failure(world, make)) is kind
