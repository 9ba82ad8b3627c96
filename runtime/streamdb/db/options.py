"""The options of a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from streamdb.known_options import FLAG, SECONDS, Kind, refuse_unknown, refuse_wrong_kinds
from streamdb.near_miss import no_such
from streamdb.plain_functions import refuse_async
from streamdb.streams.options import KINDS_OF_STREAMS, StreamOptions
from streamdb.types.preview import printable, shortened

if TYPE_CHECKING:
    from streamdb.db.outbox import OutboxEntry
    from streamdb.protocol.exchange import Batch
    from streamdb.state.judging import Upcasts
    from streamdb.state.schema import StateSchema
    from streamdb.state.stream_event import StreamEvent


@dataclass(frozen=True, slots=True)
class InvalidEvent:
    """An event of the stream that is not as it must be (INVALID-3).

    Attributes:
        offset: the batch that held it ends here.
        type: its type, where it has one.
        key: its key, where it has one.
        pointer: JSON Pointer into the event.
        message: what is wrong.
        is_applied: False for an invalid event, which changes nothing. True if only the timestamp in
            its headers is wrong, on which nothing depends: it is reported and does what it does,
            under ``raise``, too, and is not counted as invalid (INVALID-7).
    """

    offset: str
    type: str | None
    key: str | None
    pointer: str
    message: str
    is_applied: bool = False

    def __str__(self) -> str:
        type_ = printable(self.type) if self.type else "untyped"
        who = f"{type_} event {shortened(self.key)!r}" if self.key else "event"
        where = f"{printable(self.pointer)}: " if self.pointer else ""
        what = "wrong timestamp of" if self.is_applied else "invalid"
        return f"{what} {who} before offset {self.offset}: {where}{self.message}"


InvalidPolicy = Literal["report", "raise", "ignore"]
OnInvalid = InvalidPolicy | Callable[[InvalidEvent], Any]
OnConflict = Literal["ours", "theirs"] | Callable[[Any, Any, Any], Any]
Live = Literal["auto", "sse", "long-poll"]
UpsertAs = Literal["upsert", "insert_or_update"]


class DatabaseOptions(StreamOptions, total=False):
    """The keywords that every database class takes.

    Callbacks are plain functions, called one after the other: those of an async database on its
    event loop between two steps of reading, those of a blocking one on the thread of its callbacks,
    which may fall behind; what waits there is kept in memory. What a callback raises is logged.

    Attributes:
        create: create the stream if there is none.
        start_offset: read from there instead of from the beginning: an offset that was handed out
            (`db.offset`, `Appended.offset`), for example that before a snapshot that a producer has
            written, or ``now`` for what comes from now on. The rows are those of the events from
            there. Not together with ``cache``.
        live: how to follow: ``auto``, ``sse`` or ``long-poll``.
        on_invalid: ``report`` logs an invalid event as a warning of ``streamdb.state`` (ten of
            them, and then their number when it is 100, 1000, ...), ``ignore`` only counts it,
            ``raise`` stops the database there; a function is called with it where
            callbacks of the database are.
        strict: hold every row that is read to the JSON Schema of its collection, where its class
            says less; one that breaks it is an invalid event. Needs the extra ``validate``.
        upcast: by event type, a function that is called with the value of an insert, update or
            upsert (plain JSON) that its collection refuses, and returns one of today: plain JSON,
            or a row. So that an old log can be read after the schema has changed. Where rows are
            merged, it gets the merged object. It runs while the stream is read: it must not wait.
            What it raises makes the event invalid. A cache is built anew if a type gets an upcast
            or loses it, not if its code changes.
        upsert_as: ``insert_or_update`` writes an upsert as one of these, by what this database
            holds, for readers that follow the text of the protocol alone and refuse ``upsert``.
        on_conflict: what becomes of rows of which a write has undone what others wrote, of all
            collections that have no function of their own (``collection.on_conflict``): a function
            like these, of rows of any collection, or whose row it is.
        on_event: called with every change and control message, after the batch that held it was
            taken in, in stream order; see :class:`StreamEvent`. Those of undeclared types, snapshot
            marks and resets are among them, and values that their collection refuses; what is no
            message at all is not, nor is what a cache holds.
        on_before_batch: called with each batch before it is taken in.
        on_batch: called with each batch after its events.
        on_progress: called with the number of events and of bytes read so far, and the offset
            behind the last batch, some times a second while there is much, and after each batch.
        progress: draw the progress of the first load on standard error. Needs the extra
            ``progress``.
        cache: a file, made if it is missing, that keeps what was read: opened again, the database
            reads on from there. It is readable by its owner only, holds no credentials, and is of
            one database at a time.
        outbox: keep what is written in a file beside the cache until it is on the stream: what was
            not acknowledged when the program ended, in any way, is sent when the database is opened
            again, in order, exactly once. Needs ``cache``.
        on_outbox_error: called with the :class:`OutboxEntry` of each transaction that is refused
            and will never be on the stream; it may have been written by an earlier process.
        close_timeout: seconds that closing waits for writes on their way, and then for callbacks.
    """

    create: bool
    start_offset: str
    live: Live
    on_invalid: OnInvalid
    strict: bool
    upcast: Upcasts
    upsert_as: UpsertAs
    on_conflict: OnConflict
    on_event: Callable[[StreamEvent], object]
    on_before_batch: Callable[[Batch], object]
    on_batch: Callable[[Batch], object]
    on_progress: Callable[[int, int, str], object]
    progress: bool
    cache: str | PathLike[str]
    outbox: bool
    on_outbox_error: Callable[[OutboxEntry], object]
    close_timeout: float


_CALLBACKS: Final = frozenset(
    {
        "on_batch",
        "on_before_batch",
        "on_conflict",
        "on_event",
        "on_invalid",
        "on_outbox_error",
        "on_progress",
    }
)
_KINDS: Final[Mapping[str, Kind]] = {
    "cache": Kind((str, PathLike, NoneType), "the path of a file"),
    "close_timeout": SECONDS,
    "create": FLAG,
    "outbox": FLAG,
    "progress": FLAG,
    "start_offset": Kind((str,), "an offset, which is a text, or 'now'"),
    "strict": FLAG,
    "upcast": Kind((Mapping,), "a dict of functions by event type"),
}
_CHOICES: Final = {
    "live": get_args(Live),
    "on_conflict": ("ours", "theirs"),
    "on_invalid": get_args(InvalidPolicy),
    "upsert_as": get_args(UpsertAs),
}


def check_options(options: DatabaseOptions) -> None:
    """Refuse what a type checker would refuse, for those who run none.

    Raises:
        TypeError: there is no such option, it takes something else, or a callback is ``async def``.
        ValueError: an option has no such value.
    """
    refuse_unknown(options, DatabaseOptions.__optional_keys__)
    refuse_wrong_kinds(options, {**_KINDS, **KINDS_OF_STREAMS})
    for name, value in options.items():
        choices = _CHOICES.get(name)
        if choices and value not in choices and not callable(value):
            raise ValueError(f"{name} is {value!r}: it must be one of {', '.join(choices)}")
    if "start_offset" in options and options.get("cache") is not None:
        raise ValueError("start_offset and cache exclude each other: a cache is of a whole stream")
    if options.get("outbox", False) and options.get("cache") is None:
        raise ValueError(
            "outbox=True keeps writes beside a cache: give cache='session.cache', or any other file"
        )
    if "on_outbox_error" in options and not options.get("outbox", False):
        raise ValueError("on_outbox_error tells what an outbox holds: pass outbox=True as well")
    for name in _CALLBACKS.intersection(options):
        function = cast("dict[str, object]", options)[name]
        if name not in _CHOICES or callable(function):
            refuse_async(function, name, "pass a function that creates a task")


def checked_upcasts(schema: StateSchema, options: DatabaseOptions) -> Upcasts:
    """Return the upcasts of the options.

    Raises:
        ValueError: one is for a type that no collection declares.
        TypeError: one is no function, or ``async def``.
    """
    upcasts = options.get("upcast", {})
    for type_, function in upcasts.items():
        if type_ not in schema.by_type:
            raise ValueError(
                no_such("upcast: no collection of type", type_, schema.by_type, listed_as="Types")
            )
        refuse_async(function, f"upcast of {type_!r}", "compute the new value at once")
    return upcasts
