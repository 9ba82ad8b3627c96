"""What an operator may choose about a server."""

from dataclasses import dataclass, field
from typing import Final

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Limits and habits of one application.

    >>> Options(long_poll_timeout=2, token="secret").long_poll_timeout
    2
    """

    page_bytes: int = 4 * MIB
    """Soft limit of one catch-up answer. The messages of one POST are never parted, so that one
    POST larger than this makes a larger page (SERVER-16)."""

    max_body_bytes: int = 64 * MIB
    """Largest request body; more is answered 413."""

    long_poll_timeout: float = 30.0
    """Seconds a long-poll waits (POLL-10), and between keep-alive events of an idle SSE
    connection (SSE-19)."""

    sse_lifetime: float = 60.0
    """Seconds after which an SSE connection is ended, for the client to reconnect (SSE-17)."""

    token: str | None = field(default=None, repr=False)
    """If set, every request but a CORS preflight needs ``Authorization: Bearer TOKEN``."""

    allow_origin: str = "*"
    """Value of ``Access-Control-Allow-Origin`` (SEC-9)."""
