"""What a reader does about answers that cannot be right."""

from __future__ import annotations

from typing import Final

from streamdb.errors import StreamParseError
from streamdb.protocol.exchange import Batch, Interrupted, Operation, pause
from streamdb.protocol.read_options import ReadOptions
from streamdb.protocol.read_position import Position
from streamdb.protocol.soundness import Damage, damage_of_page

# What comes damaged so often from one offset is stored so, or damaged on every way.
_TRIES_OF_DAMAGED: Final = 3


class Doubts:
    """Answers that cannot be right are asked for again, some times from each offset.

    ``has_tolerated`` is True if the last one was damaged and is delivered nevertheless.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._options: Final = options
        self._failures = options.reconnect.begin(options.clock)
        self._offset: str | None = None
        self._parts: set[tuple[bytes, ...]] = set()
        self.has_tolerated = False

    def resolve(self, batch: Batch, position: Position) -> Operation[bool]:
        """Return True if the batch shall be asked for again, False if it can be delivered.

        Raises:
            StreamParseError: neither; the damaged text is quoted.
        """
        damage = damage_of_page(batch, position.offset)
        self.has_tolerated = False
        if damage is None:
            return False
        if (yield from self.ask_again(damage, position, batch.parts)):
            return True
        if damage.is_of_one_event and len(self._parts) == 1:  # it was the same each time
            self.has_tolerated = True
            return False
        raise StreamParseError(
            f"read: {damage.reason}", url=self._options.url, offset=position.offset
        )

    def ask_again(
        self, damage: Damage, position: Position, parts: tuple[bytes, ...] = ()
    ) -> Operation[bool]:
        """Wait before the next try, and return True; False if there were enough."""
        if position.offset != self._offset:
            self._failures.forget()
            self._parts.clear()
            self._offset = position.offset
        self._parts.add(parts)
        wait = self._failures.next_delay()
        if wait is None or self._failures.count >= _TRIES_OF_DAMAGED:
            return False
        told = f"the answer is damaged: {damage.reason}"
        yield from pause(Interrupted("read", told, wait, self._failures.count))
        return True
