"""The events that are loaded: the same bytes at every run, and for every client.

A chat: 70 of 100 events are of messages (of 80 characters), 20 of presence, 10 of agents; 5 of 100
remove something and 20 change something. The random numbers are those of mulberry32, a function
that JavaScript programs use, so that a program in either language can make the same bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.random_data import mulberry32, random_text

_BEGIN: Final = dt.datetime(2026, 1, 1)
_STATUSES: Final = ("online", "away", "offline")

#: The first digits of the SHA-256 of the texts, each with a line feed behind it.
DIGESTS: Final = {10_000: "59e981f4f801e0ea", 100_000: "fd3195f1ff1be878"}


def event_texts(count: int) -> list[bytes]:
    """Return the texts of so many events.

    Raises:
        AssertionError: they are not those that the figures are of.
    """
    texts = [
        json.dumps(event, separators=(",", ":")).encode() for event in _Chat(count).events(count)
    ]
    if count in DIGESTS:
        digest = hashlib.sha256(b"".join(text + b"\n" for text in texts)).hexdigest()
        assert digest.startswith(DIGESTS[count]), "other bytes than the figures are of"
    return texts


def stamped(texts: list[bytes]) -> list[bytes]:
    """Return them as the reference server sends them, with an offset in their headers."""
    return [
        text[:-2] + b',"offset":"0000000000000000_%016d"}}' % (200 * number)
        for number, text in enumerate(texts)
    ]


def page_of(texts: list[bytes]) -> bytes:
    """Return the JSON array of them, as the body of one answer."""
    return b"[" + b",".join(texts) + b"]"


@dataclass
class _Live:
    """The keys of one type that are there, in an order that only removals change."""

    keys: list[str] = field(default_factory=list[str])
    places: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, key: str) -> None:
        if key not in self.places:
            self.places[key] = len(self.keys)
            self.keys.append(key)

    def remove(self, key: str) -> None:
        place, last = self.places.pop(key), self.keys.pop()
        if last != key:
            self.keys[place] = last
            self.places[last] = place


class _Chat:
    """Every draw of a random number is part of what the bytes are: keep their order."""

    def __init__(self, count: int) -> None:
        self._random = mulberry32(42)
        self._users = max(100, count // 20)
        self._agents = max(10, count // 100)
        self._live = {"message": _Live(), "presence": _Live(), "agent": _Live()}
        self._messages: dict[str, tuple[str, str]] = {}
        self._created = 0

    def events(self, count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            which, what = self._random(), self._random()
            type_ = "message" if which < 0.7 else "presence" if which < 0.9 else "agent"
            live = self._live[type_]
            operation = "delete" if what < 0.05 else "update" if what < 0.25 else "new"
            key = ""
            if not live.keys:
                operation = "new"
            elif operation != "new":
                key = live.keys[self._pick(len(live.keys))]
            event: dict[str, Any] = {"type": type_, "key": key}
            if operation == "delete":
                live.remove(key)
                self._messages.pop(key, None)
            else:
                event["value"] = value = getattr(self, f"_{type_}")(key, number)
                event["key"] = next(iter(value.values()))
                live.add(event["key"])
            if operation == "new":
                operation = "insert" if type_ == "message" else "upsert"
            yield {**event, "headers": {"operation": operation}}

    def _message(self, key: str, number: int) -> dict[str, str]:
        if not key:
            key = f"m{self._created}"
            self._created += 1
            draw = self._random()
            role = "user" if draw < 0.5 else "assistant" if draw < 0.95 else "system"
            at = _BEGIN + dt.timedelta(seconds=number)
            self._messages[key] = (role, f"{at:%Y-%m-%dT%H:%M:%S}.000Z")
        role, created_at = self._messages[key]
        return {"id": key, "role": role, "content": self._text(), "createdAt": created_at}

    def _presence(self, key: str, number: int) -> dict[str, str]:
        key = key or f"u{self._pick(self._users)}"
        return {"userId": key, "status": _STATUSES[self._pick(3)]}

    def _agent(self, key: str, number: int) -> dict[str, str]:
        key = key or f"a{self._pick(self._agents)}"
        endpoint = f"https://agents.example.com/{key}/v{self._pick(1000)}"
        return {"agentId": key, "name": f"Agent {key}", "endpoint": endpoint}

    def _text(self) -> str:
        return random_text(self._random, 80)

    def _pick(self, below: int) -> int:
        return int(self._random() * below)


if __name__ == "__main__":  # python -m benchmarks.ingest.events COUNT: the texts, line by line
    for line in event_texts(int(sys.argv[1])):
        print(line.decode())
