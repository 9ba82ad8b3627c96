"""Every error that streamdb raises, in one tree.

``StreamDBError`` is the root. Below it, ``StreamError`` and its children are about one stream
(status, URL and offset where known); the others are about schemas, rows and writes. A message says
what happened, where, and what to do.
"""

from __future__ import annotations

from typing import Any, Final


class StreamDBError(Exception):
    """The root of all errors of this package."""


# --- about a stream -------------------------------------------------------------------------


class StreamError(StreamDBError):
    """Something went wrong with a stream.

    Attributes:
        url: the stream's address, without credentials or parameters.
        status: the HTTP status, if there was an answer.
        offset: the offset that was asked for or reached, if known.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str | None = None,
        status: int | None = None,
        offset: str | None = None,
    ) -> None:
        where = [f"url {url}"] if url else []
        where += [f"status {status}"] if status is not None else []
        where += [f"offset {offset}"] if offset is not None else []
        super().__init__(f"{message} ({', '.join(where)})" if where else message)
        self.url = url
        self.status = status
        self.offset = offset


class StreamNotFound(StreamError):
    """There is no such stream (404)."""


class StreamGone(StreamError):
    """The stream was deleted, or the offset is older than what is kept (410)."""


class StreamExists(StreamError):
    """A stream with another configuration lives at this URL (409 on create)."""


class ContentTypeConflict(StreamError):
    """The body's media type is not the stream's (409 on append)."""


class StreamClosed(StreamError):
    """The stream is closed: it takes no more data (409). ``final_offset`` is its end."""

    def __init__(
        self,
        message: str,
        *,
        final_offset: str | None,
        url: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, url=url, status=status, offset=final_offset)
        self.final_offset = final_offset


class ProducerFenced(StreamError):
    """Another writer took over this producer id with a higher epoch (403)."""

    def __init__(self, message: str, *, epoch: int, url: str | None = None) -> None:
        super().__init__(message, url=url, status=403)
        self.epoch = epoch


class ProducerGap(StreamError):
    """The server expected a lower sequence number: an earlier batch never arrived (409)."""

    def __init__(self, message: str, *, expected: int, received: int, url: str | None) -> None:
        super().__init__(message, url=url, status=409)
        self.expected = expected
        self.received = received


class ProducerFailed(StreamError):
    """A producer could not write some of what it was given. ``__cause__`` says why.

    Attributes:
        unwritten: values that are certainly not on the stream, in the order they were given; bytes
            where JSON cannot be read back, as a number of thousands of digits.
        unknown: values that may be on the stream: the answer to their request was lost.
        is_stopped: True if the producer writes no more until it is restarted; False if the server
            refused these values alone.
    """

    def __init__(
        self,
        message: str,
        *,
        unwritten: tuple[Any, ...],
        unknown: tuple[Any, ...],
        is_stopped: bool,
        url: str,
        status: int | None,
    ) -> None:
        super().__init__(message)  # it ends with that of the cause, which names the place
        self.url = url
        self.status = status
        self.unwritten = unwritten
        self.unknown = unknown
        self.is_stopped = is_stopped


class BufferFull(StreamDBError):
    """A producer or a writer holds as much as it may: use `append` or `write`, which waits."""


class SequenceConflict(StreamError):
    """``Stream-Seq`` is not above the last one of the stream (409 on append)."""


class BadRequest(StreamError):
    """The server did not understand the request, for instance a malformed offset (400)."""


class AccessDenied(StreamError):
    """The server wants other credentials (401, 403)."""


class PayloadTooLarge(StreamError):
    """The body is larger than the server takes (413)."""


class RateLimited(StreamError):
    """Too many requests, and the retry policy is used up (429)."""


class UnexpectedStatus(StreamError):
    """A status that the protocol does not define for this request."""


class ConnectionFailed(StreamError):
    """The server could not be reached, or the connection broke, and retrying did not help."""


class NotReached(ConnectionFailed):
    """No connection could be made at any try: the server knows nothing of the request."""


class StreamTimeout(ConnectionFailed, TimeoutError):
    """The server was reached and did not answer in time, and retrying did not help."""


class NotSupported(StreamError):
    """The server does not do this (405, 501)."""


class StreamParseError(StreamError):
    """What came over the wire is not what the protocol or the media type promises."""


class NotAStateStream(StreamError):
    """The stream's media type is not ``application/json``: it cannot hold state events."""


