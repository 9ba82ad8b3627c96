"""Ctrl-C between two steps of a command, and not within one."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupts:
    """Lets each step be done as a whole or not at all: what is said of it then is true.

    ::

        with Interrupts() as interrupts:
            for batch in batches:  # Ctrl-C ends the waiting here
                with interrupts.step:  # within, it is raised behind the block
                    ...

    A second Ctrl-C is raised at once: whoever reads our output may have stopped reading. Where
    Ctrl-C does something else than raise `KeyboardInterrupt`, that is left alone.
    """

    def __init__(self) -> None:
        self.step = _Step()
        self._before: Callable[[int, FrameType | None], Any] | int | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
            if self._before is signal.default_int_handler:
                signal.signal(signal.SIGINT, self.step.interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if kind is KeyboardInterrupt:
            # It may have come when a coroutine was made and had not begun; nobody is to be told.
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)


class _Step:
    def __init__(self) -> None:
        self._is_under_way = False
        self._is_interrupted = False

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self._is_under_way or self._is_interrupted:
            raise KeyboardInterrupt
        self._is_interrupted = True

    def __enter__(self) -> None:
        self._is_under_way = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_under_way = False
        if self._is_interrupted and kind is None:
            raise KeyboardInterrupt
