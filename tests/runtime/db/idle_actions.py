"""Parts of actions that do next to nothing."""

from __future__ import annotations

import asyncio


def nothing() -> None:
    """Show nothing."""


async def pause() -> None:
    await asyncio.sleep(0.05)
