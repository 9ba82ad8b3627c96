"""Where rows come from: what changes them, and who else follows them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final, Literal, NamedTuple, Protocol
from weakref import WeakSet

from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.watchers import Ended, Watcher
from streamdb.expr.sources import Source


class Standing(NamedTuple):
    """How what changes some rows stands: a database, or a live query.

    Attributes:
        status: None as long as it goes on.
        error: what ended it, if a fault did.
    """

    status: Literal["error", "ended", "closed"] | None = None
    error: BaseException | None = None


class Follower(Protocol):
    """Keeps copies of rows of other places up to date, such as the live queries of a database."""

    def drain(self) -> None:
        """Take in what has happened to the originals. Called while none of their locks is held."""
        ...

    def __hash__(self) -> int: ...


class Followers:
    """Those who follow what one place holds, for as long as somebody else holds them.

    Some may come in one thread while those of now are listed in another one.

    Attributes:
        were_any: False as long as nobody ever did: most places are followed by nobody.
    """

    def __init__(self) -> None:
        self.were_any = False
        self._followers: Final[WeakSet[Follower]] = WeakSet()
        self._lock: Final = threading.Lock()

    def add(self, follower: Follower) -> None:
        """Take one in."""
        with self._lock:
            self._followers.add(follower)
        self.were_any = True

    def now(self) -> list[Follower]:
        """Return those of now."""
        with self._lock:
            return list(self._followers)


class Origin(Protocol):
    """A database, as far as its rows are concerned, or a local collection."""

    @property
    def lock(self) -> CommitLock:
        """Held while rows change, and while their watchers are told."""
        ...

    @property
    def is_loaded(self) -> bool:
        """Whether its first load is there."""
        ...

    @property
    def followers(self) -> Followers:
        """Who is to be told, after a commit and once the lock is free."""
        ...

    @property
    def standing(self) -> Standing:
        """Whether more will come."""
        ...

    def check_started(self) -> None:
        """Raise if nothing has connected it yet, so that its rows would be taken for none."""
        ...


class WatchedSource(Source, Protocol):
    """A source whose changes others can follow."""

    @property
    def origin(self) -> Origin:
        """What changes its rows."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether its rows were loaded."""
        ...

    @property
    def standing(self) -> Standing:
        """Whether more will come."""
        ...

    def check_readable(self) -> None:
        """Raise if what it holds would be taken for its rows, and is not. Takes no lock.

        Raises:
            NotConnected: nothing has connected the database yet.
            Exception: what made a live query fail.
        """
        ...

    def watch(self, watcher: Watcher, ended: Ended) -> Callable[[], None]:
        """Call ``watcher`` after every commit that changes rows; return how to stop."""
        ...


def is_watched_source(source: Any) -> bool:
    """Tell whether a source is of a place that changes it; those of tests may be of none."""
    return getattr(source, "origin", None) is not None


def release(origin: Origin) -> None:
    """Have those who follow take in what has changed; called when the lock is free again."""
    if origin.followers.were_any:
        with ExitStack() as stack:  # if one is interrupted, the others go on
            for follower in origin.followers.now():
                stack.callback(follower.drain)
