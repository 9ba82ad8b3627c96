"""Which stream an argument names: a full address, or a name on the server of `STREAM_URL`."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import click

from streamdb.protocol.names import DEFAULT_PORT, STREAM_ROOT

DEFAULT_ROOT: Final = f"http://127.0.0.1:{DEFAULT_PORT}"
_EMBEDDED: Final = "embedded:"


def is_full(stream: str) -> bool:
    """Tell whether an argument is an address and not a name.

    >>> is_full("embedded:session.db#demo"), is_full("chat/1")
    (True, False)
    """
    return stream.startswith(_EMBEDDED) or "://" in stream


def resolve(stream: str, root: str) -> str:
    """Return the address that an argument stands for.

    A server without a path keeps its streams where the protocol puts them.

    >>> resolve("chat/1", "http://localhost:4437")
    'http://localhost:4437/v1/stream/chat/1'
    >>> resolve("chat 1", "https://example.org/streams?room=7")
    'https://example.org/streams/chat%201?room=7'
    >>> resolve("demo", "embedded:session.db")
    'embedded:session.db#demo'
    """
    if is_full(stream):
        return stream
    if not stream.strip("/"):
        raise click.UsageError("the name of the stream is empty")
    if root.startswith(_EMBEDDED) and "#" not in root:
        if "#" in stream:
            raise click.UsageError("the name of a stream in a file holds no #")
        return f"{root}#{stream}"
    # What does not fit is not quoted: it may hold a password.
    try:
        parts = urlsplit(root)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or parts.fragment:
        raise click.UsageError(
            "--url, or STREAM_URL, is no server: write http://HOST:PORT or embedded:FILE"
        )
    folder = parts.path.rstrip("/") + "/" if parts.path.strip("/") else STREAM_ROOT
    path = folder + quote(stream.strip("/"), safe="/")
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def root_of(address: str) -> str:
    """Return the root that names beside a stream are on.

    >>> root_of("http://localhost:4437/v1/stream/chat/1?room=7")
    'http://localhost:4437/v1/stream/?room=7'
    >>> root_of("embedded:session.db#demo")
    'embedded:session.db'
    """
    if address.startswith(_EMBEDDED):
        return address.rpartition("#")[0]
    parts = urlsplit(address)
    before, found, _ = parts.path.partition(STREAM_ROOT)
    if not found:
        raise click.UsageError(
            f"the address has no {STREAM_ROOT} in it: give the other one in full, too"
        )
    return urlunsplit((parts.scheme, parts.netloc, before + found, parts.query, ""))
