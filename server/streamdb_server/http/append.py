"""POST: append, close, or both at once (sections 7 to 9)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streamdb.protocol import names
from streamdb_server import offsets
from streamdb_server.http import parsing
from streamdb_server.http.exchange import SOFT_DELETED, Exchange, Refused, Reply, error
from streamdb_server.messages import Content, InvalidContent
from streamdb_server.storage.appending import Append, Appended, AppendOutcome
from streamdb_server.storage.records import StreamRecord


async def post(exchange: Exchange) -> Reply:
    """Answer a POST, in the order of checks of section 18.1."""
    request = exchange.request
    claim = parsing.producer(request)
    body = await parsing.body(exchange)
    close = parsing.closes(request)
    if not body and not close:
        raise Refused(400, f"The body is empty. Only {names.STREAM_CLOSED}: true goes without one.")
    content_type = request.headers.get("Content-Type", "")
    if body and not content_type:
        raise Refused(400, "A body needs a Content-Type.")
    append = Append(
        content=await _content(exchange, content_type, body) if body else None,
        content_type=content_type,
        close=close,
        seq=request.headers.get(names.STREAM_SEQ),
        claim=claim,
    )
    appended = await asyncio.wrap_future(exchange.store.append(exchange.path, append))
    return _reply(append, appended)


async def _content(exchange: Exchange, content_type: str, body: bytes) -> Content:
    content = await parsing.content(exchange, content_type, body)
    if content == b"":  # JSON-4
        return InvalidContent("an empty array holds no message to append")
    return content


def _reply(append: Append, appended: Appended) -> Reply:
    answer = _ANSWERS[appended.outcome]
    headers: dict[str, str] = {}
    if appended.stream is not None and answer.shows_stream:
        headers |= _stream_headers(appended.stream)
    if appended.producer is not None:
        headers[names.PRODUCER_EPOCH] = str(appended.producer.epoch)
        if appended.outcome is not AppendOutcome.FENCED:
            headers[names.PRODUCER_SEQ] = str(appended.producer.seq)
    if appended.expected_seq is not None and append.claim is not None:
        headers[names.PRODUCER_EXPECTED_SEQ] = str(appended.expected_seq)
        headers[names.PRODUCER_RECEIVED_SEQ] = str(append.claim.seq)
    status = answer.status(append)
    if status >= 400:
        return error(status, answer.sentence.format(reason=appended.reason), headers)
    return Reply(status, headers)


def _stream_headers(stream: StreamRecord) -> dict[str, str]:
    headers = {names.STREAM_NEXT_OFFSET: offsets.mint(stream.tail)}
    if stream.closed:
        headers[names.STREAM_CLOSED] = names.TRUE
    return headers


@dataclass(frozen=True, slots=True)
class _Answer:
    status: Callable[[Append], int]
    sentence: str = ""
    shows_stream: bool = False


def _always(status: int) -> Callable[[Append], int]:
    return lambda _: status


def _stored(append: Append) -> int:
    """200 tells a producer that its content is new; all else is 204 (AMB-1, PROD-18)."""
    return 200 if append.claim is not None and append.content is not None else 204


_ANSWERS: Final = {
    AppendOutcome.STORED: _Answer(_stored, shows_stream=True),
    AppendOutcome.ALREADY_CLOSED: _Answer(_always(204), shows_stream=True),
    AppendOutcome.DUPLICATE: _Answer(_always(204), shows_stream=True),
    AppendOutcome.MISSING: _Answer(_always(404), "There is no such stream."),
    AppendOutcome.GONE: _Answer(_always(410), SOFT_DELETED),
    AppendOutcome.CLOSED: _Answer(_always(409), "The stream is closed.", shows_stream=True),
    AppendOutcome.TYPE_MISMATCH: _Answer(
        _always(409), "The Content-Type differs from the stream's."
    ),
    AppendOutcome.FENCED: _Answer(_always(403), "A newer epoch of this producer has taken over."),
    AppendOutcome.BAD_EPOCH_START: _Answer(_always(400), "A new epoch starts at sequence 0."),
    AppendOutcome.GAP: _Answer(_always(409), "An earlier request of this producer is missing."),
    AppendOutcome.SEQ_REGRESSION: _Answer(
        _always(409), "Stream-Seq must be greater than the last one accepted."
    ),
    AppendOutcome.INVALID: _Answer(_always(400), "Nothing was appended: {reason}."),
}
