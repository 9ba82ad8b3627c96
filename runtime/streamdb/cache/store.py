"""A cache as a database sees it: a state that is loaded, and moves on with what is read.

Every call blocks. All are made on one thread.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from streamdb.cache.contract import digest_of
from streamdb.cache.evidence import Evidence, LastData, evidence_of
from streamdb.cache.file import CacheFile, Head, open_file
from streamdb.cache.lock import CacheLock
from streamdb.cache.outbox_file import is_to_be_sent, outbox_path
from streamdb.cache.private_file import Damaged
from streamdb.cache.reasons import reason_of
from streamdb.cache.saved import (
    Base,
    Ledger,
    Read,
    piece_of_reads,
    pieces_of_base,
    read_base,
    reads_of,
)
from streamdb.cache.setting_aside import set_aside
from streamdb.collections.loading import LoadingRows
from streamdb.state.schema import StateSchema

log: Final = logging.getLogger("streamdb.cache")

# What was read is written anew as rows when it is more than this, and more than half of those.
_LEAST_TO_REWRITE: Final = 1024 * 1024


class CacheStore:
    """One cache file under its lock.

    Args:
        path: the file.
        schema: what the stream holds.
        stream: which stream it is; without secrets.
        strict: as the option of databases.
        upcast: the types that have one.
        has_outbox: whether the outbox that may be beside it is opened, too.
    """

    def __init__(
        self,
        path: Path,
        schema: StateSchema,
        stream: str,
        *,
        strict: bool,
        upcast: Iterable[str] = (),
        has_outbox: bool = False,
    ) -> None:
        self._has_outbox: Final = has_outbox
        self.path: Final = path
        self._schema: Final = schema
        self._stream: Final = stream
        self._strict: Final = strict
        self._upcast: Final = tuple(upcast)
        self._contract = ""
        self._process: Final = os.getpid()
        self._lock: CacheLock | None = None
        self._file: CacheFile | None = None

    @property
    def room(self) -> int:
        """How many bytes of what is read may be added before all is to be written anew."""
        file = self._file
        return 0 if file is None else self._limit(file) - file.later_bytes

    def open(self) -> Head | None:
        """Open the file, made if it is missing; return what it stands for, None if nothing yet.

        Raises:
            CacheInUse: another database has it open.
            CacheError: it cannot be used; the lock is free.
        """
        try:
            return self._open()
        except BaseException:
            self.close()
            raise

    def load(
        self,
        take: Callable[[Ledger, dict[str, LoadingRows]], None],
        replay: Callable[[Read], None],
    ) -> None:
        """Hand over the state that the file holds, and then what was read after it.

        Raises:
            Damaged: it is not what was written; what was handed over is of no use.
        """
        file = self._opened()
        head = file.head
        assert head is not None  # noqa: S101 - there is something to load
        try:
            pieces = file.pieces()
            take(*read_base(self._schema, pieces, head.base))
            for piece in pieces:
                for read in reads_of(piece):
                    replay(read)
        except Exception as error:
            raise Damaged(reason_of(error)) from error

    def start_over(self, reason: str) -> None:
        """Set the file aside, say why, and begin an empty one.

        Raises:
            CacheError: it cannot be set aside.
        """
        file = self._opened()
        self._file = None
        file.close()
        kept = set_aside(self.path)
        self._file, _ = open_file(self.path)
        self._tell(f"{reason}; it is kept as {kept}")

    def rewrite(self, base: Base, last: LastData | None) -> None:
        """Put a state in the place of all that the file holds.

        ``last`` is the last data; not given, it is what it was.
        """
        file = self._opened()
        if last is None:
            assert file.head is not None  # noqa: S101 - there is nothing to know the stream by
            evidence = file.head.evidence
        else:
            evidence = last.evidence
        head = self._head(base.ledger.offset, evidence)
        file.rewrite(head, pieces_of_base(self._schema, base))
        log.debug("%s: rewritten at offset %s", self.path, base.ledger.offset)

    def add(self, reads: Sequence[Read]) -> None:
        """Add what was read after that."""
        start, batch = reads[-1]
        head = self._head(batch.offset, evidence_of(start, batch.parts))
        self._opened().append(head, [piece_of_reads(reads)])
        log.debug("%s: saved up to offset %s", self.path, batch.offset)

    def close(self) -> None:
        """Close the file and free the lock."""
        file, self._file = self._file, None
        lock, self._lock = self._lock, None
        try:
            if file is not None:
                file.close()
        finally:
            if lock is not None:
                lock.release()

    def __del__(self) -> None:
        """Close what nobody closed. While a thread is at work on it, it is no garbage."""
        if os.getpid() == self._process:  # a forked child's file and lock are its parent's
            self.close()

    def _open(self) -> Head | None:
        self._contract = digest_of(self._schema, strict=self._strict, upcast=self._upcast)
        self._lock = CacheLock(self.path)
        self._file, reason = open_file(self.path)
        if reason is not None:
            self._tell(reason)
        if not self._has_outbox and is_to_be_sent(self.path):
            log.warning(
                "%s holds writes that are not on the stream, and is not used: open it with "
                "outbox=True to have them sent",
                outbox_path(self.path),
            )
        head = self._file.head
        if head is None:
            return None
        if head.stream != self._stream:
            reason = f"it is of another stream, {head.stream}"
        elif head.contract != self._contract:
            reason = "it is of another schema"
        else:
            return head
        self.start_over(reason)
        return None

    def _head(self, offset: str, evidence: Evidence) -> Head:
        return Head(self._stream, self._contract, offset, evidence)

    def _opened(self) -> CacheFile:
        assert self._file is not None  # noqa: S101 - it is opened first
        return self._file

    def _limit(self, file: CacheFile) -> int:
        return max(_LEAST_TO_REWRITE, file.base_bytes // 2)

    def _tell(self, reason: str) -> None:
        log.warning("the cache %s is not used, and built anew: %s", self.path, reason)
