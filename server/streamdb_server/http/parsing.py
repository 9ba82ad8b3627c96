"""From the text of headers, parameters and bodies to values; what is malformed is refused."""

import re
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request

from streamdb.protocol import names, values
from streamdb_server import messages, offsets
from streamdb_server.http.exchange import Exchange, Refused
from streamdb_server.messages import Content
from streamdb_server.storage.creating import Instant
from streamdb_server.storage.forks import ForkPoint
from streamdb_server.storage.producers import Claim

# Python's own int() and \d take more than the protocol does (section 23, trap 5).
_INTEGER: Final = re.compile(r"0|[1-9][0-9]*")
_DIGITS: Final = re.compile(r"[0-9]{1,16}")
_MOST_DIGITS: Final = 16
_PRODUCER_HEADERS: Final = (names.PRODUCER_ID, names.PRODUCER_EPOCH, names.PRODUCER_SEQ)

# Bodies larger than this are checked for JSON in a thread.
_LARGE: Final = 256 * 1024


def stream_path(request: Request, path: str) -> str:
    """Return the path of a stream below the root; 404 for all that cannot be one."""
    path = path.removeprefix(request.scope.get("root_path", ""))
    name = path.removeprefix(names.STREAM_ROOT)
    segments = name.split("/")
    if name == path or not name or segments[0] == names.CONTROL_SEGMENT:  # SERVER-13
        raise Refused(404, f"Streams live under {names.STREAM_ROOT}NAME.")
    if "." in segments or ".." in segments:  # SEC-2
        raise Refused(400, "A stream path has no . and .. segments.")
    return name


def fork_point(request: Request) -> ForkPoint | None:
    """Return what the fork headers of a PUT ask for (FORK-1, FORK-4, FORK-13, FORKSUB-1)."""
    source, offset, sub_offset = (request.headers.get(name) for name in names.FORK_HEADERS)
    if source is None:
        if offset is not None or sub_offset is not None:
            raise Refused(400, f"A fork offset needs {names.STREAM_FORKED_FROM}.")
        return None
    position = None if offset is None else offsets.parse(offset)
    if offset is not None and position is None:
        raise Refused(400, f"{names.STREAM_FORK_OFFSET} must be one that the source returned.")
    if sub_offset is not None and not _INTEGER.fullmatch(sub_offset):
        raise Refused(400, f"{names.STREAM_FORK_SUB_OFFSET} must be a whole number.")
    if sub_offset is not None and len(sub_offset) > _MOST_DIGITS:
        raise Refused(400, f"{names.STREAM_FORK_SUB_OFFSET} is larger than any append.")
    return ForkPoint(stream_path(request, unquote(source)), position, int(sub_offset or 0))


def content_type(request: Request) -> str:
    """Return the content type a PUT asks for; octets if it names no media type (CT-2).

    It is given back with every answer, so that parameters no header can carry are refused.
    """
    given = request.headers.get("Content-Type", "").strip()
    if not values.names_media_type(given):
        return names.DEFAULT_MEDIA_TYPE
    if not values.is_printable(given):
        raise Refused(400, "The parameters of the Content-Type must be printable ASCII.")
    return given


def closes(request: Request) -> bool:
    """Tell whether ``Stream-Closed: true`` was sent (HDR-2)."""
    return names.is_true(request.headers.get(names.STREAM_CLOSED))


def ttl(request: Request) -> int | None:
    """Return ``Stream-TTL`` in seconds (CREATE-10)."""
    text = request.headers.get(names.STREAM_TTL)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text):
        raise Refused(400, f"{names.STREAM_TTL} must be a whole number of seconds.")
    if len(text) > _MOST_DIGITS or int(text) > names.MAX_PRODUCER_INTEGER:
        raise Refused(400, f"{names.STREAM_TTL} must not exceed {names.MAX_PRODUCER_INTEGER}.")
    return int(text)


def expires_at(request: Request) -> Instant | None:
    """Return ``Stream-Expires-At`` (CREATE-11)."""
    text = request.headers.get(names.STREAM_EXPIRES_AT)
    if text is None:
        return None
    at = values.parse_instant(text)
    if at is None:
        raise Refused(
            400, f"{names.STREAM_EXPIRES_AT} must be an RFC 3339 instant like 2030-01-31T12:00:00Z."
        )
    return Instant(text, at)


def producer(request: Request) -> Claim | None:
    """Return the producer headers of a POST: all three or none (PROD-1 to PROD-3)."""
    given = [request.headers.get(name) for name in _PRODUCER_HEADERS]
    if given == [None, None, None]:
        return None
    producer_id, epoch, seq = given
    if producer_id is None or epoch is None or seq is None:
        raise Refused(400, f"{', '.join(_PRODUCER_HEADERS)} belong together: send all or none.")
    if not producer_id:
        raise Refused(400, f"{names.PRODUCER_ID} must not be empty.")
    return Claim(
        producer_id,
        _producer_integer(names.PRODUCER_EPOCH, epoch),
        _producer_integer(names.PRODUCER_SEQ, seq),
    )


def start(request: Request) -> int | None:
    """Return the position to read from; None means the tail, ``now`` (OFF-7, OFF-8, OFF-12)."""
    tokens = request.query_params.getlist(names.OFFSET)
    if len(tokens) > 1:
        raise Refused(400, "Send one offset.")
    token = tokens[0] if tokens else names.BEGINNING
    if token == names.BEGINNING:
        return 0
    if token == names.NOW:
        return None
    position = offsets.parse(token)
    if position is None:
        raise Refused(
            400, "The offset is malformed: use -1, now, or one that this server returned."
        )
    return position


async def body(exchange: Exchange) -> bytes:
    """Return the request body, all of it (APPEND-6); 413 if it is larger than allowed."""
    limit = exchange.options.max_body_bytes
    declared = exchange.request.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in exchange.request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


async def content(exchange: Exchange, media: str, data: bytes) -> Content:
    """Return what a stream of this type stores for a body (section 4)."""
    if names.media_type(media) != names.JSON_MEDIA_TYPE:
        return data
    if len(data) <= _LARGE:
        return messages.flatten(data)
    return await exchange.in_thread(lambda: messages.flatten(data))


def _producer_integer(name: str, text: str) -> int:
    if not _DIGITS.fullmatch(text) or int(text) > names.MAX_PRODUCER_INTEGER:
        raise Refused(400, f"{name} must be an integer from 0 to {names.MAX_PRODUCER_INTEGER}.")
    return int(text)


def _too_large(limit: int) -> Refused:
    return Refused(413, f"The body is larger than the {limit} bytes this server takes.")
