"""What a program looks at while its database reads: batches, events, progress.

Observers change nothing and stop nothing: what one raises is logged. They are called where the
callbacks of a database are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from streamdb.db.metrics import Progress
from streamdb.db.options import DatabaseOptions
from streamdb.db.progress_bar import ProgressBar
from streamdb.protocol.exchange import Batch
from streamdb.protocol.names import BEGINNING
from streamdb.state.stream_event import events_by_piece

Deliver = Callable[[Callable[[], object]], None]


class Observers:
    """The observers of one database, and how much it has read.

    Args:
        options: which ones there are.
        deliver: runs a user's callback where callbacks of this database run.

    Raises:
        MissingExtra: progress is to be drawn, and rich is not installed.
    """

    def __init__(self, options: DatabaseOptions, deliver: Deliver) -> None:
        self._deliver: Final = deliver
        self._on_event: Final = options.get("on_event")
        self._on_before_batch: Final = options.get("on_before_batch")
        self._on_batch: Final = options.get("on_batch")
        self._on_progress: Final = options.get("on_progress")
        self._bar = ProgressBar() if options.get("progress", False) else None
        self._events = self._bytes = 0  # of the batches that were taken in
        self._offset = BEGINNING

    def before(self, batch: Batch) -> None:
        """A batch has come."""
        if self._on_before_batch is not None:
            self._deliver(partial(self._on_before_batch, batch))

    def meanwhile(self, progress: Progress) -> None:
        """Some of a batch was taken in."""
        self._tell_progress(self._events + progress.events, self._bytes + progress.bytes)

    def after(self, batch: Batch, events: int) -> Iterator[None]:
        """Tell of a batch of so many events that was taken in; others have their turn at each step.

        A batch that is read again after a reset is told again.
        """
        if self._on_event is not None:
            for part in batch.parts:
                for found in events_by_piece(part, offset=batch.offset):
                    for event in found:
                        self._deliver(partial(self._on_event, event))
                    yield
        self._events += events
        self._bytes += sum(map(len, batch.parts))
        self._offset = batch.offset
        if self._on_batch is not None:
            self._deliver(partial(self._on_batch, batch))
        self._tell_progress(self._events, self._bytes)

    def loaded(self) -> None:
        """The first load is there, or will never be: there is no progress to draw any more."""
        bar, self._bar = self._bar, None
        if bar is not None:
            self._deliver(bar.finish)

    def _tell_progress(self, events: int, size: int) -> None:
        if self._on_progress is not None:
            self._deliver(partial(self._on_progress, events, size, self._offset))
        if self._bar is not None:
            self._deliver(partial(self._bar.show, events, size))