class BadAddress(StreamDBError, ValueError):
    """An address that is neither an HTTP URL nor an embedded one."""


class BadHeader(StreamDBError, ValueError):
    """A header of the caller's that cannot be sent. The message never holds its value."""


class HandleClosed(StreamDBError, RuntimeError):
    """A stream handle was used after it had been closed."""


# --- about schemas, rows and writes -----------------------------------------------------------


class SchemaError(StreamDBError):
    """A schema declaration makes no sense."""


class UnknownCollection(SchemaError, KeyError):
    """A name that no collection has; the message lists those that there are."""

    __str__ = Exception.__str__


class SpecError(SchemaError):
    """A spec file, or one that it refers to, cannot be used.

    The message begins with ``file:line:column``, as editors and terminals follow it.

    Attributes:
        file: the path of the file that is wrong.
        line: counted from 1; None if the file could not be read.
        column: counted from 1, in characters; None if the file could not be read.
        pointer: JSON Pointer to the place; empty for the whole file.
        reason: what is wrong there.
        hint: what to do, if that is known.
    """

    def __init__(
        self,
        reason: str,
        *,
        file: str,
        line: int | None = None,
        column: int | None = None,
        pointer: str = "",
        hint: str | None = None,
    ) -> None:
        at = pointer if len(pointer) <= _LONGEST_POINTER else pointer[:_LONGEST_POINTER] + "…"
        place = f"{file}:{line}:{column}: {at or '/'}" if line is not None else file
        super().__init__(_printable(f"{place}: {reason}" + (f" ({hint})" if hint else "")))
        self.file = file
        self.line = line
        self.column = column
        self.pointer = pointer
        self.reason = reason
        self.hint = hint


class InvalidRow(StreamDBError, ValueError):
    """A row does not fit its type; nothing was sent. ``pointer`` is a JSON Pointer into the row."""

    def __init__(self, message: str, *, type: str, pointer: str = "") -> None:
        super().__init__(message)
        self.type = type
        self.pointer = pointer


class InvalidInput(StreamDBError, ValueError):
    """The input of an action does not fit its type; the action did nothing.

    Attributes:
        action: the name of its method.
        pointer: JSON Pointer into the input.
    """

    def __init__(self, message: str, *, action: str, pointer: str = "") -> None:
        super().__init__(message)
        self.action = action
        self.pointer = pointer


class ContractBroken(StreamDBError, ValueError):
    """A value breaks a JSON Schema.

    Attributes:
        reason: what the schema asks for, in its own words; nothing of the value.
        pointer: JSON Pointer to the place in the value.
        keyword: the keyword of the schema that is broken.
        found: what stands there instead, in a few words and never whole; not for logs.
    """

    def __init__(self, reason: str, *, pointer: str, keyword: str, found: str = "") -> None:
        at = pointer if len(pointer) <= _LONGEST_POINTER else pointer[:_LONGEST_POINTER] + "…"
        text = f"{reason}; found {found}" if found else reason
        super().__init__(f"{at}: {text}" if at else text)
        self.reason = reason
        self.pointer = pointer
        self.keyword = keyword
        self.found = found


