"""When to try again, and how long to wait before (CLIENT-21, CLIENT-22)."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

# 501 says "not supported here": trying again cannot help. All other 5xx may pass.
_FINAL_SERVER_ERRORS: Final = frozenset({501})
_LONGEST_RETRY_AFTER: Final = 3600.0
_LARGEST_EXPONENT: Final = 700.0  # e**710 is more than a float can hold


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a safe request is repeated.

    Args:
        attempts: tries in all, the first one included; None is without bound.
        initial: longest wait before the second try, in seconds.
        multiplier: growth of the longest wait from one try to the next.
        maximum: bound of the longest wait, in seconds.
        elapsed: no try begins later than so many seconds after the first one; None is without
            bound.

    The wait is drawn evenly between 0 and the longest wait ("full jitter"), so that many clients
    of one server do not come back at the same moment. ``Retry-After`` is a lower bound.

    Raises:
        ValueError: for numbers that make no sense.
    """

    attempts: int | None = None
    initial: float = 0.1
    multiplier: float = 1.3
    maximum: float = 60.0
    elapsed: float | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if self.attempts is not None and self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}: at least 1, or None for no bound")
        if not 0 < self.initial <= self.maximum < math.inf:
            raise ValueError(
                f"initial {self.initial} and maximum {self.maximum}: "
                "0 < initial <= maximum, and finite"
            )
        if not 1 <= self.multiplier < math.inf:
            raise ValueError(f"multiplier is {self.multiplier}: at least 1, and finite")
        if self.elapsed is not None and not self.elapsed >= 0:
            raise ValueError(f"elapsed is {self.elapsed}: seconds, or None for no bound")

    def begin(self, clock: Callable[[], float] = time.monotonic) -> Failures:
        """Begin to count the failures of one request; ``clock`` gives seconds."""
        return Failures(self, clock)

    def delay(self, failures: int, retry_after: float | None = None) -> float | None:
        """Return the seconds to wait after so many failures in a row, or None to give up.

        Of ``elapsed`` only :class:`Failures` knows.

        >>> RetryPolicy(attempts=2).delay(2) is None
        True
        >>> 5.0 <= RetryPolicy().delay(1, retry_after=5.0)
        True
        """
        if self.attempts is not None and failures >= self.attempts:
            return None
        # The exponent is bounded so that a policy without bound never overflows.
        exponent = min((failures - 1) * math.log(self.multiplier), _LARGEST_EXPONENT)
        longest = min(self.maximum, self.initial * math.exp(exponent))
        wait = random.uniform(0, longest)  # noqa: S311 - jitter needs no secrecy
        return max(wait, retry_after or 0.0)


class Failures:
    """The failures in a row of one request, and since when.

    >>> failures = RetryPolicy(attempts=2).begin()
    >>> failures.next_delay() is None, failures.next_delay() is None, failures.count
    (False, True, 2)
    """

    def __init__(self, policy: RetryPolicy, clock: Callable[[], float]) -> None:
        self.count = 0
        self._policy: Final = policy
        self._clock: Final = clock
        self._began_at = 0.0
        self.forget()

    def next_delay(self, retry_after: float | None = None) -> float | None:
        """Count one more failure; return the seconds to wait, or None to give up."""
        self.count += 1
        wait = self._policy.delay(self.count, retry_after)
        bound = self._policy.elapsed
        if wait is None or bound is None:
            return wait
        return wait if self._clock() - self._began_at + wait <= bound else None

    def forget(self) -> None:
        """Begin anew: the request was answered."""
        self.count = 0
        if self._policy.elapsed is not None:
            self._began_at = self._clock()


def is_retryable(status: int) -> bool:
    """Tell whether a safe request that was answered so may be repeated (CLIENT-21).

    >>> [status for status in (400, 404, 409, 429, 500, 501, 503) if is_retryable(status)]
    [429, 500, 503]
    """
    return status == 429 or (500 <= status <= 599 and status not in _FINAL_SERVER_ERRORS)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read ``Retry-After`` (seconds or an HTTP date) as seconds from now, at most an hour.

    >>> retry_after({"retry-after": "2"})
    2.0
    >>> retry_after({"retry-after": "soon"}) is None
    True
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_RETRY_AFTER)
    from email.utils import parsedate_to_datetime  # few servers send a date, and it loads a lot

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
