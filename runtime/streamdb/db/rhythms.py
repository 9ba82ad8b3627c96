"""When writes are sent that show already: the rhythms that paced writes follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol


class Moments(NamedTuple):
    """What a rhythm goes by, in seconds of one clock.

    Attributes:
        first: when the oldest of what waits was written.
        last: when the latest was.
        sent: when something was sent before that; long ago if nothing was.
    """

    first: float
    last: float
    sent: float


class Rhythm(Protocol):
    """Says when what waits is sent."""

    #: Whether writes that wait become one transaction.
    joins: ClassVar[bool]

    def due(self, at: Moments) -> float:
        """Return when what waits is sent."""
        ...


@dataclass(frozen=True, slots=True)
class Debounce:
    """See :func:`debounce`."""

    wait: float
    max_wait: float = math.inf
    joins: ClassVar[bool] = True

    def due(self, at: Moments) -> float:
        """Return when what waits is sent."""
        return min(at.last + self.wait, at.first + self.max_wait)


@dataclass(frozen=True, slots=True)
class Throttle:
    """See :func:`throttle`."""

    wait: float
    joins: ClassVar[bool] = True

    def due(self, at: Moments) -> float:
        """Return when what waits is sent."""
        return max(at.first, at.sent + self.wait)


@dataclass(frozen=True, slots=True)
class InTurn:
    """See :func:`in_turn`."""

    wait: float
    joins: ClassVar[bool] = False

    def due(self, at: Moments) -> float:
        """Return when what waits is sent."""
        return max(at.first, at.sent + self.wait)


@dataclass(frozen=True, slots=True)
class Linger:
    """What is sent so many seconds after the first of it was written."""

    seconds: float
    joins: ClassVar[bool] = True

    def due(self, at: Moments) -> float:
        """Return when what waits is sent."""
        return at.first + self.seconds


def debounce(wait: float, *, max_wait: float | None = None) -> Debounce:
    """Send when nothing was written for so long: for what a user types.

    All that was written meanwhile is one transaction, in which a row is written once.

    Args:
        wait: seconds of silence.
        max_wait: send after so many seconds even if there is no silence; not given, never.

    >>> debounce(0.2, max_wait=2).due(Moments(first=10.0, last=10.5, sent=0.0))
    10.7

    Raises:
        ValueError: a time that is no positive number, or ``max_wait`` below ``wait``.
    """
    _check("debounce", wait)
    if max_wait is None:
        return Debounce(wait)
    _check("debounce", max_wait)
    if max_wait < wait:
        raise ValueError(f"debounce: max_wait={max_wait} is less than wait={wait}")
    return Debounce(wait, max_wait)


def throttle(wait: float) -> Throttle:
    """Send at most once in so many seconds: for sliders, progress, a text that grows.

    The first write is sent at once, what is written in the seconds after it as one transaction at
    their end, in which a row is written once.

    >>> throttle(0.2).due(Moments(first=10.1, last=10.15, sent=10.0))
    10.2

    Raises:
        ValueError: the time is no positive number.
    """
    _check("throttle", wait)
    return Throttle(wait)


def in_turn(wait: float = 0.0) -> InTurn:
    """Send every transaction by itself, each when the one before has its outcome.

    Args:
        wait: seconds from one outcome to the next request.

    Raises:
        ValueError: the time is negative, or no number.
    """
    if wait != 0:
        _check("in_turn", wait)
    return InTurn(wait)


def _check(name: str, seconds: float) -> None:
    if not 0 < seconds < math.inf:  # not for NaN either
        raise ValueError(f"{name}: {seconds} is no time: a positive number of seconds")
