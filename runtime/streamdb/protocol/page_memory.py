"""Pages that were read before, to be asked for again by their ETag (CLIENT-9, ETAG-3)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, NamedTuple

from streamdb.protocol.exchange import Batch

_MOST_BYTES: Final = 1024 * 1024


class RememberedPage(NamedTuple):
    """A page, and what the server calls this state of it."""

    etag: str
    batch: Batch


class PageMemory:
    """The pages read last, by the offset they begin at; a bounded number of bytes.

    Threads that read through one handle share it.

    >>> memory = PageMemory()
    >>> memory.find("-1") is None
    True
    """

    def __init__(self) -> None:
        self._pages: OrderedDict[str, RememberedPage] = OrderedDict()
        self._bytes = 0
        self._lock: Final = threading.Lock()

    def find(self, offset: str) -> RememberedPage | None:
        """Return the page that begins there, if it is remembered."""
        with self._lock:
            return self._pages.get(offset)

    def keep(self, offset: str, etag: str | None, batch: Batch) -> None:
        """Remember a page, if it has a name and is not too large; forget the oldest for it."""
        with self._lock:
            self._forget(offset)
            if etag is None or len(batch.data) > _MOST_BYTES:
                return
            self._pages[offset] = RememberedPage(etag, batch)
            self._bytes += len(batch.data)
            while self._bytes > _MOST_BYTES:
                self._forget(next(iter(self._pages)))

    def _forget(self, offset: str) -> None:
        page = self._pages.pop(offset, None)
        if page is not None:
            self._bytes -= len(page.batch.data)
