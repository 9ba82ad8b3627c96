"""Damaged cache files: the state is right all the same, and nobody but the log learns of it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.runtime.chat_schema import AsyncChat, message, messages, sensor, sensors

from streamdb import AsyncStream, CacheError

KEYS = 30


class Prepared:
    """A stream, and files that were a cache of it at one moment, with a write-ahead log."""

    def __init__(self, folder: Path) -> None:
        self.url = f"embedded:{folder / 'streams.db'}#damaged"
        self.cache = folder / "session.cache"
        self.files: dict[str, bytes] = {}
        self.rows: Any = None

    async def fill(self) -> None:
        async with await AsyncStream.create(self.url) as stream:
            for key in range(KEYS):
                await stream.append(messages.insert(message(key, "text " * key)))
            await stream.append(sensors.insert(sensor(1)))
            async with AsyncChat(self.url, cache=self.cache) as db:
                for key in range(0, KEYS, 3):
                    await db.messages.upsert(message(key, "again")).synced()
                await db.messages.delete("7").synced()
                await db.sensors.insert(sensor(2)).synced()
                # What is saved is in the log beside the file, as after a kill.
                self.files = self._read()
        async with AsyncChat(self.url) as db:
            self.rows = db.messages.items(), db.sensors.items()

    def _read(self) -> dict[str, bytes]:
        """Copy the files; SQLite gives them whole at the end of a transaction."""
        endings = ("", "-wal")
        return {ending: Path(f"{self.cache}{ending}").read_bytes() for ending in endings}

    def put_back(self, folder: Path, files: dict[str, bytes]) -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for ending, content in files.items():
            (folder / f"session.cache{ending}").write_bytes(content)
        return folder / "session.cache"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    made = Prepared(tmp_path_factory.mktemp("damaged"))
    asyncio.run(made.fill())
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("opened") / "cache"


@dataclass(frozen=True)
class Damage:
    """What happens to one of the files: at a place, to so many bytes."""

    file: Literal["", "-wal"]
    kind: Literal["flip", "zero", "cut", "cut out", "copy over", "remove"]
    place: float
    size: int
    value: int

    def do(self, files: dict[str, bytes]) -> None:
        """Do it."""
        data = files.get(self.file, b"")
        begin = int(len(data) * self.place)
        end = min(begin + self.size, len(data))
        if self.kind == "remove":
            files.pop(self.file, None)
        elif self.kind == "cut":
            files[self.file] = data[:begin]
        elif self.kind == "cut out":
            files[self.file] = data[:begin] + data[end:]
        else:
            flipped = bytes(byte ^ self.value for byte in data[begin:end])
            new = {
                "flip": flipped,
                "zero": bytes(end - begin),
                "copy over": data[begin - self.value * 4096 :][: end - begin],
            }[self.kind]
            files[self.file] = data[:begin] + new + data[begin + len(new) :]


# Most of a file is content; what SQLite and the chain of pieces stand on is at the beginning.
PLACES = st.floats(0, 1, exclude_max=True) | st.floats(0, 0.02)
DAMAGES = st.builds(
    Damage,
    file=st.sampled_from(["", "", "-wal"]),
    kind=st.sampled_from(["flip", "flip", "flip", "zero", "cut", "cut out", "copy over", "remove"]),
    place=PLACES,
    size=st.sampled_from([1, 1, 1, 2, 16, 512, 4096]),
    value=st.integers(1, 255),
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damages=st.lists(DAMAGES, min_size=1, max_size=4))
async def test_any_damage(prepared: Prepared, folder: Path, damages: list[Damage]) -> None:
    """The state is that of the stream, now and the next time; no error is raised.

    But for a file that nobody could know for a cache: that is refused, and left as it is.
    """
    files = dict(prepared.files)
    for damage in damages:
        damage.do(files)
    main = files.get("", b"")
    cache = prepared.put_back(folder, files)
    if not main or (main.startswith(b"SQLite format 3\0") and main[68:72] == b"cach"):
        await check(prepared, cache)
        return
    refused = ""
    try:
        await check(prepared, cache)  # what the log beside it holds may be whole
    except CacheError as error:
        refused = str(error)
    if refused:
        assert "is no cache of streamdb" in refused
        assert cache.read_bytes() == main


async def test_without_damage_it_is_used(prepared: Prepared, folder: Path) -> None:
    """Or the tests here would show nothing."""
    assert await check(prepared, prepared.put_back(folder, dict(prepared.files))) > KEYS


def tamper(cache: Path, statement: str) -> None:
    with sqlite3.connect(cache) as file:
        assert file.execute(statement).rowcount == 1
    file.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM pieces WHERE number = (SELECT max(number) FROM pieces)",
        "DELETE FROM pieces WHERE number = 2",
        "UPDATE pieces SET number = 99 WHERE number = 3",
        "UPDATE pieces SET content = replace(content, 'text', 'test') WHERE number = 2",
        "NULL",
        "UPDATE head SET content = replace(content, '\"base\":', '\"bare\":')",
        "UPDATE head SET content = 'x'",
    ],
)
async def test_what_sqlite_would_not_notice(
    prepared: Prepared, folder: Path, caplog: pytest.LogCaptureFixture, statement: str
) -> None:
    cache = prepared.put_back(folder, dict(prepared.files))
    if "NULL" in statement:
        tamper_with_nulls(cache)
    else:
        tamper(cache, statement)
    assert await check(prepared, cache) == 0
    assert "not used, and built anew" in caplog.text


def tamper_with_nulls(cache: Path) -> None:
    """Write what the declaration of the table forbids, as damage may."""
    with sqlite3.connect(cache) as file:
        file.execute("PRAGMA writable_schema = ON")
        file.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '')")
    file.close()
    tamper(cache, "UPDATE pieces SET content = NULL WHERE number = 2")


async def check(prepared: Prepared, cache: Path) -> int:
    """Open a cache, and then what came of it; return how many events it held at first."""
    async with AsyncChat(prepared.url, cache=cache) as db:
        assert (db.messages.items(), db.sensors.items()) == prepared.rows
        cached = db.metrics.cached
    async with AsyncChat(prepared.url, cache=cache) as db:
        assert (db.messages.items(), db.sensors.items()) == prepared.rows
        assert db.metrics.events == 0
    return cached
