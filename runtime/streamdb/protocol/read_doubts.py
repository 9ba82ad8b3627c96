"""What a reader does about answers that cannot be right: it asks again until that is in vain.

What chance damages is damaged here now and there then, and sound answers come in between: that is a
network to be patient with, like one that loses answers. What the stream holds damaged, or what some
rule on the way damages, comes in the same way each time: that is an error to be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamdb.errors import StreamParseError
from streamdb.protocol.exchange import Batch, Interrupted, Operation, pause
from streamdb.protocol.retry import Failures
from streamdb.protocol.soundness import Damage, damage_of_page

# Fewer would take chance for a rule: bodies that were cut to nothing look alike. With the waits of
# the default policy, so many tries take less than a second.
_TELLING: Final = 6
_PAST_CACHES: Final[Mapping[str, str]] = {"Cache-Control": "no-cache"}


class Doubts:
    """The damaged answers of one reader, in a row and from one offset.

    Args:
        url: the stream's address, for messages.
        failures: counts the tries, and says how long to wait before each.
        has_another_way: True if there is another way to read than this one, so that damage of any
            kinds, so many times in a row, is enough to leave this one.

    Attributes:
        has_tolerated: True if the last answer was damaged and is delivered nevertheless.
    """

    def __init__(self, url: str, failures: Failures, *, has_another_way: bool = False) -> None:
        self._url: Final = url
        self._failures: Final = failures
        self._has_another_way: Final = has_another_way
        self._offset: str | None = None
        self._sign: bytes | None = None
        self._alike = 0  # the last answers in a row that bear this sign
        self.has_tolerated = False

    @property
    def headers(self) -> Mapping[str, str]:
        """What to send with the next request: a cache shall not give what was damaged again."""
        return _PAST_CACHES if self._failures.count else {}

    @property
    def are_of_one_damage(self) -> bool:
        """True if no answer so far, or none of the last few, was damaged in another way."""
        return self._alike >= min(self._failures.count, _TELLING)

    def resolve(self, batch: Batch, asked: str) -> Operation[bool]:
        """Return True if a page shall be asked for again, False if it can be delivered.

        Raises:
            StreamParseError: neither; the damaged text is quoted.
        """
        damage = damage_of_page(batch, asked)
        self.has_tolerated = False
        if damage is None:
            self.clear()
            return False
        if (yield from self.ask_again(damage, asked)):
            return True
        if damage.is_of_events and self.are_of_one_damage:
            self.clear()
            self.has_tolerated = True
            return False
        raise self.error(damage, asked)

    def ask_again(self, damage: Damage, asked: str) -> Operation[bool]:
        """Wait before the next try, and return True; False if there were enough."""
        if asked != self._offset:
            self.clear()
            self._offset = asked
        self._alike = self._alike + 1 if damage.sign == self._sign else 1
        self._sign = damage.sign
        wait = self._failures.next_delay()
        telling = self._failures.count if self._has_another_way else self._alike
        if wait is None or telling >= _TELLING:
            return False
        told = f"the answer is damaged: {damage.reason}"
        yield from pause(Interrupted("read", told, wait, self._failures.count))
        return True

    def clear(self) -> None:
        """Begin anew: a sound answer has come."""
        self._failures.forget()
        self._offset = self._sign = None
        self._alike = 0

    def error(self, damage: Damage, asked: str) -> StreamParseError:
        """Make the error that tells of the damage."""
        return StreamParseError(f"read: {damage.reason}", url=self._url, offset=asked)
