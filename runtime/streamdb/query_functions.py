"""Functions of queries run in the midst of commits: they depend on their rows, and on nothing else.

What they read elsewhere would be no part of what makes them run again, and what they wait for comes
when the commit is over.
"""

from __future__ import annotations

import threading
from typing import Final

from streamdb.errors import StreamDBError, WouldDeadlock


class _Running(threading.local):
    """Whether this thread runs functions of a query: ``with running_functions:``."""

    def __init__(self) -> None:
        self.depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1


running_functions: Final = _Running()


def check_caller(what: str) -> None:
    """Raise StreamDBError if the caller is a function of a query.

    >>> check_caller("fetch()")
    >>> with running_functions:
    ...     check_caller("fetch()")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    streamdb.errors.StreamDBError: fetch(): called by a function of a query, which has to depend...
    """
    if running_functions.depth:
        raise StreamDBError(
            f"{what}: called by a function of a query, which has to depend on its rows alone; "
            "join what else it needs"
        )


def check_may_wait(what: str) -> None:
    """Raise WouldDeadlock if the caller is a function of a query."""
    if running_functions.depth:
        raise WouldDeadlock(
            f"{what}: called by a function of a query, while the database is held still for it, so "
            "nothing that it waits for would come; wait before or after, on the result of the query"
        )
