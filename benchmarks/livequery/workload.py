"""The data and the changes: the same at every run, written to files that both languages read.

Messages are created in an order that is not that of their time; users have ten messages each;
chunks of many messages come interleaved, as those of concurrent answers do. The rows are those of
`gen.mjs messages` and `gen.mjs chunks` of the peers' programs, byte by byte.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.random_data import mulberry32, random_text

Event = dict[str, Any]
#: What is done, and the event that does it.
Change = tuple[str, Event]

_BEGIN: Final = dt.datetime(2026, 1, 1)
_STATUSES: Final = ("online", "away", "offline")
#: The first digits of the SHA-256 of the rows, each with a line feed behind it.
DIGESTS: Final = {"messages 10000": "72efd19033ed6bc5", "chunks 1000x10": "03f4fa75e7a43108"}


def write_workload(folder: Path, case: str, size: str, cycles: int) -> Path:
    """Write the events that are there at first, and the changes; return the file."""
    chunked = "x" in size
    base = _chunk_base(size) if chunked else _message_base(int(size))
    if case == "chain-approvals":
        changes = _approval_changes(size, cycles)
    elif chunked:
        changes = _chunk_changes(size, cycles)
    else:
        changes = _message_changes(case, int(size), cycles)
    file = folder / f"{case}-{size}.json"
    file.write_text(
        json.dumps({"base": base, "changes": list(changes)}, separators=(",", ":")), "utf-8"
    )
    return file


def message_rows(count: int, seed: int = 7) -> Iterator[Event]:
    """Return messages of a tenth as many users."""
    draw = mulberry32(seed)
    for number in range(count):
        yield _message(draw, number, number * 7919 % count, max(1, count // 10))


def chunk_rows(messages: int, each: int, seed: int = 11) -> Iterator[Event]:
    """Return chunks of so many messages, with so many of each; a few ask for approval at last."""
    draw = mulberry32(seed)
    for seq in range(each):
        for message in range(messages):
            asks = seq == each - 1 and message % 20 == 0
            yield _chunk(draw, message, seq, seq * messages + message, asks=asks)


def digest(rows: Iterator[Event]) -> str:
    """Return the first digits of the SHA-256 of rows as lines of JSON."""
    lines = (json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def _message_base(count: int) -> list[Event]:
    users = (
        {"id": f"u{number}", "name": f"User {number}", "status": _STATUSES[number % 3]}
        for number in range(max(1, count // 10))
    )
    return [
        *(_event("insert", "message", row) for row in message_rows(count)),
        *(_event("insert", "user", row) for row in users),
    ]


def _chunk_base(size: str) -> list[Event]:
    messages, each = map(int, size.split("x"))
    return [_event("insert", "chunk", row) for row in chunk_rows(messages, each)]


def _message_changes(case: str, count: int, cycles: int) -> Iterator[Change]:
    draw = mulberry32(99)
    is_window = case == "top50"
    for cycle in range(cycles):
        number = count + cycle
        # The newest ones enter the window of the latest; the others come anywhere.
        at = number if is_window else int(draw() * count)
        row = {**_message(draw, number, at, max(1, count // 10)), "role": "assistant"}
        yield "insert", _event("insert", "message", row)
        yield "update", _event("update", "message", {**row, "content": random_text(draw, 80)})
        if case.startswith("join"):
            user = {"id": row["userId"], "name": f"Renamed {cycle}", "status": "online"}
            yield "update the other side", _event("update", "user", user)
        if case in ("top50", "full"):
            moved = number + 0.5 if is_window else int(draw() * count)
            yield "move", _event("update", "message", {**row, "createdAt": _instant(moved)})
        yield "delete", {"type": "message", "key": row["id"], "headers": {"operation": "delete"}}


def _chunk_changes(size: str, cycles: int) -> Iterator[Change]:
    messages, each = map(int, size.split("x"))
    draw = mulberry32(99)
    for cycle in range(cycles):
        row = _chunk(draw, int(draw() * messages), each, messages * each + cycle)
        yield "insert", _event("insert", "chunk", row)
        text = json.dumps({"type": "text-delta", "delta": random_text(draw, 20)})
        more = {"tokens": row["tokens"] + 1, "chunk": text}
        yield "update", _event("update", "chunk", {**row, **more})
        yield "delete", {"type": "chunk", "key": row["id"], "headers": {"operation": "delete"}}


def _approval_changes(size: str, cycles: int) -> Iterator[Change]:
    """Have messages ask for approval that did not, and take it back."""
    messages, each = map(int, size.split("x"))
    draw = mulberry32(99)
    for cycle in range(cycles):
        message = int(draw() * messages)
        message += message % 20 == 0  # those ask already
        row = _chunk(draw, message, each, messages * each + cycle, asks=True)
        yield "insert", _event("insert", "chunk", row)
        yield "delete", {"type": "chunk", "key": row["id"], "headers": {"operation": "delete"}}


def _message(draw: Any, number: int, at: int, users: int) -> Event:
    role = draw()
    return {
        "id": f"m{number}",
        "role": "user" if role < 0.5 else "assistant" if role < 0.95 else "system",
        "userId": f"u{int(draw() * users)}",
        "tokens": int(draw() * 500),
        "content": random_text(draw, 80),
        "createdAt": _instant(at),
    }


def _chunk(draw: Any, message: int, seq: int, at: int, *, asks: bool = False) -> Event:
    part = {"type": "text-delta", "delta": random_text(draw, 20)}
    if asks:
        part = {"type": "approval-requested", "toolCallId": f"t{message}"}
    return {
        "id": f"msg{message}:{seq}",
        "messageId": f"msg{message}",
        "role": "assistant" if message % 2 else "user",
        "seq": seq,
        "tokens": 1 + seq % 7,
        "chunk": json.dumps(part, separators=(",", ":")),
        "createdAt": _instant(at),
    }


def _instant(seconds: float) -> str:
    at = _BEGIN + dt.timedelta(seconds=seconds)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def _event(operation: str, kind: str, row: Event) -> Event:
    return {"type": kind, "key": row["id"], "value": row, "headers": {"operation": operation}}
