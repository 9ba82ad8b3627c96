"""Python's garbage collector, while many objects are made that are no garbage."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Generator[None]:
    """Let it rest in the block: it would look at all that is made, again and again.

    Who has switched it off finds it off. Threads may pause it at once: the first one that began
    ends the pause, and the others take a little longer.
    """
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()
