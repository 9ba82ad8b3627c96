"""What both handles on a stream share: options, and the operations built from what callers give.

Neither handle decides anything itself: they carry out operations of :mod:`streamdb.protocol`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Sequence
from typing import Any, Final, cast

from streamdb.errors import BadAddress, ConnectionFailed, StreamError, StreamParseError
from streamdb.known_options import refuse_unknown
from streamdb.protocol import json_text, names, reading, single_requests
from streamdb.protocol.exchange import Batch, Interrupted, Operation
from streamdb.protocol.page_memory import PageMemory
from streamdb.protocol.read_options import LiveMode, ReadOptions
from streamdb.protocol.results import Appended, StreamInfo
from streamdb.protocol.retry import RetryPolicy
from streamdb.protocol.single_requests import ForkPoint
from streamdb.protocol.writing import ProducerState, append_once
from streamdb.streams.address import Address, parse_address
from streamdb.streams.appending import Piece
from streamdb.streams.given import check_params
from streamdb.streams.options import StreamOptions
from streamdb.streams.wire import Retry, WireSettings

log: Final = logging.getLogger("streamdb.streams")
# A request that failed so often in a row is worth a warning; before, it may be a hiccup.
_WORRYING_FAILURES: Final = 5

#: A few tries within some seconds: enough for a hiccup, soon enough for a wrong address.
DEFAULT_RETRY: Final = RetryPolicy(attempts=6, initial=0.1, multiplier=2.0, maximum=10.0)
#: Once a reader has been connected it comes back for as long as it takes.
DEFAULT_RECONNECT: Final = RetryPolicy(initial=0.1, multiplier=1.5, maximum=10.0)
#: Some weeks: what the operating system can wait for at once.
LONGEST_TIMEOUT: Final = 2_000_000.0
#: Longer than any server's long-poll and SSE keep-alive (30 s in the reference server).
DEFAULT_IDLE_TIMEOUT: Final = 75.0


class Handle:
    """What both kinds of handles know: the address, the content type and the policies."""

    def __init__(self, url: str, content_type: str | None, options: StreamOptions) -> None:
        refuse_unknown(options, StreamOptions.__optional_keys__)
        self._address: Final[Address] = parse_address(url)
        self._options: Final = options
        timeout = _seconds("timeout", options.get("timeout", 30.0))
        idle_timeout = options.get("idle_timeout", max(DEFAULT_IDLE_TIMEOUT, timeout))
        self._wire_settings: Final = WireSettings(
            headers=options.get("headers", {}),
            params=options.get("params", {}),
            timeout=timeout,
            idle_timeout=_seconds("idle_timeout", idle_timeout),
        )
        check_params(self._wire_settings.params)
        self._retry: Final = options.get("retry", DEFAULT_RETRY)
        self._reconnect: Final = options.get("reconnect", DEFAULT_RECONNECT)
        self._on_error: Final = options.get("on_error")
        self._memory: Final = PageMemory()
        if content_type is not None:
            single_requests.check_content_type(content_type)
        self._content_type = content_type
        #: Why a request that was no read was tried again last.
        self.trouble: str | None = None
        self._appended_to: str | None = None  # by this handle, if its last append was answered

    @property
    def url(self) -> str:
        """The address as messages show it: without credentials and parameters."""
        return self._address.shown

    @property
    def content_type(self) -> str | None:
        """The stream's media type, once it is known."""
        return self._content_type

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def _fork_point(self, url: str, at: str | None, sub_offset: int) -> ForkPoint:
        """Where a fork at another address leaves this stream (FORK-1).

        Raises:
            BadAddress: it is not on the same server, or in the same data file.
        """
        fork = parse_address(url)
        if type(fork) is not type(self._address) or fork.server != self._address.server:
            raise BadAddress(
                f"fork: {fork.shown} is not where {self.url} is: a fork stays on its server"
            )
        if sub_offset < 0:
            raise ValueError(f"fork: sub_offset is {sub_offset}: 0 or more")
        return ForkPoint(self._address.path, at, sub_offset)

    # The operations, built from what the caller gave.

    def _create(
        self,
        content_type: str,
        *,
        ttl_seconds: int | None = None,
        expires_at: str | None = None,
        closed: bool = False,
        body: Any = None,
        fork: ForkPoint | None = None,
    ) -> Operation[StreamInfo]:
        self._appended_to = None
        info = yield from single_requests.create(
            self.url,
            self._retry,
            content_type=content_type,
            ttl_seconds=ttl_seconds,
            expires_at=expires_at,
            closed=closed,
            body=_initial_body(content_type, body),
            fork=fork,
        )
        self._content_type = info.content_type
        return info

    def _head(self, doing: str = "head") -> Operation[StreamInfo]:
        info = yield from single_requests.head(self.url, self._retry, doing=doing)
        self._content_type = info.content_type
        return info

    def _known_content_type(self, doing: str) -> Operation[str]:
        if self._content_type is not None:
            return self._content_type
        return (yield from self._head(doing)).content_type

    def _piece(self, content_type: str, values: list[Any], seq: str | None) -> Piece:
        if not values:
            raise ValueError("append_many: there is nothing to append")
        return Piece(_texts(content_type, values), seq)

    def _append(self, texts: Sequence[bytes], seq: str | None) -> Operation[Appended]:
        content_type = yield from self._known_content_type("append")
        body = _framed(content_type, texts)
        before, self._appended_to = self._appended_to, None
        appended = yield from single_requests.append(
            self.url, self._retry, content_type=content_type, body=body, seq=seq
        )
        # OFF-3: an append ends behind all before it. Appends of a handle go one after another.
        offset = appended.offset
        if (
            before is not None
            and offset is not None
            and offset <= before
            and not (offset < before and (yield from self._is_tail(offset)))
        ):
            raise ConnectionFailed(
                "append: the answer is an old one; whether the data was stored is unknown",
                url=self.url,
                offset=offset,
            )
        self._appended_to = offset
        return appended

    def _is_tail(self, offset: str) -> Operation[bool]:
        """Tell whether the stream ends there: then somebody made it anew, and it is shorter now."""
        try:
            return (yield from self._head()).offset == offset
        except StreamError:
            return False

    def _delete(self) -> Operation[None]:
        self._appended_to = None
        return single_requests.delete(self.url, self._retry)

    def _append_once(
        self, producer: ProducerState, body: bytes, *, is_rest: bool
    ) -> Operation[Appended]:
        content_type = yield from self._known_content_type("append")
        return (
            yield from append_once(
                producer,
                self.url,
                self._reconnect,
                content_type=content_type,
                body=body,
                is_rest=is_rest,
            )
        )

    def _close_stream(self, last: list[Any]) -> Operation[Appended]:
        if not last:
            return (yield from single_requests.close(self.url, self._retry))
        content_type = yield from self._known_content_type("close")
        return (
            yield from single_requests.close(
                self.url, self._retry, content_type=content_type, body=_body(content_type, last)
            )
        )

    def _read(
        self, offset: str, live: LiveMode, *, resumed: bool = False, is_repeatable: bool = False
    ) -> Operation[None]:
        return reading.reading(
            ReadOptions(
                url=self.url,
                clock=time.monotonic,
                offset=offset,
                live=live,
                retry=self._reconnect if resumed else self._retry,
                reconnect=self._reconnect,
                memory=self._memory if is_repeatable else None,
            )
        )

    def _ask_handler(self, error: StreamError) -> Retry | Awaitable[Retry | None] | None:
        return self._on_error(error) if self._on_error is not None else None

    def _note(self, delivered: Batch | Interrupted) -> None:
        if isinstance(delivered, Interrupted):
            self._tell(delivered)
        elif self._content_type is None:
            # Only then: a batch does not know the parameters of the type that PUT and HEAD give.
            self._content_type = delivered.content_type

    def _tell_of_request(self, told: Interrupted) -> None:
        self.trouble = told.reason
        self._tell(told)

    def _tell(self, told: Interrupted) -> None:
        level = logging.WARNING if told.failures >= _WORRYING_FAILURES else logging.INFO
        text = "%s: %s: %s (failure %d in a row); trying again in %.1f s"
        log.log(level, text, self.url, told.doing, told.reason, told.failures, told.retry_in)

    def items(self, batch: Batch) -> list[Any]:
        """Parse the messages of a batch of a JSON stream.

        Raises:
            StreamParseError: it is not JSON, or the stream holds text or bytes.
        """
        if batch.content_type != names.JSON_MEDIA_TYPE:
            raise StreamParseError(
                f"items: the stream holds {batch.content_type}, not {names.JSON_MEDIA_TYPE}: "
                "take `data` of the batch, which are its bytes",
                url=self.url,
            )
        return json_text.messages(batch, url=self.url)


