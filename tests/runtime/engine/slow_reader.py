"""A reader of an ordered result who looks at every third commit only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from streamdb.engine.executor import Changes, Item, Key
from streamdb.engine.positioned_buffer import PositionedBuffer
from streamdb.engine.same import same_row


class SlowReader:
    """Replays what it takes, and compares that with the rows as they are.

    Args:
        order: the keys in order, when it begins to read.
        rows: the rows by key.
    """

    def __init__(self, order: Iterable[Key], rows: Mapping[Key, Item]) -> None:
        self._listed: Final[list[tuple[Key, Any]]] = [(key, rows[key]) for key in order]
        self._buffer: Final = PositionedBuffer(lambda: None, len(self._listed))
        self._commits = 0

    def push(self, changes: Changes, order: Iterable[Key], rows: Mapping[Key, Item]) -> None:
        """Tell it what a commit changed, and what there is now.

        Raises:
            AssertionError: what it took does not lead there.
        """
        self._buffer.push(changes)
        self._commits += 1
        if self._commits % 3:
            return
        taken = self._buffer.take()
        assert len({change[0] for change in taken}) == len(taken), "two changes of one key"
        for key, old, new, old_index, new_index in taken:
            assert old_index != new_index or old is not new, f"{key!r}: a no-op"
            assert old is new or not same_row(old, new), f"{key!r}: the same as another object"
            if old_index is not None:
                listed, row = self._listed.pop(old_index)
                assert (listed,) == (key,)  # NaN is itself here
                assert same_row(row, old)
            if new_index is not None:
                assert new_index <= len(self._listed)
                self._listed.insert(new_index, (key, new))
        assert [key for key, _ in self._listed] == list(order), "a slow reader has another order"
        for key, row in self._listed:
            assert same_row(row, rows[key]), f"a slow reader has another row of {key!r}"
