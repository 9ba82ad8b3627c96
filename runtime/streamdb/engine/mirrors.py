"""All copies that one database keeps of rows of other places."""

from __future__ import annotations

import threading
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
        self._has_ended = False
        #: False as long as there never was one: most databases never have one.
        self.were_any = False
        # Two, for making one takes the lock of the original, under which the list may be wanted.
        self._making: Final = threading.Lock()
        self._listing: Final = threading.Lock()

    def of(self, original: WatchedSource) -> Mirror:
        """Return the copy of a source; a new one if there is none. Called while no lock is held."""
        with self._making:
            mirror = self._mirrors.get(original)
            if mirror is None:
                original.origin.followers.add(self._owner)
                self.were_any = True
                mirror = Mirror(original, self._post)
                with self._listing:
                    self._mirrors[original] = mirror
            return mirror

    def end(self) -> None:
        """Follow the originals no more."""
        self._has_ended = True
        for mirror in self.all():
            mirror.stop()
        self._inbox.clear()

    def _post(self, mail: Mail) -> None:
        if not self._has_ended:  # or nobody would ever take it out
            self._inbox.append(mail)

    @property
    def tables(self) -> list[Table]:
        """Their rows."""
        return [mirror.table for mirror in self.all()]

    @property
    def are_behind(self) -> bool:
        """Whether anything has happened that they do not show."""
        return bool(self._inbox) or any(mirror.has_become_ready for mirror in self.all())

    def catch_up(self) -> tuple[dict[Source, Changes], set[Source], list[Mirror]]:
        """Bring the copies up to date.

        Returns:
            What that changed; what is new altogether, or has failed; what has ended otherwise.
        """
        mails: dict[Mirror, list[Mail]] = {}
        while self._inbox:
            mail = self._inbox.popleft()
            if (mirror := mail.mirror()) is not None:
                mails.setdefault(mirror, []).append(mail)
        changes: dict[Source, Changes] = {}
        anew: set[Source] = set()
        ended: list[Mirror] = []
        for mirror, its_mails in mails.items():
            moved = mirror.table.write([write for mail in its_mails for write in mail.writes])
            if moved:
                changes[mirror] = moved
            end = next((mail.end for mail in its_mails if mail.end), None)
            if end is not None:
                mirror.standing = end
                if end.error is not None:
                    anew.add(mirror)
                else:
                    ended.append(mirror)
        for mirror in self.all():
            if mirror.has_become_ready:
                mirror.is_ready = True
                anew.add(mirror)
        return changes, anew, ended

    def all(self) -> list[Mirror]:
        """Return all copies that a query asks."""
        with self._listing:
            return list(self._mirrors.values())
