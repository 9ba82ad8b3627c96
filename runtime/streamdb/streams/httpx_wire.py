"""The wire over httpx: the one module that knows httpx, its log aside (`httpx_log.py`)."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar, cast
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

import httpx

from streamdb.errors import BadAddress, HandleClosed, MissingExtra
from streamdb.protocol.exchange import Request
from streamdb.streams.address import HttpAddress
from streamdb.streams.direct_wire import Route
from streamdb.streams.given import Additions, Given
from streamdb.streams.http1_request import Target
from streamdb.streams.httpx_log import nothing_secret_logged
from streamdb.streams.lifetime import Lifetime
from streamdb.streams.sockets import shut_down
from streamdb.streams.wire import Retry, WireFailure, WireSettings

#: What callers may hand in instead of clients of ours.
AsyncClient: TypeAlias = httpx.AsyncClient
Client: TypeAlias = httpx.Client

C = TypeVar("C", httpx.AsyncClient, httpx.Client)

# Faults of functions for headers and parameters that may pass: a token service is out of reach.
_PASSING_FAULTS: Final = (OSError, httpx.TransportError)
# Nothing of the request has left us.
_WITHOUT_CONNECTION: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class HttpxAsyncWire:
    """Requests to one stream through an ``httpx.AsyncClient``, the user's own or ours."""

    def __init__(
        self,
        address: HttpAddress,
        settings: WireSettings,
        client: AsyncClient | None = None,
    ) -> None:
        _checked_url(address)
        self._address = address
        self._given = _given(settings)
        self._settings = settings
        self._lifetime = Lifetime(address.shown)
        self._owns_client = client is None
        self._client = client or _own_client(httpx.AsyncClient, address)

    async def open(self, request: Request) -> _AsyncAnswer:
        """Send a request and return once the head of the answer is here."""
        self._lifetime.check()
        own = await self._given.ask_async()
        self._lifetime.check()  # closed while we awaited?
        built = _build(self._client, self._address, request, own, self._settings)
        with _sending(self._address):
            return _AsyncAnswer(await self._client.send(built, stream=True))

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the wire is closed."""
        await self._lifetime.sleep(seconds)

    def amend(self, amended: Retry) -> None:
        """Send other headers and parameters from now on."""
        self._given = self._given.amended(amended)

    async def aclose(self) -> None:
        """Close the client if it is ours."""
        if self._lifetime.end() and self._owns_client:
            await self._client.aclose()


class HttpxWire:
    """The blocking form of :class:`HttpxAsyncWire`."""

    def __init__(
        self,
        address: HttpAddress,
        settings: WireSettings,
        client: Client | None = None,
    ) -> None:
        _checked_url(address)
        self._address = address
        self._given = _given(settings)
        self._settings = settings
        self._lifetime = Lifetime(address.shown)
        self._closed = threading.Event()
        self._sockets = _Sockets()
        self._owns_client = client is None
        self._client = client or _own_client(httpx.Client, address)

    def open(self, request: Request) -> _Answer:
        """Send a request and return once the head of the answer is here."""
        self._lifetime.check()
        own = self._given.ask()
        built = _build(self._client, self._address, request, own, self._settings)
        built.extensions["trace"] = self._sockets.note
        with _sending(self._address):
            return _Answer(self._client.send(built, stream=True))

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the wire is closed."""
        self._closed.wait(seconds)

    def amend(self, amended: Retry) -> None:
        """Send other headers and parameters from now on."""
        self._given = self._given.amended(amended)

    def close(self) -> None:
        """Close the client if it is ours, and end the waits of other threads.

        A thread that waits for an answer through a client of the caller's ends with it.
        """
        is_first = self._lifetime.end()
        self._closed.set()
        if is_first and self._owns_client:
            self._sockets.shut_down()
            self._client.close()


class _Sockets:
    """The sockets of a client of ours: closing one does not wake a thread that reads from it."""

    def __init__(self) -> None:
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Take httpcore's word for what happens: it tells of new connections here."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            found = info["return_value"].get_extra_info("socket")
            if isinstance(found, socket.socket):
                self._sockets.add(found)

    def shut_down(self) -> None:
        for one in list(self._sockets):
            shut_down(one)


