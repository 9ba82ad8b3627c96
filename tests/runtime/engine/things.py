"""Rows for tests of the engine."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Thing(Struct, frozen=True):
    """A row with a key and whatever a test wants to put into it."""

    id: Any
    a: Any = None
    b: Any = None
