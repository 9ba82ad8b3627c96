"""The two forms of the Python client behind one face, so that each test is written once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol, Unpack

from tests.interop.schema import AsyncNotebook, Notebook
from tests.interop.writes import Rows, Write, rows_of

from streamdb import AsyncStream, DatabaseOptions, Stream


class OpenDatabase(Protocol):
    """An open database, asynchronous or blocking."""

    @property
    def db(self) -> AsyncNotebook | Notebook: ...

    async def after(self, txid: str) -> Rows:
        """Wait until a transaction has come by; return all rows."""
        ...

    async def write(self, write: Write) -> str:
        """Write through the database until it is durable; return the txid."""
        ...


class Client(Protocol):
    """One form of the client."""

    def open(
        self, url: str, **options: Unpack[DatabaseOptions]
    ) -> AbstractAsyncContextManager[OpenDatabase]: ...

    async def append(self, url: str, *posts: Iterable[Write]) -> None:
        """Create the stream if need be and append event constructors' events, POST by POST."""
        ...


class _AsyncDatabase:
    def __init__(self, db: AsyncNotebook) -> None:
        self.db: Final = db

    async def after(self, txid: str) -> Rows:
        await self.db.await_txid(txid, timeout=20)
        return rows_of(self.db)

    async def write(self, write: Write) -> str:
        transaction = write.apply_to(self.db)
        await transaction
        txid: str = transaction.txid
        return txid


class AsyncClient:
    @asynccontextmanager
    async def open(
        self, url: str, **options: Unpack[DatabaseOptions]
    ) -> AsyncGenerator[OpenDatabase]:
        async with AsyncNotebook(url, **options) as db:
            yield _AsyncDatabase(db)

    async def append(self, url: str, *posts: Iterable[Write]) -> None:
        async with await AsyncStream.create(url) as stream:
            for post in posts:
                await stream.append_many(write.event() for write in post)


class _BlockingDatabase:
    def __init__(self, db: Notebook) -> None:
        self.db: Final = db

    async def after(self, txid: str) -> Rows:
        await asyncio.to_thread(self.db.await_txid, txid, timeout=20)
        return rows_of(self.db)

    async def write(self, write: Write) -> str:
        def write_and_wait() -> Any:
            transaction = write.apply_to(self.db)
            transaction.result(timeout=20)
            return transaction.txid

        txid: str = await asyncio.to_thread(write_and_wait)
        return txid


class BlockingClient:
    @asynccontextmanager
    async def open(
        self, url: str, **options: Unpack[DatabaseOptions]
    ) -> AsyncGenerator[OpenDatabase]:
        db = Notebook(url, **options)
        try:
            await asyncio.to_thread(db.preload)
            yield _BlockingDatabase(db)
        finally:
            await asyncio.to_thread(db.close)

    async def append(self, url: str, *posts: Iterable[Write]) -> None:
        def append() -> None:
            with Stream.create(url) as stream:
                for post in posts:
                    stream.append_many(write.event() for write in post)

        await asyncio.to_thread(append)
