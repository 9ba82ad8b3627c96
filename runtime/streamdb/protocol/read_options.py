"""Where a read begins, how it follows, and what it does about failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from streamdb.errors import BadAddress
from streamdb.protocol import names
from streamdb.protocol.page_memory import PageMemory
from streamdb.protocol.retry import RetryPolicy
from streamdb.protocol.values import is_text

LiveMode = Literal[False, "auto", "long-poll", "sse"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read.

    Attributes:
        url: the stream's address, for messages.
        offset: where to start; ``-1`` is the beginning, ``now`` the tail.
        live: False to stop when caught up, else how to follow. ``auto`` takes SSE where the data
            survives it (JSON), long-poll elsewhere, and leaves SSE if connections keep breaking.
        retry: for requests before the first answer. A reader that was connected before passes
            its reconnect policy here too.
        reconnect: for every loss of connection after it.
        memory: pages that were read before, for catching up again.
        clock: seconds that never go back, to tell short connections.
    """

    url: str
    clock: Callable[[], float]
    offset: str = names.BEGINNING
    live: LiveMode = "auto"
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    reconnect: RetryPolicy = field(default_factory=RetryPolicy)
    memory: PageMemory | None = None

    def __post_init__(self) -> None:
        """Refuse an unknown mode (True, the likely one, equals none), and what no URL can say."""
        if self.live not in get_args(LiveMode):
            modes = ", ".join(map(repr, get_args(LiveMode)))
            raise ValueError(f"live is {self.live!r}: one of {modes}")
        if not self.offset or not is_text(self.offset):
            raise BadAddress(f"the offset {self.offset!r} is none: take one that a batch gave")
