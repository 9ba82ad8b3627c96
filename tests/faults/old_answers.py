"""Answers that a server gave before, for a proxy to give again."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

from tests.faults.request import Request

_LARGEST = 1 << 20  # bytes of one that is kept


@dataclass(frozen=True)
class _OldAnswer:
    """What a server answered once: where the data begins, where it ends, and the whole of it."""

    begin: str
    end: str
    answer: bytes


class OldAnswers:
    """The last answers to each kind of request."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], deque[_OldAnswer]] = {}

    def keep(self, request: Request, answer: bytes) -> None:
        """Note an answer, unless it says nothing or is large."""
        if answer and len(answer) < _LARGEST and not answer.startswith(b"HTTP/1.1 304"):
            old = self._answers.setdefault((request.method, request.live), deque(maxlen=3))
            old.append(_OldAnswer(request.offset, _next_offset(answer), answer))

    def find(self, request: Request) -> bytes | None:
        """Return one that may come again as the answer to this request, if there is any."""
        # Not one to a read from further on, or from before with what is asked for: what it leaves
        # out or doubles, no client could know.
        for old in self._answers.get((request.method, request.live), ()):
            if old.begin == request.offset or old.begin < old.end <= request.offset:
                return old.answer
        return None


def _next_offset(answer: bytes) -> str:
    found = re.search(rb"\r\nstream-next-offset: *([^\r]*)", answer, re.IGNORECASE)
    return found[1].decode() if found else ""
