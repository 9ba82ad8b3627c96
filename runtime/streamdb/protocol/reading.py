"""Reading a stream: catch up, then follow it live, through every loss of connection.

The one rule behind all of it: the position moves only with a delivered batch, so that reading on
from it neither loses nor repeats anything (CLIENT-1, CLIENT-17).
"""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Final, Literal, NamedTuple, get_args

import msgspec

from streamdb.errors import BadAddress, StreamError, StreamParseError
from streamdb.protocol import names
from streamdb.protocol.answers import header, next_offset, preview, raise_for_answer
from streamdb.protocol.calling import back_off, call
from streamdb.protocol.exchange import (
    Answer,
    Batch,
    Deliver,
    Interrupted,
    NoReply,
    Operation,
    Release,
    Reply,
    Request,
    Sleep,
    consult,
    exchange,
    open_reply,
    pause,
    receive,
)
from streamdb.protocol.page_memory import PageMemory
from streamdb.protocol.retry import RetryPolicy, is_retryable
from streamdb.protocol.soundness import Damage, damage_of, damage_of_page
from streamdb.protocol.sse import EventParser, ServerSentEvent
from streamdb.protocol.values import is_text

LiveMode = Literal[False, "auto", "long-poll", "sse"]

# CLIENT-20: SSE connections that end at once are the mark of a buffering proxy. The same waits
# slow down long-polls at a server that does not know `live` and answers at once (QUERY-3).
_SHORT_CONNECTION: Final = 1.0
_SHORT_CONNECTIONS_IN_A_ROW: Final = 3
_SHORT_BASE_WAIT: Final = 0.1
_SHORT_LONGEST_WAIT: Final = 5.0
# What comes damaged so often from one offset is stored so, or damaged on every way.
_TRIES_OF_DAMAGED: Final = 3