class InvalidEventError(StreamDBError):
    """An event of the stream does not fit the schema, under ``on_invalid="raise"``.

    Attributes:
        url: the stream's address, without credentials or parameters.
        offset: the batch that held it ends here.
        type: its type, where it has one.
        key: its key, where it has one.
        pointer: JSON Pointer into the event.
        reason: what is wrong; nothing of the event's content.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        offset: str,
        type: str | None,
        key: str | None,
        pointer: str,
        reason: str,
    ) -> None:
        super().__init__(message)
        self.url = url
        self.offset = offset
        self.type = type
        self.key = key
        self.pointer = pointer
        self.reason = reason


class DuplicateKey(StreamDBError, KeyError):
    """``insert`` of a key that the collection holds already."""

    __str__ = Exception.__str__


class MissingKey(StreamDBError, KeyError):
    """``update`` or ``delete`` of a key that the collection does not hold."""

    __str__ = Exception.__str__


class UnknownTransaction(StreamDBError, KeyError):
    """A transaction that is not pending (any more), or that the outbox does not hold."""

    __str__ = Exception.__str__


class TransactionFailed(StreamDBError):
    """The writes of a transaction are not on the stream; ``__cause__`` says why."""


class RowChanged(TransactionFailed):
    """``update(..., expect=row)``: the row is another one by now; nothing was written.

    Raised by ``update``, or by what waits for the transaction.

    Attributes:
        row: the row that is there instead, None if there is none.
    """

    def __init__(self, message: str, row: Any) -> None:
        super().__init__(message)
        self.row = row


class RolledBack(TransactionFailed):
    """The transaction was rolled back by hand: ``tx.rollback()``."""


class TransactionUnresolved(TransactionFailed):
    """The database closed before the outcome of a write was known, or it was given up."""


class WriterFailed(TransactionFailed):
    """A writer of rows could not write some of them, and has stopped. ``__cause__`` says why.

    All rows before these are on the stream, and none behind them.

    Attributes:
        unwritten: rows that are certainly not on the stream, in the order they were written.
        unknown: rows that may be on the stream: the answer to their request was lost.
    """

    def __init__(
        self, message: str, *, unwritten: tuple[Any, ...], unknown: tuple[Any, ...]
    ) -> None:
        super().__init__(message)
        self.unwritten = unwritten
        self.unknown = unknown


class TransactionKept(TransactionUnresolved):
    """The database closed before a write was on the stream; it is in the outbox, and goes on."""


class WaitTimeout(StreamDBError, TimeoutError):
    """What was waited for took longer than the caller's timeout; it goes on."""


class TxidTimeout(WaitTimeout):
    """A transaction id did not come back on the stream in time."""


class ConditionTimeout(WaitTimeout):
    """What was waited for by ``until`` did not become true in time."""


class NotConnected(StreamDBError):
    """A database was read or waited upon before anything had connected it."""


class DatabaseClosed(StreamDBError):
    """The database is closed."""


class QueryClosed(StreamDBError):
    """A live query is closed, or one that it is derived from."""


class WouldDeadlock(StreamDBError, RuntimeError):
    """A blocking call on the thread that would have to answer it."""


class ForkedProcess(StreamDBError, RuntimeError):
    """A database of the parent process was used after ``os.fork()``."""


class CacheError(StreamDBError):
    """The file of a database's cache cannot be used: it is no cache, or the disk refuses it."""


class CacheInUse(CacheError):
    """Another database has the same cache file open, in this process or in another one."""


# --- about the installation -------------------------------------------------------------------


class MissingExtra(StreamDBError, ImportError):
    """An optional part is not installed; the message names the extra."""


class AbiMismatch(StreamDBError, ImportError):
    """Generated code and runtime do not fit each other; the message names the command to run."""


# --- about expressions: mistakes in the program, not in the data --------------------------------


class ExpressionError(StreamDBError, TypeError):
    """An expression that makes no sense, or a function that returned no expression."""


class UnknownColumn(ExpressionError, AttributeError):
    """A column that the row type does not have; the message lists those that it has."""


class NotOneRow(StreamDBError, LookupError):
    """``one()`` of a query that has no row, or several."""


_LONGEST_POINTER: Final = 500  # a key of a user's file may be of any length
_LONGEST_MESSAGE: Final = 2000


def _printable(text: str) -> str:
    """Escape what a terminal would act on, and cut what nobody would read."""
    cut = text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
