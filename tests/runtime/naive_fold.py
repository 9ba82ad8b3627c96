"""The state protocol in the plainest words: what a database of the chat schema has to hold."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.runtime.chat_schema import Message, Profile, Sensor

Rows = dict[str, dict[Any, Any]]

OPERATIONS = ("insert", "update", "upsert", "delete")
CONTROLS = ("reset", "snapshot-start", "snapshot-end")


@dataclass
class NaiveFold:
    """Applies events one at a time.

    Attributes:
        rows: by collection, the rows by key, in order of first insertion.
        invalid: how many events were none (INVALID-1).
    """

    rows: Rows = field(default_factory=lambda: {"messages": {}, "sensors": {}, "profiles": {}})
    invalid: int = 0

    def apply(self, event: Any) -> None:
        """Apply an event of the stream; resets clear, wherever they want to start over."""
        if not isinstance(event, dict) or not isinstance(event.get("headers"), dict):
            self.invalid += 1
            return
        headers = event["headers"]
        if headers.get("control") in CONTROLS and "operation" not in headers:
            if headers["control"] == "reset":
                for rows in self.rows.values():
                    rows.clear()
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
    """A reset that names an earlier offset.

    Attributes:
        at: which event it is.
        start: the first event behind the offset that it names.
    """

    at: int
    start: int


def states_after(events: Sequence[Any], restart: Restart | None) -> list[Rows]:
    """Return the states that a reader may be in after some events.

    Whether a reset starts over or clears depends on where the batch that held it began (RESET-2):
    the one who reads it cannot know how the log was cut, so both are right, and nothing else is.
    """
    states = [_folded(events)]
    if restart is not None and restart.at < len(events):
        kept = [*events[restart.start : restart.at], *events[restart.at + 1 :]]
        states.append(_folded(kept))  # RESET-8: obeyed once, it is skipped
    return states


def _folded(events: Sequence[Any]) -> Rows:
    fold = NaiveFold()
    for event in events:
        fold.apply(event)
    return fold.rows
