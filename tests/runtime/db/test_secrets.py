"""What an address holds beside the place, a password or a token, stays out of messages and logs."""

from __future__ import annotations

import logging

import pytest
from tests.runtime.chat_schema import AsyncChat, message

from streamdb import AsyncStream, DatabaseClosed, StreamDBError, StreamNotFound

SECRETS = ("PASSW0RD", "T0KEN")


def with_secrets(url: str) -> str:
    return url.replace("http://", f"http://user:{SECRETS[0]}@") + f"?token={SECRETS[1]}"


async def test_no_error_and_no_log_line_shows_a_secret(
    http_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="streamdb")
    url = with_secrets(http_url)
    said: list[str] = []

    missing = AsyncChat(url)
    with pytest.raises(StreamNotFound) as not_found:
        await missing.preload()
    await missing.aclose()

    db = AsyncChat(url, create=True)
    await db.preload()
    said += [repr(db), db.url, repr(db.messages)]
    async with AsyncStream(http_url) as stream:
        await stream.append({"headers": {}})  # an invalid event, reported
        await stream.close_stream()
    failing = db.messages.insert(message("a"))
    with pytest.raises(StreamDBError) as refused:
        await failing
    with pytest.raises(StreamDBError) as timed_out:
        await db.await_txid("t", timeout=0.01)
    await db.aclose()
    with pytest.raises(DatabaseClosed) as closed:
        db.messages.upsert(message("b"))
    with pytest.raises(DatabaseClosed) as closed_again:
        await db.preload()

    for caught in (not_found, refused, timed_out, closed, closed_again):
        error: BaseException | None = caught.value
        while error is not None:
            said += [str(error), repr(error)]
            error = error.__cause__ or error.__context__
    assert http_url in " ".join(said)
    for text in (*said, caplog.text):
        assert not any(secret in text for secret in SECRETS), text
