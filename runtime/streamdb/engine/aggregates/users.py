"""Reducers of users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from streamdb.expr.fn import Reducer


class Accumulate:
    """Tells a reducer what comes and goes."""

    __slots__ = ("_reducer",)

    def __init__(self, make: Callable[[], Reducer[Any, Any]]) -> None:
        self._reducer: Final = make()

    def add(self, value: Any, place: Any, /) -> None:
        """Tell it."""
        self._reducer.add(value)

    def remove(self, value: Any, place: Any, /) -> None:
        """Tell it."""
        self._reducer.remove(value)

    def result(self) -> Any:
        """Ask it."""
        return self._reducer.result()
