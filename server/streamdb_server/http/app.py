"""The ASGI application: routing, the headers of every answer, and sending it."""

import hmac
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Final, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from streamdb.protocol import names
from streamdb_server.errors import SoftDeleted, StoreClosed
from streamdb_server.http import parsing
from streamdb_server.http.append import post
from streamdb_server.http.create import put
from streamdb_server.http.exchange import (
    SOFT_DELETED,
    EventStream,
    Exchange,
    Refused,
    Reply,
    error,
)
from streamdb_server.http.metadata import delete, head
from streamdb_server.http.read import get
from streamdb_server.options import Options
from streamdb_server.storage.store import Store

_log = logging.getLogger("streamdb.server")

Handler: TypeAlias = Callable[[Exchange], Awaitable[Reply | EventStream]]


def create_app(store: Store, *, options: Options | None = None) -> "App":
    """Return an ASGI application that serves a store under `names.STREAM_ROOT`.

    It keeps no state of an event loop outside of requests, needs no lifespan events, and may be
    driven from several event loops at once. The store stays the caller's to close.
    """
    return App(store, options or Options())


class App:
    """See `create_app`."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._stopping = threading.Event()
        self._always = {**_SECURITY_HEADERS, "Access-Control-Allow-Origin": options.allow_origin}

    def stop(self) -> None:
        """Release all waiting readers, now and from now on (SERVER-17); callable from any thread.

        A server calls it when it begins to shut down: long-polls answer, SSE connections end.
        """
        self._stopping.set()
        self._store.hub.wake_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await self._respond(Request(scope, receive), send)

    async def _respond(self, request: Request, send: Send) -> None:
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = True
            try:
                await send(message)
            except OSError as error:  # how ASGI servers say that the client is gone
                raise ClientDisconnect from error

        try:
            answer = await self._answer(request)
            if isinstance(answer, EventStream):
                await self._send_events(answer, noting_send)
            else:
                await self._send_reply(request.method, answer, noting_send)
        except ClientDisconnect:
            return
        except StoreClosed:
            if not started:
                await self._send_reply(request.method, _SHUTTING_DOWN, send)
        except Exception:  # noqa: BLE001 - logged here, answered with 500
            _log.exception("A %s request failed", request.method)
            if not started:
                await self._send_reply(request.method, _INTERNAL_ERROR, send)

    async def _answer(self, request: Request) -> Reply | EventStream:
        try:
            self._authorize(request)
            path = parsing.stream_path(request, request.scope["path"])
            if request.method == "OPTIONS":
                return _PREFLIGHT
            handler = _HANDLERS.get(request.method)
            if handler is None:
                raise Refused(405, "This method is not supported.", {"Allow": _METHODS})
            return await handler(
                Exchange(request, path, self._store, self._options, self._stopping)
            )
        except Refused as refused:
            return refused.reply
        except SoftDeleted:
            return _GONE

    def _authorize(self, request: Request) -> None:
        token = self._options.token
        if token is None or request.method == "OPTIONS":
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("latin-1"), token.encode())
        if scheme.lower() != "bearer" or not right:
            raise Refused(
                401,
                "This server needs its token: Authorization: Bearer TOKEN.",
                {"WWW-Authenticate": "Bearer"},
            )

    async def _send_reply(self, method: str, reply: Reply, send: Send) -> None:
        headers = dict(reply.headers)
        body = b"" if method == "HEAD" else reply.body
        if method != "HEAD" and reply.status not in (204, 304):
            headers["Content-Length"] = str(len(body))
        await send(self._start(reply.status, headers))
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _send_events(self, answer: EventStream, send: Send) -> None:
        async with aclosing(answer.events) as events:
            await send(self._start(200, answer.headers))
            # The connection ends, and the client, which reconnects, learns more.
            with suppress(StoreClosed, SoftDeleted):
                async for event in events:
                    await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _start(self, status: int, headers: Mapping[str, str]) -> Message:
        return {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in {**self._always, **headers}.items()
            ],
        }


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


_HANDLERS: Final[Mapping[str, Handler]] = {
    "PUT": put,
    "POST": post,
    "GET": get,
    "HEAD": head,
    "DELETE": delete,
}
_METHODS: Final = ", ".join([*_HANDLERS, "OPTIONS"])

_REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "If-None-Match",
    names.STREAM_TTL,
    names.STREAM_EXPIRES_AT,
    names.STREAM_CLOSED,
    names.STREAM_SEQ,
    *names.FORK_HEADERS,
    names.PRODUCER_ID,
    names.PRODUCER_EPOCH,
    names.PRODUCER_SEQ,
)
_RESPONSE_HEADERS: Final = (
    "ETag",
    "Location",
    "Retry-After",
    names.STREAM_NEXT_OFFSET,
    names.STREAM_CURSOR,
    names.STREAM_UP_TO_DATE,
    names.STREAM_CLOSED,
    names.STREAM_TTL,
    names.STREAM_EXPIRES_AT,
    names.SSE_DATA_ENCODING,
    names.PRODUCER_EPOCH,
    names.PRODUCER_SEQ,
    names.PRODUCER_EXPECTED_SEQ,
    names.PRODUCER_RECEIVED_SEQ,
)
_SECURITY_HEADERS: Final[Mapping[str, str]] = {  # SEC-6, SEC-7, SEC-9
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Expose-Headers": ", ".join(_RESPONSE_HEADERS),
}
_PREFLIGHT: Final = Reply(
    204,
    {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": ", ".join(_REQUEST_HEADERS),
        "Access-Control-Max-Age": "86400",
    },
)
_GONE: Final = error(410, SOFT_DELETED)
_SHUTTING_DOWN: Final = error(503, "The server is shutting down.", {"Retry-After": "1"})
_INTERNAL_ERROR: Final = error(500, "The server failed; its log says more.")
