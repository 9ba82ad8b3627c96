"""What `until` waits for a row of, as type checkers are told: collections and live queries.

They are protocols of covariant types. mypy takes what an awaited result is used as for its type, so
that of a class of invariant ones it would ask for rows that are plain objects.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

Row = TypeVar("Row", covariant=True)
Cols = TypeVar("Cols", covariant=True)


class AsyncRows(Protocol[Row, Cols]):
    """A collection of an async database."""

    def __rows_of_async__(self) -> tuple[Row, Cols]:
        """Tell of what type rows and columns are."""
        ...


class AsyncLiveRows(Protocol[Row]):
    """A live query of an async database."""

    def __live_rows_of_async__(self) -> Row:
        """Tell of what type rows are."""
        ...


class BlockingRows(Protocol[Row, Cols]):
    """A collection of a blocking database."""

    def __rows_of_blocking__(self) -> tuple[Row, Cols]:
        """Tell of what type rows and columns are."""
        ...


class BlockingLiveRows(Protocol[Row]):
    """A live query of a blocking database."""

    def __live_rows_of_blocking__(self) -> Row:
        """Tell of what type rows are."""
        ...
