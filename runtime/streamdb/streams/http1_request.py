"""What a request of HTTP/1.1 looks like on the wire (RFC 9112)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlencode

from streamdb.errors import BadHeader
from streamdb.protocol.exchange import Request

_HAVE_BODIES: Final = frozenset({"POST", "PUT"})
# Set by what is sent; another value would end the request elsewhere than the server expects.
_FRAMING: Final = frozenset({"connection", "content-length", "transfer-encoding", "upgrade"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where the requests of one handle go.

    Attributes:
        host: name or address to connect to.
        port: the TCP port.
        path: the path, percent-encoded, without a query.
        authority: what `Host` says.
        credentials: name and password of the address, if it has them.
    """

    host: str
    port: int
    path: str
    authority: str
    credentials: tuple[str, str] | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine, for all that the address says."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def is_literal(self) -> bool:
        """Whether the host is an IP address: no name with several of them."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True

    def defaults(self) -> dict[str, str]:
        """The headers of every request, by lower-case name, unless the caller says otherwise."""
        headers = {
            "host": self.authority,
            "accept": "*/*",
            # Between two processes, packing takes longer than sending what it spares.
            "accept-encoding": "identity" if self.is_loopback else "gzip",
            "user-agent": "streamdb-python",
        }
        if self.credentials is not None:
            pair = ":".join(self.credentials).encode()
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers


def request_head(
    target: Target,
    request: Request,
    headers: Mapping[str, str],
    params: list[tuple[str, str]],
) -> bytes:
    r"""Write the request line and the headers.

    Args:
        target: where it goes.
        request: what the protocol wants; its headers win.
        headers: those of the caller, over the defaults; checked already.
        params: all query parameters, in order.

    >>> target = Target("localhost", 80, "/v1/stream/demo", "localhost")
    >>> head = request_head(target, Request("HEAD"), {"User-Agent": "me"}, [("a", "b c")])
    >>> head.split(b"\r\n")[0]
    b'HEAD /v1/stream/demo?a=b+c HTTP/1.1'
    >>> b"user-agent: me" in head
    True

    Raises:
        BadHeader: the caller's header says how long the request is, or cannot be sent.
    """
    merged = target.defaults()
    for name, value in headers.items():
        lower = name.lower()
        if lower in _FRAMING:
            raise BadHeader(f"the header {name!r} belongs to the connection: leave it out")
        merged[lower] = value
    for name, value in request.headers.items():
        merged[name.lower()] = value
    if request.body or request.method in _HAVE_BODIES:
        merged["content-length"] = str(len(request.body))
    query = f"?{urlencode(params)}" if params else ""
    lines = [f"{request.method} {target.path}{query} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in merged.items()]
    if not all(map(_is_one_line, lines)):
        raise BadHeader(
            "a header holds the end of a line"
        )  # checked where it came in, or should be
    try:
        return "\r\n".join([*lines, "", ""]).encode("latin-1")
    except UnicodeEncodeError:
        raise BadHeader("a header holds characters that HTTP cannot carry") from None


def _is_one_line(line: str) -> bool:
    return not ("\r" in line or "\n" in line or "\0" in line)
