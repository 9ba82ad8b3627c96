"""One short text for the whole state of a session: equal texts, equal state."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


def digest(collections: Mapping[str, Iterable[Any]]) -> str:
    """Digest all rows of all collections, their order included."""
    rows = {name: list(collection) for name, collection in sorted(collections.items())}
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()[:16]
