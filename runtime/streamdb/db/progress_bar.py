"""A line in the terminal that tells how far the first load is. Needs rich."""

from __future__ import annotations

import time
from typing import Final

from streamdb.errors import MissingExtra
from streamdb.extras import how_to_install

_SECONDS_BETWEEN: Final = 0.1


class ProgressBar:
    """How much was read so far; how much there is, nobody knows. Drawn on standard error.

    Raises:
        MissingExtra: rich is not installed.
    """

    def __init__(self) -> None:
        try:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
        except ImportError:
            raise MissingExtra(
                f"progress=True draws with rich: {how_to_install('progress')}"
            ) from None
        columns = (
            SpinnerColumn(),
            TextColumn("loading: {task.completed:,.0f} events, {task.fields[size]:,.1f} MB"),
            TimeElapsedColumn(),
        )
        # Without a thread of its own: it is drawn when there is something new.
        self._progress: Final = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
        self._task: Final = self._progress.add_task("loading", total=None, size=0.0)
        self._drawn_at = 0.0

    def show(self, events: int, size: int) -> None:
        """Draw what was read, if the last time is long enough ago."""
        self._progress.update(self._task, completed=events, size=size / 1e6)
        if (now := time.monotonic()) - self._drawn_at >= _SECONDS_BETWEEN:
            self._progress.start()
            self._progress.refresh()
            self._drawn_at = now

    def finish(self) -> None:
        """Draw it for the last time."""
        self._progress.start()
        self._progress.refresh()
        self._progress.stop()
