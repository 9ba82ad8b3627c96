"""A request as it came, byte by byte."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Request:
    head: bytes
    body: bytes

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    @property
    def raw(self) -> bytes:
        return self.head + HEAD_END + self.body

    @property
    def offset(self) -> str:
        return parse_qs(urlsplit(self.target).query).get("offset", [""])[0]

    @property
    def live(self) -> str:
        return parse_qs(urlsplit(self.target).query).get("live", [""])[0]
