"""What both kinds of connections share: how long they may idle, and what they say of failures."""

from __future__ import annotations

import os
import ssl
from typing import Final

from streamdb.streams.wire import WireFailure

#: Seconds after which an idle connection is not used again: servers close theirs after 5 s (Node,
#: uvicorn), and a request that crosses the closing is lost.
IDLE_SECONDS: Final = 4.0


def no_connection(error: OSError) -> WireFailure:
    """Say why there is no connection."""
    return WireFailure(f"cannot connect: {_said(error)}", was_sent=False)


def broken(error: Exception) -> WireFailure:
    """Say that a connection broke."""
    return WireFailure(f"the connection broke: {_said(error)}")


def silence(seconds: float) -> WireFailure:
    """Say that nothing came, or nothing could be sent, for too long."""
    return WireFailure(f"nothing happened for {seconds:g} s", is_timeout=True)


def _said(error: Exception) -> str:
    # Not asyncio's own words: they hold addresses, and the URL is named beside this anyway.
    if isinstance(error, ssl.SSLError):
        return error.reason or type(error).__name__
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
