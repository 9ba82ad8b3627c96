"""All copies that one database keeps of rows of other places."""

from __future__ import annotations

from collections import deque
from typing import Final
from weakref import WeakValueDictionary

from streamdb.collections.origin import Follower, WatchedSource
from streamdb.collections.table import Table
from streamdb.engine.executor import Changes
from streamdb.engine.mirror import Mail, Mirror
from streamdb.expr.sources import Source


class Mirrors:
    """The mirrors of a database, as long as a query asks them, and what has happened to originals.

    Args:
        owner: is told to take it in, when the lock of the original is free.
    """

    def __init__(self, owner: Follower) -> None:
        self._owner: Final = owner
        self._mirrors: Final[WeakValueDictionary[WatchedSource, Mirror]] = WeakValueDictionary()
        self._inbox: Final[deque[Mail]] = deque()

    def of(self, original: WatchedSource) -> Mirror:
        """Return the copy of a source; a new one if there is none. Called while no lock is held."""
        mirror = self._mirrors.get(original)
        if mirror is None:
            original.origin.followers.add(self._owner)
            mirror = self._mirrors[original] = Mirror(original, self._inbox)
        return mirror

    @property
    def tables(self) -> list[Table]:
        """Their rows."""
        return [mirror.table for mirror in self._all()]

    @property
    def are_behind(self) -> bool:
        """Whether anything has happened that they do not show."""
        if self._inbox:
            return True
        return bool(self._mirrors) and any(mirror.has_become_ready for mirror in self._all())

    def catch_up(self) -> tuple[dict[Source, Changes], set[Source]]:
        """Bring the copies up to date. Return what that changed, and what is new altogether."""
        mails: dict[Mirror, list[Mail]] = {}
        while self._inbox:
            mail = self._inbox.popleft()
            if (mirror := mail.mirror()) is not None:
                mails.setdefault(mirror, []).append(mail)
        changes: dict[Source, Changes] = {}
        anew: set[Source] = set()
        for mirror, its_mails in mails.items():
            moved = mirror.table.write([write for mail in its_mails for write in mail.writes])
            if moved:
                changes[mirror] = moved
            error = next((mail.error for mail in its_mails if mail.error), None)
            if error is not None:
                mirror.failure = error
                anew.add(mirror)
        for mirror in self._all():
            if mirror.has_become_ready:
                mirror.is_ready = True
                anew.add(mirror)
        return changes, anew

    def _all(self) -> list[Mirror]:
        return list(self._mirrors.values())
