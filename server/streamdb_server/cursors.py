"""Cursors of live answers: they keep shared caches from looping on one answer (CUR-*)."""

import math
import random
import re
from typing import Final

INTERVAL: Final = 20.0
"""Seconds of one cursor interval (CUR-2)."""

EPOCH: Final = 1_728_432_000.0
"""2024-10-09T00:00:00Z in Unix seconds (CUR-2)."""

_CURSOR: Final = re.compile(r"[0-9]{1,18}")


def current(now: float) -> int:
    """Return the number of whole intervals since the epoch at Unix time ``now``.

    >>> current(EPOCH + 41)
    2
    """
    return int((now - EPOCH) // INTERVAL)


def following(seen: str | None, now: float) -> int:
    """Return the cursor of an answer to a client that sent ``seen`` (CUR-3, CUR-4).

    A client that has reached the current interval gets a value 1 to 3600 random seconds further on.

    >>> following(None, EPOCH + 41), following("1", EPOCH + 41), following("odd", EPOCH + 41)
    (2, 2, 2)
    >>> following("2", EPOCH + 41) > 2
    True
    """
    interval = current(now)
    if seen is None or not _CURSOR.fullmatch(seen) or int(seen) < interval:
        return interval
    jitter = random.randint(1, 3600)  # noqa: S311 - spreads caches, guards nothing
    return int(seen) + math.ceil(jitter / INTERVAL)
