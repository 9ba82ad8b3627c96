"""Caches for tests: a place for one, what was warned of them, and streams to read into them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.runtime.chat_schema import message, messages

from streamdb import (
    AsyncStream,
)

WARNED = "is not used, and built anew"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "session.cache"


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, logger="streamdb.cache")
    return caplog


async def write(url: str, *keys: int, content: str = "") -> str:
    """Write messages, each in a request of its own; return the offset behind them."""
    async with AsyncStream(url) as stream:
        for key in keys:
            await stream.append(messages.upsert(message(key, content)))
        return (await stream.head()).offset


def content_of(file: Path) -> bytes:
    return file.read_bytes()
