"""What a client holds does not grow with the length of a stream.

Small forms of `python -m benchmarks.memory`: pages or values that were kept would be 50 MB.
"""

import sys
import tracemalloc
from collections.abc import Iterator

import pytest
from benchmarks.memory.endless import PAGE, endless_server
from benchmarks.memory.jobs import PRODUCING, READING, Job, until_enough

_LENGTH = 50_000_000
_PAGES_HELD = 20 * len(PAGE)  # 5 MB: those under way, a parsed one, and one that is remembered
_VALUES_HELD = 25_000_000  # the buffer is bounded at 4 MB, and is joined and copied to be sent


@pytest.fixture(scope="module")
def endless() -> Iterator[str]:
    with endless_server() as server:
        yield server


def highest(job: Job, server: str) -> int:
    """Return the most bytes that were held at once after a beginning."""
    enough = until_enough(_LENGTH, sys.maxsize)
    is_warm = False

    def tell(done: int) -> bool:
        nonlocal is_warm
        if not is_warm and done > _LENGTH / 20:
            is_warm = True
            tracemalloc.reset_peak()
        return enough(done)

    tracemalloc.start()
    try:
        job(server, _LENGTH, tell)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("job", READING.values(), ids=READING)
def test_what_was_read_is_let_go(endless: str, job: Job) -> None:
    assert highest(job, endless) < _PAGES_HELD


@pytest.mark.parametrize("job", PRODUCING.values(), ids=PRODUCING)
def test_what_was_stored_is_let_go(endless: str, job: Job) -> None:
    assert highest(job, endless) < _VALUES_HELD
