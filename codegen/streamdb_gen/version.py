"""The version of the compiler, as it is written into generated files."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """The version of the installed distribution ``streamdb``."""
    return metadata.version("streamdb")
