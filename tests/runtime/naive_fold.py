"""The state protocol in the plainest words: what a database of the chat schema has to hold."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.runtime.chat_schema import Message, Profile, Sensor

Rows = dict[str, dict[Any, Any]]
InOrder = dict[str, list[tuple[Any, Any, int]]]

NAMES = ("messages", "sensors", "profiles")

OPERATIONS = ("insert", "update", "upsert", "delete")
CONTROLS = ("reset", "snapshot-start", "snapshot-end")


@dataclass
class NaiveFold:
    """Applies events one at a time.

    Attributes:
        rows: by collection, the rows by key, in order of first insertion.
        seqs: by collection and key, the ordinal of the row's last event.
        ordinal: of the last event, counted since the beginning or the last reset.
        invalid: how many events were none (INVALID-1).
    """

    rows: Rows = field(default_factory=lambda: {name: {} for name in NAMES})
    seqs: Rows = field(default_factory=lambda: {name: {} for name in NAMES})
    ordinal: int = 0
    invalid: int = 0

    def apply_all(self, events: Sequence[Any]) -> None:
        """Apply events in their order."""
        for event in events:
            self.apply(event)

    def apply(self, event: Any) -> None:
        """Apply an event of the stream; resets clear, wherever they want to start over."""
        self.ordinal += 1
        if not isinstance(event, dict) or not isinstance(event.get("headers"), dict):
            self.invalid += 1
            return
        headers = event["headers"]
        if headers.get("control") in CONTROLS and "operation" not in headers:
            if headers["control"] == "reset":
                for rows in self.rows.values():
                    rows.clear()
                self.ordinal = 0
        elif headers.get("operation") not in OPERATIONS or not event.get("key"):
            self.invalid += 1
        elif event["type"] == "message":
            self._change(event, "messages", event["key"])
        elif event["type"] == "profile":
            self._change(event, "profiles", event["key"])
        elif event["type"] == "sensor":
            is_number = re.fullmatch("0|-?[1-9][0-9]*", event["key"])
            self._change(event, "sensors", int(event["key"]) if is_number else None)

    def _change(self, event: dict[str, Any], name: str, key: Any) -> None:
        rows = self.rows[name]
        if event["headers"]["operation"] == "delete":
            rows.pop(key, None)
            return
        value = event.get("value")
        row = None
        if key is not None and isinstance(value, dict):
            row = _ROWS[name](key, value, rows.get(key))
        if row is None:
            self.invalid += 1
        else:
            rows[key] = row
            self.seqs[name][key] = self.ordinal

    def in_order(self) -> InOrder:
        """Return by collection the keys, the rows and their ordinals, in the order of the rows."""
        return {
            name: [(key, row, self.seqs[name][key]) for key, row in rows.items()]
            for name, rows in self.rows.items()
        }


def _message(key: str, value: dict[str, Any], _: Any) -> Message | None:
    role, content = value.get("role", "user"), value.get("content", "")
    if role not in ("user", "assistant") or not isinstance(content, str):
        return None
    return Message(id=key, role=role, content=content)


def _sensor(key: int, value: dict[str, Any], _: Any) -> Sensor | None:
    room, celsius = value.get("room"), value.get("celsius")
    is_number = type(celsius) in (int, float) and math.isfinite(celsius)
    if not isinstance(room, str) or not is_number:
        return None
    return Sensor(id=key, room=room, celsius=celsius, extra=value.get("extra"))


def _profile(key: str, value: dict[str, Any], before: Profile | None) -> Profile | None:
    """UPDATE-4: what the value holds is laid over the stored row."""
    known = {} if before is None else {"name": before.name, "city": before.city}
    laid = {**known, **{name: value[name] for name in ("name", "city") if name in value}}
    if not isinstance(laid.get("name"), str) or not isinstance(laid.get("city"), str | None):
        return None
    if "city" in value and value["city"] is None:
        return None  # it may be absent, and not null
    return Profile(id=key, **laid)


_ROWS: dict[str, Any] = {"messages": _message, "sensors": _sensor, "profiles": _profile}


@dataclass(frozen=True)
class Restart:
    """A reset that names an earlier offset; a log has one at most.

    Attributes:
        at: which event it is.
        offset: the one that it names.
        start: the first event behind that.
    """

    at: int
    offset: str
    start: int


class NaiveReader:
    """What a database makes of the batches that it gets.

    Args:
        events: the log.
        restart: the reset in it that wants to start over, if there is one.
        start: the first event that was not in the cache which the database began from.
    """

    def __init__(self, events: Sequence[Any], restart: Restart | None, start: int) -> None:
        self._events = events
        self._restart = restart
        self._position = start
        self._is_at_beginning = start == 0
        self._skipped_before = 0
        self._is_loading = True
        self._folds = _folds_of_cache(events[:start], restart)

    def take(self, start: int, end: int, *, is_up_to_date: bool) -> list[InOrder]:
        """Take a batch of events in; return the states that may show then, none during a load."""
        assert start == self._position, f"read from {start} to {end}, not from {self._position}"
        self._position = end
        restart = self._restart
        was_at_beginning, self._is_at_beginning = self._is_at_beginning, False
        if restart is not None and start <= restart.at < end and start >= self._skipped_before:
            is_before = restart.offset == "-1" and not was_at_beginning
            if restart.start < start or is_before:  # RESET-3, RESET-2
                self._is_at_beginning = restart.offset == "-1"
                self._position = restart.start
                self._skipped_before = end  # RESET-8
                self._is_loading = True
                self._folds = [NaiveFold()]
                return []
            batch = self._events[start:end]  # RESET-4: it clears
        else:
            batch = _without_restart(self._events, restart)[start:end]
        for fold in self._folds:
            fold.apply_all(batch)
        self._is_loading = self._is_loading and not is_up_to_date
        return [] if self._is_loading else [fold.in_order() for fold in self._folds]


def _folds_of_cache(events: Sequence[Any], restart: Restart | None) -> list[NaiveFold]:
    """Return what may be in a cache.

    Whether a reset starts over or clears depends on where the batch that held it began (RESET-2),
    and who opens the cache cannot know that.
    """
    logs = [events]
    if restart is not None and restart.at < len(events):
        logs.append(_without_restart(events, restart)[restart.start :])
    folds = [NaiveFold() for _ in logs]
    for fold, log in zip(folds, logs, strict=True):
        fold.apply_all(log)
    return folds


def _without_restart(events: Sequence[Any], restart: Restart | None) -> list[Any]:
    """Return the log with a mark that does nothing in place of the reset that starts over."""
    marked = list(events)
    if restart is not None and restart.at < len(marked):
        marked[restart.at] = {"headers": {"control": "snapshot-start"}}
    return marked