_OK: Final = frozenset({200})
_OK_OR_NOTHING_NEW: Final = frozenset({200, 204})


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read.

    Attributes:
        url: the stream's address, for messages.
        offset: where to start; ``-1`` is the beginning, ``now`` the tail.
        live: False to stop when caught up, else how to follow. ``auto`` takes SSE where the data
            survives it (JSON), long-poll elsewhere, and leaves SSE if connections keep breaking.
        retry: for requests before the first answer. A reader that was connected before passes
            its reconnect policy here too.
        reconnect: for every loss of connection after it.
        memory: pages that were read before, for catching up again.
        clock: seconds that never go back, to tell short connections.
    """

    url: str
    clock: Callable[[], float]
    offset: str = names.BEGINNING
    live: LiveMode = "auto"
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    reconnect: RetryPolicy = field(default_factory=RetryPolicy)
    memory: PageMemory | None = None

    def __post_init__(self) -> None:
        """Refuse an unknown mode (True, the likely one, equals none), and what no URL can say."""
        if self.live not in get_args(LiveMode):
            modes = ", ".join(map(repr, get_args(LiveMode)))
            raise ValueError(f"live is {self.live!r}: one of {modes}")
        if not self.offset or not is_text(self.offset):
            raise BadAddress(f"the offset {self.offset!r} is none: take one that a batch gave")


@dataclass(frozen=True, slots=True)
class _Position:
    offset: str
    cursor: str | None
    content_type: str

    def params(self, live: str | None) -> dict[str, str]:
        params = {names.OFFSET: self.offset}
        if live is not None:
            params[names.LIVE] = live
        if self.cursor is not None:
            params[names.CURSOR] = self.cursor  # CLIENT-5
        return params


def reading(options: ReadOptions) -> Operation[None]:
    """Deliver batches until caught up (``live=False``) or until the stream ends.

    After an error the caller's handler is asked (C10); if it says so, the read goes on from the
    last batch.

    Raises:
        StreamError: the stream is missing, gone or unreadable, or the policies are used up.
    """
    failures = options.reconnect.begin(options.clock)
    while True:
        reached = options.offset
        try:
            operation = _read_on(options)
            answer: Answer = None
            while True:
                effect = operation.send(answer)
                if isinstance(effect, Deliver):
                    options = replace(options, offset=effect.batch.offset, retry=options.reconnect)
                answer = yield effect
        except StopIteration:
            return
        except StreamError as error:
            if options.offset != reached:
                failures.forget()
            yield Release()
            if not (yield from consult(error)):
                raise
            wait = failures.next_delay()
            if wait is None:
                raise
            yield Sleep(wait)


def _read_on(options: ReadOptions) -> Operation[None]:
    batch = yield from _catch_up(options)
    if batch.closed or options.live is False:
        return
    position = _Position(batch.offset, batch.cursor, batch.content_type)
    mode = options.live
    if mode == "auto":
        # Text over SSE loses carriage returns; JSON does not (trap 10).
        is_json = batch.content_type == names.JSON_MEDIA_TYPE
        mode = names.SSE if is_json else names.LONG_POLL
    if mode == names.SSE:
        left_at = yield from _follow_sse(options, position)
        if left_at is None:
            return
        # The last that was told of SSE may be that a connection ended.
        yield from _follow_long_poll(options, left_at, is_interrupted=True)
    else:
        yield from _follow_long_poll(options, position, is_interrupted=False)


def _catch_up(options: ReadOptions) -> Operation[Batch]:
    """Read page after page until up to date; the requests carry no `live` (CLIENT-6)."""
    position = _Position(options.offset, None, names.DEFAULT_MEDIA_TYPE)
    retry = options.retry
    doubts = _Doubts(options)
    while True:
        page = options.memory.find(position.offset) if options.memory is not None else None
        request = Request(
            "GET",
            params=position.params(None),
            headers={"If-None-Match": page.etag} if page is not None else {},
        )
        reply, _ = yield from call(request, retry, url=options.url, doing="read", consults=False)
        if page is not None and reply.status == 304:
            batch = page.batch
        else:
            raise_for_answer(
                reply, url=options.url, doing="read", offset=position.offset, allow=_OK
            )
            batch = _batch_of(reply, position, options.url)
            if (yield from doubts.resolve(batch, position)):
                continue
            if options.memory is not None and not doubts.has_tolerated:
                options.memory.keep(position.offset, header(reply, "ETag"), batch)
        yield Deliver(batch)
        # CLIENT-2, CLIENT-3: headers decide, never the length of a body. A page that moves
        # nothing and claims nothing would be asked for again for ever.
        if batch.closed or batch.up_to_date:
            return batch
        if batch.offset == position.offset:
            raise StreamParseError(
                "read: the answer neither moves on nor says that it is up to date",
                url=options.url,
                status=reply.status,
                offset=position.offset,
            )
        position = _Position(batch.offset, batch.cursor, batch.content_type)
        retry = options.reconnect


def _follow_long_poll(
    options: ReadOptions, position: _Position, *, is_interrupted: bool
) -> Operation[None]:
    failures = options.reconnect.begin(options.clock)
    doubts = _Doubts(options)
    idle_answers = 0
    while True:
        # A poll of an idle stream is answered late. After an interruption the reader shall learn
        # at once that it is connected again, so that one request is made without waiting.
        live = None if is_interrupted else names.LONG_POLL
        request = Request("GET", params=position.params(live), patient=live is not None)
        reply = yield from exchange(request)
        if isinstance(reply, NoReply) or is_retryable(reply.status):
            is_interrupted = True
            yield from back_off(reply, failures, url=options.url, offset=position.offset)
            continue
        failures.forget()
        is_interrupted = False
        raise_for_answer(
            reply,
            url=options.url,
            doing="read",
            offset=position.offset,
            allow=_OK_OR_NOTHING_NEW,
        )
        batch = _batch_of(reply, position, options.url)
        if (yield from doubts.resolve(batch, position)):
            is_interrupted = True
            continue
        yield Deliver(batch)
        if batch.closed:
            return
        if live is not None and reply.status == 200 and batch.offset == position.offset:
            idle_answers += 1
            yield Sleep(_short_wait(idle_answers))
        else:
            idle_answers = 0
        position = replace(position, offset=batch.offset, cursor=batch.cursor)


def _follow_sse(options: ReadOptions, position: _Position) -> Operation[_Position | None]:
    """Follow by SSE. Return None at the end of the stream, or where long-poll shall go on."""
    failures = options.reconnect.begin(options.clock)
    doubts = _Doubts(options)
    short_connections = 0
    while True:
        request = Request(
            "GET",
            params=position.params(names.SSE),
            headers={"Accept": names.SSE_MEDIA_TYPE},
            patient=True,
        )
        reply = yield from open_reply(request)
        if isinstance(reply, NoReply) or is_retryable(reply.status):
            yield Release()
            yield from back_off(reply, failures, url=options.url, offset=position.offset)
            continue
        failures.forget()
        raise_for_answer(reply, url=options.url, doing="read", offset=position.offset, allow=_OK)
        if names.media_type(reply.headers.get("content-type", "")) != names.SSE_MEDIA_TYPE:
            yield Release()
            return position  # the server does not do SSE; QUERY-3
        opened_at = options.clock()
        ended = yield from _deliver_events(reply, position, options.url)
        yield Release()
        if ended.is_finished:
            return None
        position = ended.position
        if ended.damage is not None:
            if (yield from doubts.ask_again(ended.damage, position)):
                continue
            return position  # whatever damages the events may leave pages alone
        if options.clock() - opened_at >= _SHORT_CONNECTION:
            short_connections = 0
            continue  # SSE-17: servers end connections from time to time
        short_connections += 1
        if short_connections >= _SHORT_CONNECTIONS_IN_A_ROW:
            return position
        wait = _short_wait(short_connections)
        yield from pause(
            Interrupted("read", "the connection ended at once", wait, short_connections)
        )


class _Ended(NamedTuple):
    """How the following of one SSE connection ended, and how far it came."""

    position: _Position
    is_finished: bool = False
    damage: Damage | None = None


def _deliver_events(reply: Reply, position: _Position, url: str) -> Operation[_Ended]:
    """Deliver what one SSE connection brings."""
    parser = EventParser()
    is_base64 = (header(reply, names.SSE_DATA_ENCODING) or "").lower() == "base64"
    gathered = _Gathered(position.content_type, is_base64=is_base64)
    while True:
        chunk = yield from receive()
        if isinstance(chunk, NoReply) or not chunk:
            return _Ended(position)
        for event in parser.feed(chunk):
            if event.name != names.CONTROL_EVENT.encode():
                gathered.take(event)
                continue
            control = _parse_control(event.data, position, url)
            batch = Batch(
                parts=tuple(gathered.parts),
                offset=control.offset,
                cursor=control.cursor or position.cursor,  # CLIENT-4
                up_to_date=control.up_to_date or control.closed,  # SSE-13
                closed=control.closed,
                content_type=position.content_type,
            )
            damage = gathered.damage_of(batch, position.offset)
            if damage is not None:
                return _Ended(position, damage=damage)
            gathered = _Gathered(position.content_type, is_base64=is_base64)
            yield Deliver(batch)
            position = replace(position, offset=batch.offset, cursor=batch.cursor)
            if batch.closed:
                return _Ended(position, is_finished=True)


class _Gathered:
    """Data that no control event has confirmed yet (CLIENT-17)."""

    def __init__(self, content_type: str, *, is_base64: bool) -> None:
        self.parts: list[bytes] = []
        self._is_json: Final = content_type == names.JSON_MEDIA_TYPE
        self._is_base64: Final = is_base64
        self._damage: Damage | None = None
        self._has_strange = False

    def take(self, event: ServerSentEvent) -> None:
        """Take an event that is no control event."""
        if event.name != names.DATA_EVENT.encode():
            # CLIENT-14 has us ignore it. A name that nobody gives was another one's before.
            self._has_strange = True
            if not event.name.isascii() or not event.name.decode().isprintable():
                self._damage = Damage(f"an event is called {preview(event.name)}")
            return
        data = event.data
        if self._is_base64:
            try:
                data = _decode_base64(data)
            except binascii.Error as error:
                self._damage = Damage(f"bad base64 in a data event: {error}")
        if data or self._is_json:  # no JSON is empty
            self.parts.append(data)
        else:
            self._has_strange = True

    def damage_of(self, confirmed: Batch, asked: str) -> Damage | None:
        """Find out whether this can be what a control event confirms."""
        if confirmed.offset != asked:
            if self._damage is not None:
                return self._damage
            if self._has_strange and not self.parts:
                return Damage("the data that a control event confirms has not come")
        return damage_of(confirmed, asked)


class _Doubts:
    """Answers that cannot be right are asked for again, some times from each offset.

    ``has_tolerated`` is True if the last one was damaged and is delivered nevertheless.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._options: Final = options
        self._failures = options.reconnect.begin(options.clock)
        self._offset: str | None = None
        self._parts: set[tuple[bytes, ...]] = set()
        self.has_tolerated = False

    def resolve(self, batch: Batch, position: _Position) -> Operation[bool]:
        """Return True if the batch shall be asked for again, False if it can be delivered.

        Raises:
            StreamParseError: neither; the damaged text is quoted.
        """
        damage = damage_of_page(batch, position.offset)
        self.has_tolerated = False
        if damage is None:
            return False
        if (yield from self.ask_again(damage, position, batch.parts)):
            return True
        if damage.is_of_one_event and len(self._parts) == 1:  # it was the same each time
            self.has_tolerated = True
            return False
        raise StreamParseError(
            f"read: {damage.reason}", url=self._options.url, offset=position.offset
        )

    def ask_again(
        self, damage: Damage, position: _Position, parts: tuple[bytes, ...] = ()
    ) -> Operation[bool]:
        """Wait before the next try, and return True; False if there were enough."""
        if position.offset != self._offset:
            self._failures.forget()
            self._parts.clear()
            self._offset = position.offset
        self._parts.add(parts)
        wait = self._failures.next_delay()
        if wait is None or self._failures.count >= _TRIES_OF_DAMAGED:
            return False
        told = f"the answer is damaged: {damage.reason}"
        yield from pause(Interrupted("read", told, wait, self._failures.count))
        return True


