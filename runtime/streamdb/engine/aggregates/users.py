"""Reducers of users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from streamdb.engine.aggregates.one_by_one import OneByOne
from streamdb.expr.fn import Reducer


class Accumulate(OneByOne):
    """Tells a reducer what comes and goes."""

    __slots__ = ("_answer", "_is_known", "_reducer")

    def __init__(self, make: Callable[[], Reducer[Any, Any]]) -> None:
        self._reducer: Final = make()
        self._answer: Any = None
        self._is_known = False

    def add(self, value: Any, place: Any, /) -> None:
        """Tell it."""
        self._is_known = False
        self._reducer.add(value)

    def remove(self, value: Any, place: Any, /) -> None:
        """Tell it."""
        self._is_known = False
        self._reducer.remove(value)

    def result(self) -> Any:
        """Ask it, if anything came or went."""
        if not self._is_known:
            self._answer = self._reducer.result()
            self._is_known = True
        return self._answer
