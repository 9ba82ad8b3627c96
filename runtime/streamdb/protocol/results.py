"""What a stream answers to the single requests, where they succeed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a stream says of itself (HEAD-1 to HEAD-3).

    Attributes:
        offset: the tail, where the next append goes.
        content_type: the media type as the server gives it.
        closed: True if the stream takes no more data.
        ttl_seconds: the configured time to live, if there is one.
        expires_at: the configured deadline as RFC 3339 text, if there is one.
        created: True if this call created the stream; None if that is not known: a try whose answer
            was lost may have done so.
    """

    offset: str
    content_type: str
    closed: bool
    ttl_seconds: int | None = None
    expires_at: str | None = None
    created: bool | None = False


@dataclass(frozen=True, slots=True)
class Appended:
    """An acknowledged append.

    Attributes:
        offset: the tail behind it; None where the server does not say (PROD-12).
        duplicate: True if the server had it already.
    """

    offset: str | None
    duplicate: bool = False
