"""What a history that fails leaves open is closed, for it would spoil the tests after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

_LONGEST: Final = 10.0  # seconds: what is broken may never close


class Abandoned(Protocol):
    """A database that can be closed without a check."""

    async def abandon(self) -> None: ...


class Opening(Protocol):
    """Whoever has one database open at a time."""

    @property
    def opened(self) -> Abandoned: ...


@asynccontextmanager
async def abandoned_if_it_fails(user: Opening) -> AsyncGenerator[None]:
    """Close the database that the user has open if the block raises, and raise the same."""
    try:
        yield
    except BaseException:
        opened: Abandoned | None = getattr(user, "opened", None)
        if opened is not None:
            with suppress(Exception):
                async with asyncio.timeout(_LONGEST):
                    await opened.abandon()
        raise
