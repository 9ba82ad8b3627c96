"""Reading a stream: catch up, then follow it live, through every loss of connection.

The one rule behind all of it: the position moves only with a delivered batch, so that reading on
from it neither loses nor repeats anything (CLIENT-1, CLIENT-17).
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from streamdb.errors import StreamError, StreamParseError
from streamdb.protocol import names
from streamdb.protocol.answers import header, raise_for_answer
from streamdb.protocol.calling import back_off, call
from streamdb.protocol.exchange import (
    Answer,
    Batch,
    Deliver,
    Interrupted,
    NoReply,
    Operation,
    Release,
    Request,
    Sleep,
    consult,
    exchange,
    open_reply,
    pause,
)
from streamdb.protocol.read_doubts import Doubts
from streamdb.protocol.read_options import ReadOptions
from streamdb.protocol.read_position import Position, batch_of
from streamdb.protocol.retry import is_retryable
from streamdb.protocol.sse_batches import deliver_events

# CLIENT-20: SSE connections that end at once are the mark of a buffering proxy. The same waits
# slow down long-polls at a server that does not know `live` and answers at once (QUERY-3).
_SHORT_CONNECTION: Final = 1.0
_SHORT_CONNECTIONS_IN_A_ROW: Final = 3
_SHORT_BASE_WAIT: Final = 0.1
_SHORT_LONGEST_WAIT: Final = 5.0

_OK: Final = frozenset({200})
_OK_OR_NOTHING_NEW: Final = frozenset({200, 204})


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
    position = Position(batch.offset, batch.cursor, batch.content_type)
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
    position = Position(options.offset, None, names.DEFAULT_MEDIA_TYPE)
    retry = options.retry
    doubts = Doubts(options.url, retry.begin(options.clock))
    while True:
        page = options.memory.find(position.offset) if options.memory is not None else None
        headers = dict(doubts.headers)
        if page is not None:
            headers["If-None-Match"] = page.etag
        request = Request("GET", params=position.params(None), headers=headers)
        reply, _ = yield from call(request, retry, url=options.url, doing="read", consults=False)
        if page is not None and reply.status == 304:
            batch = page.batch
        else:
            raise_for_answer(
                reply, url=options.url, doing="read", offset=position.offset, allow=_OK
            )
            batch = batch_of(reply, position, options.url)
            if (yield from doubts.resolve(batch, position.offset)):
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
        position = Position(batch.offset, batch.cursor, batch.content_type)
        retry = options.reconnect
        doubts = Doubts(options.url, retry.begin(options.clock))


def _follow_long_poll(
    options: ReadOptions, position: Position, *, is_interrupted: bool
) -> Operation[None]:
    failures = options.reconnect.begin(options.clock)
    doubts = Doubts(options.url, options.reconnect.begin(options.clock))
    idle_answers = 0
    while True:
        # A poll of an idle stream is answered late. After an interruption the reader shall learn
        # at once that it is connected again, so that one request is made without waiting.
        live = None if is_interrupted else names.LONG_POLL
        request = Request(
            "GET", params=position.params(live), headers=doubts.headers, patient=live is not None
        )
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
        batch = batch_of(reply, position, options.url)
        if (yield from doubts.resolve(batch, position.offset)):
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


def _follow_sse(options: ReadOptions, position: Position) -> Operation[Position | None]:
    """Follow by SSE. Return None at the end of the stream, or where long-poll shall go on."""
    failures = options.reconnect.begin(options.clock)
    doubts = Doubts(options.url, options.reconnect.begin(options.clock), has_another_way=True)
    short_connections = 0
    while True:
        request = Request(
            "GET",
            params=position.params(names.SSE),
            headers={"Accept": names.SSE_MEDIA_TYPE, **doubts.headers},
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
        ended = yield from deliver_events(reply, position)
        yield Release()
        if ended.is_finished:
            return None
        position = ended.position
        if ended.damage is not None:
            if (yield from doubts.ask_again(ended.damage, position.offset)):
                continue
            if ended.damage.is_of_control and doubts.are_of_one_damage:
                raise doubts.error(ended.damage, position.offset)  # CLIENT-16
            return position  # whatever damages the events may leave pages alone
        if ended.has_delivered:
            doubts.clear()
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


def _short_wait(times: int) -> float:
    longest = min(_SHORT_LONGEST_WAIT, _SHORT_BASE_WAIT * 2 ** min(times, 10))
    return random.uniform(0, longest)  # noqa: S311 - jitter needs no secrecy
