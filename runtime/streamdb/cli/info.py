"""What a stream says of itself, for people and for programs."""

from __future__ import annotations

import json

import streamdb
from streamdb.cli.terminal import say


def say_object(url: str, info: streamdb.StreamInfo, **more: object) -> None:
    """Print all of it as one JSON object."""
    told = {
        "url": url,
        "offset": info.offset,
        "content_type": info.content_type,
        "closed": info.closed,
        "ttl_seconds": info.ttl_seconds,
        "expires_at": info.expires_at,
        **more,
    }
    say(json.dumps(told))


def say_table(url: str, info: streamdb.StreamInfo) -> None:
    """Print what there is, a line each."""
    lines = {
        "url": url,
        "content type": info.content_type,
        "offset": info.offset,
        "closed": "yes" if info.closed else "no",
        "time to live": f"{info.ttl_seconds} s" if info.ttl_seconds is not None else None,
        "expires at": info.expires_at,
    }
    for name, value in lines.items():
        if value is not None:
            say(f"{name:<13} {value}")


def summary(info: streamdb.StreamInfo) -> str:
    """Return what matters most, in brackets."""
    closed = ", closed" if info.closed else ""
    return f"({info.content_type}, offset {info.offset}{closed})"
