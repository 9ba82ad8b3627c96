"""Writing by an idempotent producer, and saying what of it is stored when something fails."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import streamdb
from streamdb.cli.exits import Exit, Failed, code_of
from streamdb.cli.interrupts import Interrupts
from streamdb.cli.terminal import complain
from streamdb.cli.values import Value

_MOMENT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Units:
    """What is counted: values of a JSON stream, bytes of another one."""

    of_json: bool

    @property
    def name(self) -> str:
        """The word for them."""
        return "values" if self.of_json else "bytes"

    def of(self, values: Iterable[Any]) -> int:
        """Count."""
        return sum(1 if self.of_json else len(value) for value in values)

    def say(self, size: int) -> str:
        """Say a number of them.

        >>> Units(of_json=True).say(1), Units(of_json=False).say(2)
        ('1 value', '2 bytes')
        """
        return f"{size} {self.name if size != 1 else self.name[:-1]}"


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored: how much now, the tail behind it, and how much the server had before."""

    size: int
    offset: str | None
    repeated: int = 0

    @property
    def where(self) -> str:
        """The offset, in brackets, where the server has said it."""
        return "" if self.offset is None else f" (offset {self.offset})"


def produce(producer: streamdb.Producer, values: Iterable[Value], units: Units) -> Stored:
    """Write values as they come, each of them once.

    Raises:
        Failed: a value was no value, the server failed, or the user interrupted; the message says
            what is stored.
    """
    given = 0
    refused: Failed | None = None
    try:
        with Interrupts() as interrupts:
            for value in values:
                with interrupts.step:
                    producer.append(value)
                    given += units.of([value])
    except streamdb.ProducerFailed:
        pass  # it has stopped; `flush` says what it lost
    except Failed as failed:
        refused = failed
    except KeyboardInterrupt:
        refused = Failed("append: interrupted", Exit.INTERRUPTED)
    try:
        if refused is not None:
            _wait_a_moment(producer, refused)
        # Before `detach`, which waits for requests even if it is interrupted.
        appended = _flush(producer)
        producer.detach()
    except streamdb.ProducerFailed as failed:
        raise _failure(failed, given, _repeated(producer, units), units) from failed
    repeated = _repeated(producer, units)
    stored = Stored(given - repeated, appended.offset, repeated)
    if refused is not None:
        raise Failed(
            f"{refused.message}; what came before is stored: {units.say(given)}{stored.where}"
            f"{_of_earlier(repeated)}",
            refused.code,
        )
    return stored


def _wait_a_moment(producer: streamdb.Producer, refused: Failed) -> None:
    try:
        producer.flush(timeout=_MOMENT)
    except TimeoutError:
        complain(f"{refused.message}; storing what came before; interrupt to give that up")


def _flush(producer: streamdb.Producer) -> streamdb.Appended:
    # In moments: Python acts on a Ctrl-C that comes just before a wait only when the wait is over.
    while True:
        with suppress(TimeoutError):
            return producer.flush(timeout=_MOMENT)


def _repeated(producer: streamdb.Producer, units: Units) -> int:
    return producer.duplicates if units.of_json else producer.duplicate_bytes


def _of_earlier(repeated: int) -> str:
    # Whether that run stored the same, nobody can tell but who named the producer.
    return f" (for {repeated} of them the server says: by an earlier run)" if repeated else ""


def _failure(failed: streamdb.ProducerFailed, given: int, repeated: int, units: Units) -> Failed:
    unwritten, unknown = units.of(failed.unwritten), units.of(failed.unknown)
    told = f"{failed.__cause__ or failed}; of {units.say(given)}, {given - unwritten - unknown} "
    told += f"are stored{_of_earlier(repeated)} and {unwritten} are not"
    if unknown:
        told += f"; of the other {unknown} it is unknown"
    return Failed(told, code_of(failed.__cause__))