def _seconds(name: str, value: float) -> float:
    if not 0 < value <= LONGEST_TIMEOUT:
        raise ValueError(f"{name} is {value}: seconds, more than 0, at most {LONGEST_TIMEOUT:,.0f}")
    return value


def _initial_body(content_type: str, body: Any) -> bytes:
    if body is None:
        return b""
    is_json = names.media_type(content_type) == names.JSON_MEDIA_TYPE
    if is_json and not isinstance(body, list):
        raise TypeError("create: the body of a JSON stream is a list of values")
    return _body(content_type, cast("list[Any]", body) if is_json else [body])


def _body(content_type: str, values: list[Any]) -> bytes:
    return _framed(content_type, _texts(content_type, values))


def _texts(content_type: str, values: list[Any]) -> list[bytes]:
    if names.media_type(content_type) == names.JSON_MEDIA_TYPE:
        return [json_text.encode(value) for value in values]
    texts: list[bytes] = []
    for value in values:
        if not isinstance(value, bytes | str):
            raise TypeError(
                f"a stream of {content_type} takes bytes or text, not {type(value).__name__}"
            )
        texts.append(value.encode() if isinstance(value, str) else value)
    if not any(texts):
        raise ValueError("an append must hold data (CLIENT-28)")
    return texts


def _framed(content_type: str, texts: Sequence[bytes]) -> bytes:
    if names.media_type(content_type) == names.JSON_MEDIA_TYPE:
        return json_text.frame(texts)
    return b"".join(texts)
