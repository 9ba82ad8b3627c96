"""The wire over httpx: the one module that knows httpx."""

from __future__ import annotations

import inspect
import logging
import re
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Final, cast

import httpx

from streamdb.errors import BadAddress, BadHeader
from streamdb.protocol.exchange import Request
from streamdb.streams.address import HttpAddress
from streamdb.streams.lifetime import Lifetime
from streamdb.streams.wire import WireFailure

HeaderValue = str | Callable[[], str] | Callable[[], Awaitable[str]]
Headers = Mapping[str, HeaderValue]

# Longer than any server's long-poll or SSE keep-alive (30 s in the reference), so that only a
# silent peer runs into it.
_PATIENT_SECONDS: Final = 75.0


class HttpxAsyncWire:
    """Requests to one stream through an ``httpx.AsyncClient``, the user's own or ours."""

    def __init__(
        self,
        address: HttpAddress,
        *,
        headers: Headers,
        timeout: float,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        _check_address(address)
        self._address = address
        self._headers = headers
        self._timeout = timeout
        self._lifetime = Lifetime(address.shown)
        self._owns_client = client is None
        self._client = client or httpx.AsyncClient(verify=_tls_context(address.url))

    async def open(self, request: Request) -> _AsyncAnswer:
        """Send a request and return once the head of the answer is here."""
        self._lifetime.check()
        own: dict[str, str] = {}
        for name, value in self._headers.items():
            given = value() if callable(value) else value  # CLIENT-11
            own[name] = _checked(name, await given if inspect.isawaitable(given) else given)
        self._lifetime.check()  # closed while we awaited?
        built = _build(self._client, self._address, request, own, self._timeout)
        with _sending(self._address):
            return _AsyncAnswer(await self._client.send(built, stream=True))

    async def aclose(self) -> None:
        """Close the client if it is ours."""
        if self._lifetime.end() and self._owns_client:
            await self._client.aclose()


class HttpxWire:
    """The blocking form of :class:`HttpxAsyncWire`."""

    def __init__(
        self,
        address: HttpAddress,
        *,
        headers: Headers,
        timeout: float,
        client: httpx.Client | None = None,
    ) -> None:
        _check_address(address)
        self._address = address
        self._headers = headers
        self._timeout = timeout
        self._lifetime = Lifetime(address.shown)
        self._owns_client = client is None
        self._client = client or httpx.Client(verify=_tls_context(address.url))

    def open(self, request: Request) -> _Answer:
        """Send a request and return once the head of the answer is here."""
        self._lifetime.check()
        own: dict[str, str] = {}
        for name, value in self._headers.items():
            given = value() if callable(value) else value  # CLIENT-11
            if inspect.isawaitable(given):
                if inspect.iscoroutine(given):
                    given.close()
                raise BadHeader(f"header {name!r} is an async function: use AsyncStream for it")
            own[name] = _checked(name, given)
        built = _build(self._client, self._address, request, own, self._timeout)
        with _sending(self._address):
            return _Answer(self._client.send(built, stream=True))

    def close(self) -> None:
        """Close the client if it is ours."""
        if self._lifetime.end() and self._owns_client:
            self._client.close()


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
            raise WireFailure(_reason(error)) from error

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
            raise WireFailure(_reason(error)) from error

    def close(self) -> None:
        self._response.close()


def _build(
    client: httpx.Client | httpx.AsyncClient,
    address: HttpAddress,
    request: Request,
    own_headers: dict[str, str],
    timeout: float,
) -> httpx.Request:
    headers = httpx.Headers(own_headers)
    headers.update(request.headers)  # those of the protocol win, in whatever case they are written
    read = max(timeout, _PATIENT_SECONDS) if request.patient else timeout
    return client.build_request(
        request.method,
        address.url,
        # QUERY-2: one order of parameters, so that caches see one URL.
        params=httpx.QueryParams(tuple(sorted([*address.params, *request.params.items()]))),
        headers=headers,
        content=request.body or None,
        timeout=httpx.Timeout(timeout, read=read),
    )


# Checked here because the libraries below quote the value of a header that they refuse, and a
# secret read from a file with its line end is the usual one.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?")


def _checked(name: str, value: object) -> str:
    if not _TOKEN.fullmatch(name):
        raise BadHeader(f"{name!r} is no name of a header")
    if not isinstance(value, str):
        raise BadHeader(f"header {name!r}: its value is {type(value).__name__} and not text")
    if not _VALUE.fullmatch(value):
        raise BadHeader(
            f"header {name!r}: its value holds a line end, a space at an end, or something else "
            "that is not printable ASCII; strip or encode it"
        )
    return value


def _check_address(address: HttpAddress) -> None:
    try:
        httpx.URL(address.url)
    except httpx.InvalidURL:  # its text may quote a password
        raise BadAddress(f"stream address {address.shown!r}: it is no valid URL") from None


@contextmanager
def _sending(address: HttpAddress) -> Generator[None]:
    """Turn httpx's errors into ours, and keep secrets of the URL out of its log."""
    reset = _url_to_show.set(address.shown)
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise WireFailure(_reason(error)) from error
    finally:
        _url_to_show.reset(reset)


def _reason(error: Exception) -> str:
    # httpx's messages hold no headers and no URL; an empty one still has its kind.
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


_url_to_show: ContextVar[str | None] = ContextVar("streamdb_url_to_show", default=None)


def _hide_url(record: logging.LogRecord) -> bool:
    # httpx logs the whole URL of every request at INFO, credentials and parameters included.
    shown = _url_to_show.get()
    if shown is not None and isinstance(record.args, tuple):
        record.args = tuple(shown if isinstance(arg, httpx.URL) else arg for arg in record.args)
    return True


logging.getLogger("httpx").addFilter(_hide_url)


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
