"""Headers and parameters whose values are made anew for every append and read."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

from adapter.commands import SetDynamicHeader, SetDynamicParam


class DynamicValues:
    """Names, and what gives their next values."""

    def __init__(self) -> None:
        self._sources: dict[str, Callable[[], str]] = {}

    def set(self, command: SetDynamicHeader | SetDynamicParam) -> None:
        self._sources[command.name] = _source(command)

    def clear(self) -> None:
        self._sources.clear()

    def next(self) -> dict[str, str]:
        """Return the value of each name, computed once."""
        return {name: source() for name, source in self._sources.items()}


def _source(command: SetDynamicHeader | SetDynamicParam) -> Callable[[], str]:
    if command.value_type == "counter":
        numbers = itertools.count(1)
        return lambda: str(next(numbers))
    if command.value_type == "timestamp":
        return lambda: str(time.time_ns() // 1_000_000)
    initial: Any = getattr(command, "initial_value", None)
    token = "" if initial is None else str(initial)
    return lambda: token
