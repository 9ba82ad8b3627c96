"""The options of everything that opens a stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, TypedDict

from streamdb.known_options import SECONDS, Kind
from streamdb.protocol.retry import RetryPolicy

if TYPE_CHECKING:
    from streamdb.errors import StreamError
    from streamdb.streams.wire import Headers, Params, Retry

_POLICY: Final = Kind((RetryPolicy,), "a RetryPolicy, such as RetryPolicy(attempts=3)")
_ADDED: Final = Kind((Mapping,), "a dict of texts, or of functions that return them, by name")
#: What these options take.
KINDS_OF_STREAMS: Final[Mapping[str, Kind]] = {
    "headers": _ADDED,
    "idle_timeout": SECONDS,
    "params": _ADDED,
    "reconnect": _POLICY,
    "retry": _POLICY,
    "timeout": SECONDS,
}

ErrorHandler: TypeAlias = (
    "Callable[[StreamError], Retry | None] | Callable[[StreamError], Awaitable[Retry | None]]"
)


class StreamOptions(TypedDict, total=False):
    """What every way to open a stream takes.

    Attributes:
        headers: sent with every request over HTTP. A value may be a function that is asked for
            every request, and for the async classes an async one. If it raises OSError,
            TimeoutError or an `httpx.TransportError`, the request counts as not answered and is
            tried again as the policies say; any other exception ends the call as `BadHeader`, with
            that exception as its cause. The async classes call plain functions on the event loop:
            let one that waits be async. The blocking ones may wait: `Stream` calls it in the
            calling thread, a blocking database in a worker thread.
        params: query parameters, likewise; `BadAddress` instead of `BadHeader`. They go before
            parameters of the same name in the address. Those of the protocol are refused.
        retry: for requests, and for the first contact of a read.
        reconnect: for a read that was connected before.
        timeout: seconds to connect, to send and to be answered; in embedded mode, to open the file
            and to be answered; 30 if not given. A write that has begun is carried out.
        idle_timeout: seconds of silence after which a live read over HTTP takes its connection for
            broken, and makes another one; 75 if not given, or ``timeout`` where that is longer. Let
            it be longer than the server's long-poll and keep-alive (30 s as a rule): a shorter one
            asks again and again without need.
        on_error: asked before an error ends a read, or before wrong credentials (401, 403) end any
            request. It returns a `Retry`, perhaps with other headers or parameters, to have the
            request repeated after a wait of the policy, or None to let the error be raised. For the
            async classes it may be async.
    """

    headers: Headers
    params: Params
    retry: RetryPolicy
    reconnect: RetryPolicy
    timeout: float
    idle_timeout: float
    on_error: ErrorHandler