def _short_wait(times: int) -> float:
    longest = min(_SHORT_LONGEST_WAIT, _SHORT_BASE_WAIT * 2 ** min(times, 10))
    return random.uniform(0, longest)  # noqa: S311 - jitter needs no secrecy


def _batch_of(reply: Reply, position: _Position, url: str) -> Batch:
    closed = names.is_true(header(reply, names.STREAM_CLOSED))
    content_type = reply.headers.get("content-type")
    return Batch(
        parts=(reply.body,) if reply.body else (),
        offset=next_offset(reply, url=url, doing="read"),
        cursor=header(reply, names.STREAM_CURSOR) or position.cursor,  # CLIENT-4
        # A long-poll's 204 is up to date by definition (POLL-4); mere presence counts (HDR-3).
        up_to_date=closed
        or reply.status == 204
        or header(reply, names.STREAM_UP_TO_DATE) is not None,
        closed=closed,
        content_type=names.media_type(content_type) if content_type else position.content_type,
    )


class _Control(msgspec.Struct, frozen=True):
    offset: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(
        name=names.CONTROL_NEXT_OFFSET
    )
    cursor: str | None = msgspec.field(name=names.CONTROL_CURSOR, default=None)
    up_to_date: bool = msgspec.field(name=names.CONTROL_UP_TO_DATE, default=False)
    closed: bool = msgspec.field(name=names.CONTROL_CLOSED, default=False)


_control_decoder: Final = msgspec.json.Decoder(_Control)


def _parse_control(data: bytes, position: _Position, url: str) -> _Control:
    # CLIENT-16: it carries the offset, so it cannot be skipped.
    try:
        return _control_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StreamParseError(
            f"read: a control event is not what it must be: {error}: {preview(data)}",
            url=url,
            offset=position.offset,
        ) from None


def _decode_base64(data: bytes) -> bytes:
    # SSE-6, SSE-7: each event on its own, its lines joined.
    return base64.b64decode(data.replace(b"\n", b""), validate=True)
