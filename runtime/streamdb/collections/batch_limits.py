"""How a writer cuts its rows into batches, as users say it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypedDict

from streamdb.known_options import refuse_unknown


class WriterSettings(TypedDict, total=False):
    """What `writer` takes.

    Attributes:
        max_delay: seconds that a row may wait for company before it is sent; 0.02 if not given.
        max_rows: a batch of so many rows is sent at once; 1,000.
        max_bytes: the same in bytes of JSON; 256 KiB.
        max_pending: with so many rows not on the stream yet, `write` waits; 10,000.
    """

    max_delay: float
    max_rows: int
    max_bytes: int
    max_pending: int


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When rows that wait are sent, and how many may be on their way; see `WriterSettings`."""

    max_delay: float = 0.02
    max_rows: int = 1_000
    max_bytes: int = 256 * 1024
    max_pending: int = 10_000

    def __post_init__(self) -> None:
        """Raise ValueError if one makes no sense."""
        if not 0 <= self.max_delay < math.inf:
            raise ValueError(f"writer: max_delay={self.max_delay} is no number of seconds")
        for name in ("max_rows", "max_bytes", "max_pending"):
            if getattr(self, name) < 1:
                raise ValueError(f"writer: {name}={getattr(self, name)} is less than 1")


def limits_of(settings: WriterSettings) -> BatchLimits:
    """Return what settings say.

    >>> limits_of({"max_rows": 5}).max_rows
    5

    Raises:
        TypeError: there is no such setting.
        ValueError: a number that makes no sense.
    """
    refuse_unknown(settings, WriterSettings.__optional_keys__)
    return BatchLimits(**settings)
