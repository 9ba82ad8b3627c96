"""The bounds of an idempotent producer."""

from __future__ import annotations

from dataclasses import dataclass

from streamdb.protocol import names


@dataclass(frozen=True, slots=True)
class ProducerOptions:
    """Bounds of a producer (CLIENT-37).

    Attributes:
        epoch: fences earlier writers of the same id; one more than the last one used.
        auto_claim: when fenced, take the id over with the next epoch instead of failing.
        linger: seconds that a value may wait for company before it is sent.
        max_batch_bytes: a batch that has reached this size is sent at once.
        max_batch_items: the same in values; None is without bound.
        max_in_flight: requests under way at once.
        max_buffered_bytes: with so much not yet stored, `append` waits.

    Raises:
        ValueError: for numbers that make no sense.
    """

    epoch: int = 0
    auto_claim: bool = False
    linger: float = 0.005
    max_batch_bytes: int = 1024 * 1024
    max_batch_items: int | None = None
    max_in_flight: int = 5
    max_buffered_bytes: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if not 0 <= self.epoch <= names.MAX_PRODUCER_INTEGER:
            raise ValueError(f"epoch is {self.epoch}: 0 to {names.MAX_PRODUCER_INTEGER}")
        if not 0 <= self.linger < float("inf"):
            raise ValueError(f"linger is {self.linger}: seconds, 0 or more")
        for name in ("max_batch_bytes", "max_batch_items", "max_in_flight", "max_buffered_bytes"):
            bound = getattr(self, name)
            if bound is not None and bound < 1:
                raise ValueError(f"{name} is {bound}: at least 1")
