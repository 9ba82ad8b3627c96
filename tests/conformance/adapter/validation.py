"""The command `validate`: does the client refuse options that make no sense?"""

from __future__ import annotations

import re
from typing import Final

from adapter.commands import ProducerTarget, RetryTarget

from streamdb import AsyncStream, RetryPolicy

# The runner looks for the names that it uses itself.
_NAMES_OF_THE_RUNNER: Final = {
    "max_batch_bytes": "maxBatchBytes",
    "max_batch_items": "maxBatchItems",
    "attempts": "maxRetries",
    "initial": "initialDelayMs",
    "maximum": "maxDelayMs",
}
_OUR_NAMES: Final = re.compile(rf"\b({'|'.join(_NAMES_OF_THE_RUNNER)})\b")


class RefusedArgument(ValueError):
    """The client refused an option."""


def validate(target: ProducerTarget | RetryTarget, stream: AsyncStream) -> None:
    """Make what the target names, without any request.

    Raises:
        RefusedArgument: the client would not have it; the message has the runner's names.
    """
    try:
        if isinstance(target, ProducerTarget):
            _make_producer(target, stream)
        else:
            _make_policy(target)
    except ValueError as error:
        told = _OUR_NAMES.sub(lambda found: _NAMES_OF_THE_RUNNER[found[0]], str(error))
        raise RefusedArgument(told) from error


def _make_producer(target: ProducerTarget, stream: AsyncStream) -> None:
    given = {
        "epoch": target.epoch,
        "max_batch_bytes": target.max_batch_bytes,
        "max_batch_items": target.max_batch_items,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    stream.producer(target.producer_id, **settings)  # type: ignore[arg-type]  # names and types fit


def _make_policy(target: RetryTarget) -> None:
    initial = target.initial_delay_ms
    maximum = target.max_delay_ms
    default = RetryPolicy()
    # One alone is judged by itself, and not by the default of the other.
    shortest = default.initial if maximum is None else min(default.initial, maximum / 1000)
    longest = default.maximum if initial is None else max(default.maximum, initial / 1000)
    RetryPolicy(
        attempts=None if target.max_retries is None else target.max_retries + 1,
        initial=shortest if initial is None else initial / 1000,
        maximum=longest if maximum is None else maximum / 1000,
        multiplier=default.multiplier if target.multiplier is None else target.multiplier,
    )