class _AsyncAnswer:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        # httpx says iterator; it is a generator, and one left open would be closed by the loop,
        # later and elsewhere.
        self._pieces = cast("AsyncGenerator[bytes]", response.aiter_bytes())

    async def receive(self) -> bytes:
        try:
            return await anext(self._pieces, b"")
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise _failure(error) from error

    async def aclose(self) -> None:
        await self._pieces.aclose()
        await self._response.aclose()


class _Answer:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._pieces: Iterator[bytes] = response.iter_bytes()

    def receive(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise _failure(error) from error

    def close(self) -> None:
        self._response.close()


def _build(
    client: httpx.Client | httpx.AsyncClient,
    address: HttpAddress,
    request: Request,
    own: Additions,
    settings: WireSettings,
) -> httpx.Request:
    if client.is_closed:
        raise HandleClosed(f"{address.shown}: the httpx client that was handed in is closed")
    headers = httpx.Headers(own.headers)
    headers.update(request.headers)  # those of the protocol win, in whatever case they are written
    return client.build_request(
        request.method,
        address.url,
        params=httpx.QueryParams(tuple(own.query(address.params, request.params))),
        headers=headers,
        content=request.body or None,
        timeout=httpx.Timeout(settings.timeout, read=settings.waits(request)),
    )


def _own_client(kind: type[C], address: HttpAddress) -> C:
    """Make a client, for a proxy that the environment names."""
    try:
        return kind(verify=_tls_context(address.url))
    except ImportError:
        raise MissingExtra(
            f"{address.shown}: the environment names a SOCKS proxy: pip install 'httpx[socks]'"
        ) from None
    except (ValueError, httpx.InvalidURL):  # the text may quote a password
        raise BadAddress(
            f"{address.shown}: the proxy that the environment names for it has no address that "
            "makes sense: correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"
        ) from None


def _checked_url(address: HttpAddress) -> httpx.URL:
    try:
        url = httpx.URL(address.url)
        url.host.encode("idna")  # as the resolver of names will
    except (httpx.InvalidURL, UnicodeError):  # the text may quote a password
        raise BadAddress(f"stream address {address.shown!r}: it is no valid URL") from None
    return url


@contextmanager
def _sending(address: HttpAddress) -> Generator[None]:
    """Turn httpx's errors into ours, and keep secrets out of its log."""
    try:
        with nothing_secret_logged(address.shown):
            yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _failure(error) from error


def _failure(error: Exception) -> WireFailure:
    # httpx's messages hold no headers and no URL; an empty one still has its kind.
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    is_timeout = isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout)
    return WireFailure(
        reason, is_timeout=is_timeout, was_sent=not isinstance(error, _WITHOUT_CONNECTION)
    )


@cache
def _system_tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@cache
def _empty_tls_context() -> ssl.SSLContext:
    # Trusts nobody. Loading the system's certificates costs 20 ms and more, which a client of a
    # plain HTTP address need not spend; should it ever meet TLS all the same, it fails closed.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _tls_context(url: str) -> ssl.SSLContext:
    return _system_tls_context() if url.startswith("https:") else _empty_tls_context()


def direct_route(address: HttpAddress, settings: WireSettings) -> Route | None:
    """How to reach an address without httpx; None where the environment names a proxy for it.

    The URL is read by httpx all the same, so that both ways understand it alike.

    Raises:
        BadAddress: it is no valid URL.
    """
    url = _checked_url(address)
    proxies = getproxies()
    if (proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.host):
        return None
    is_tls = url.scheme == "https"
    return Route(
        address,
        settings,
        _given(settings),
        Target(
            host=url.raw_host.decode("ascii"),
            port=url.port or (443 if is_tls else 80),
            path=url.raw_path.decode("ascii"),
            authority=url.netloc.decode("ascii"),
            credentials=(url.username, url.password) if url.userinfo else None,
        ),
        _system_tls_context() if is_tls else None,
    )


def _given(settings: WireSettings) -> Given:
    return Given(settings.headers, settings.params, _PASSING_FAULTS)
