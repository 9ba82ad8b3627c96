"""What a session is made of by the options of its database: stream options, outbox and cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from streamdb.db.options import DatabaseOptions
from streamdb.db.state import DatabaseState
from streamdb.errors import CacheError
from streamdb.streams.address import EmbeddedAddress, parse_address
from streamdb.streams.options import StreamOptions

if TYPE_CHECKING:
    from streamdb.db.caching import Cache
    from streamdb.db.outbox_keeper import OutboxKeeper


def stream_options(options: DatabaseOptions) -> StreamOptions:
    """Return the options that go to the stream."""
    names_of_stream = StreamOptions.__optional_keys__
    return cast(
        "StreamOptions",
        {name: value for name, value in options.items() if name in names_of_stream},
    )


def outbox_of(options: DatabaseOptions, state: DatabaseState, url: str) -> OutboxKeeper | None:
    """Make the outbox, None without the option; it is in the file of the cache."""
    path = options.get("cache")
    if path is None or not options.get("outbox", False):
        return None
    from streamdb.db.outbox_keeper import OutboxKeeper

    return OutboxKeeper(Path(os.path.realpath(path)), state, stream=parse_address(url).identity)


def cache_of(
    options: DatabaseOptions, state: DatabaseState, url: str, outbox: OutboxKeeper | None
) -> Cache | None:
    """Make the cache, None without the option.

    Raises:
        CacheError: its file holds the stream itself.
    """
    path = options.get("cache")
    if path is None:
        return None
    from streamdb.db.caching import Cache  # and SQLite, which others need not load

    address = parse_address(url)
    if isinstance(address, EmbeddedAddress) and address.server == os.path.realpath(path):
        raise CacheError(f"{path} holds the stream itself: name another file for the cache")
    return Cache(
        path,
        state,
        stream=address.identity,
        strict=options.get("strict", False),
        upcast=options.get("upcast", ()),
        outbox=outbox,
    )
