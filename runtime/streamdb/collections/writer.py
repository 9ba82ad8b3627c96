"""What a collection needs to write: handed in by the database above it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from streamdb.state.schema import CollectionSchema

Tx = TypeVar("Tx", covariant=True)


class Writer(Protocol[Tx]):
    """Takes the writes of all collections of a database."""

    def together(self) -> AbstractContextManager[Tx]:
        """Make the writes of a block one write: if it raises, there is none of them."""
        ...

    def insert(self, schema: CollectionSchema[Any, Any], row: Any) -> Tx:
        """Write a new row."""
        ...

    def upsert(self, schema: CollectionSchema[Any, Any], row: Any) -> Tx:
        """Write a row, new or not."""
        ...

    def update(
        self,
        schema: CollectionSchema[Any, Any],
        key: Any,
        change: Callable[[Any], Any],
        expect: Any | None = None,
    ) -> Tx:
        """Write what ``change`` makes of the row as it stands, which is to be ``expect``."""
        ...

    def delete(self, schema: CollectionSchema[Any, Any], key: Any) -> Tx:
        """Remove a row."""
        ...
