"""When to try again, and how long to wait before."""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.protocol.retry import RetryPolicy, is_retryable, retry_after

positive = st.floats(min_value=1e-9, max_value=1e9)
policies = st.builds(
    lambda attempts, first, second, multiplier: RetryPolicy(
        attempts, min(first, second), multiplier, max(first, second)
    ),
    st.none() | st.integers(1, 50),
    positive,
    positive,
    st.floats(min_value=1, max_value=1e300),
)
failures = st.integers(1, 10**9)


@given(policies, failures, st.none() | st.floats(0, 3600))
def test_waits_are_bounded_and_never_below_what_the_server_asks(
    policy: RetryPolicy, failures: int, asked: float | None
) -> None:  # CLIENT-22
    wait = policy.delay(failures, asked)
    if wait is None:
        assert policy.attempts is not None
        assert failures >= policy.attempts
    else:
        assert policy.attempts is None or failures < policy.attempts
        assert (asked or 0.0) <= wait <= max(policy.maximum, asked or 0.0)


@given(positive, st.floats(min_value=1, max_value=10))
def test_the_first_wait_is_within_the_initial_one(initial: float, multiplier: float) -> None:
    wait = RetryPolicy(initial=initial, multiplier=multiplier, maximum=1e10).delay(1)
    assert wait is not None
    assert 0 <= wait <= initial


def test_waits_grow_and_are_drawn_anew() -> None:
    policy = RetryPolicy(initial=1, multiplier=2, maximum=1000)
    longest = [max(policy.delay(n) or 0 for _ in range(200)) for n in (1, 4, 8)]
    assert longest[0] <= 1 < longest[1] <= 8 < longest[2] <= 128
    assert len({policy.delay(5) for _ in range(10)}) > 1


@pytest.mark.parametrize(
    "numbers",
    [
        {"attempts": 0},
        {"initial": 0.0},
        {"initial": -1.0},
        {"initial": math.nan},
        {"initial": 2.0, "maximum": 1.0},
        {"maximum": math.inf},
        {"multiplier": 0.5},
        {"multiplier": math.nan},
        {"multiplier": math.inf},
    ],
)
def test_numbers_that_make_no_sense_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(numbers))):
        RetryPolicy(**numbers)  # type: ignore[arg-type] # one call for all fields


def test_what_may_be_repeated() -> None:  # CLIENT-21
    retried = {status for status in range(100, 600) if is_retryable(status)}
    assert retried == {429} | (set(range(500, 600)) - {501})


@given(st.text())
def test_retry_after_never_fails(text: str) -> None:
    seconds = retry_after({"retry-after": text})
    assert seconds is None or 0 <= seconds <= 3600


@pytest.mark.parametrize(
    "hostile",
    ["9" * 400, "²", "-1", "1.5", "nan", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"],
)
def test_hostile_retry_after(hostile: str) -> None:
    seconds = retry_after({"retry-after": hostile})
    assert seconds is None or 0 <= seconds <= 3600


@given(st.integers(-10_000, 10_000))
def test_retry_after_as_a_date(distance: int) -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    text = format_datetime(now + timedelta(seconds=distance), usegmt=True)
    assert retry_after({"retry-after": text}, now) == min(max(distance, 0), 3600)
