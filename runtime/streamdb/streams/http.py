"""The wire over httpx: the one module that knows httpx."""

from __future__ import annotations

import inspect
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from functools import cache
from typing import Final, cast

import httpx

from streamdb.protocol.exchange import Request
from streamdb.streams.address import HttpAddress
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
        self._address = address
        self._headers = headers
        self._timeout = timeout
        self._owns_client = client is None
        self._client = client or httpx.AsyncClient(verify=_tls_context(address.url))

    async def open(self, request: Request) -> _AsyncAnswer:
        """Send a request and return once the head of the answer is here."""
        headers = dict(request.headers)
        for name, value in self._headers.items():
            given = value() if callable(value) else value
            headers[name] = given if isinstance(given, str) else await given
        built = self._client.build_request(
            request.method,
            self._address.url,
            params=_sorted_params(self._address, request),
            headers=headers,
            content=request.body or None,
            timeout=_timeout_of(request, self._timeout),
        )
        try:
            return _AsyncAnswer(await self._client.send(built, stream=True))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WireFailure(_reason(error)) from error

    async def aclose(self) -> None:
        """Close the client if it is ours."""
        if self._owns_client:
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
        self._address = address
        self._headers = headers
        self._timeout = timeout
        self._owns_client = client is None
        self._client = client or httpx.Client(verify=_tls_context(address.url))

    def open(self, request: Request) -> _Answer:
        """Send a request and return once the head of the answer is here."""
        headers = dict(request.headers)
        for name, value in self._headers.items():
            given = value() if callable(value) else value
            if inspect.isawaitable(given):
                raise TypeError(f"header {name!r} is an async function: use AsyncStream for it")
            headers[name] = given
        built = self._client.build_request(
            request.method,
            self._address.url,
            params=_sorted_params(self._address, request),
            headers=headers,
            content=request.body or None,
            timeout=_timeout_of(request, self._timeout),
        )
        try:
            return _Answer(self._client.send(built, stream=True))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WireFailure(_reason(error)) from error

    def close(self) -> None:
        """Close the client if it is ours."""
        if self._owns_client:
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


def _sorted_params(address: HttpAddress, request: Request) -> httpx.QueryParams:
    # QUERY-2: one order of parameters, so that caches see one URL.
    return httpx.QueryParams(tuple(sorted([*address.params, *request.params.items()])))


def _timeout_of(request: Request, timeout: float) -> httpx.Timeout:
    read = max(timeout, _PATIENT_SECONDS) if request.patient else timeout
    return httpx.Timeout(timeout, read=read)


def _reason(error: Exception) -> str:
    # httpx's messages hold no headers and no URL; an empty one still has its kind.
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


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
