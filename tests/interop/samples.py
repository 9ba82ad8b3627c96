"""Rows and histories of the tests."""

from __future__ import annotations

from typing import Any, Final

from tests.interop.writes import Json, Write


def note(id: str, **fields: Any) -> Json:
    return {
        "id": id,
        "title": f"Note {id}",
        "status": "open",
        "createdAt": "2026-03-01T08:00:00.000Z",
        "due": None,
        "author": {"name": "Ada", "address": None},
        "tags": [],
        "steps": [],
        "scores": {},
        **fields,
    }


def counter(number: int, amount: int = 0, **fields: Any) -> Json:
    return {"number": number, "amount": amount, **fields}


FULL_NOTE: Final = note(
    "full",
    due="2026-12-31T23:59:59.999Z",
    label="urgent",
    remark=None,
    author={"name": "Ada", "address": {"city": "London", "lines": ["12 St James's Square", ""]}},
    tags=["one", "two", "one"],
    steps=[{"text": "first", "done": True}, {"text": "second", "done": False}],
    scores={"clarity": 0.25, "length": -3, "": 1e21},
)

#: What a stream holds before a reader comes.
BEFORE: Final = (
    Write("insert", "notes", FULL_NOTE),
    Write("insert", "notes", note("plain")),
    Write("insert", "notes", note("passing")),
    Write("insert", "counters", counter(7, 1, owner="Ada")),
    Write("insert", "counters", counter(-12)),
    Write("update", "notes", note("plain", title="Plain again", label="set")),
    Write("delete", "notes", key="passing"),
)

#: What happens before its eyes: every operation, on rows old and new, of both kinds of key.
LIVE: Final = (
    Write("insert", "notes", note("later", remark="soon", tags=["live"])),
    # Without `label`, which the row had.
    Write("update", "notes", note("plain", status="done", due="2026-04-01T00:00:00.001Z")),
    Write("upsert", "notes", note("plain", title="Plain for good", steps=[])),
    Write("upsert", "notes", note("upserted", scores={"π": 3.14159})),
    Write("update", "counters", counter(7, 2)),
    Write("upsert", "counters", counter(0, 9007199254740991)),
    Write("delete", "counters", key=-12),
    Write("delete", "notes", key="full"),
    # The same key again: a new row, with nothing of the old one.
    Write("insert", "notes", note("full", title="Reborn")),
)

#: Text that is easily spoilt on its way, by what it is called in the test's name.
TEXTS: Final = {
    "astral": "𝄞 👩‍👩‍👧‍👦 \U0010ffff",
    "combining": "e\u0301 is not é, n\u0303 is not ñ",
    "line separators": "a\u2028b\u2029c\u0085d\r\ne\x0bf",
    "control characters": "\x00\x01\x1f\x7f\t\b\f",
    "right to left": "\u202eabc\u202c שלום",
    "byte order marks": "\ufeffa\ufeff \ufffd\uffff",
    "JSON in text": '{"a":[1,"\\u0041"]}\\"/</script>',
    "SSE in text": "data: x\n\nevent: control\ndata: {}\n\n",
    # JavaScript writes it as an escape when text is cut inside a pair (INVALID-9).
    "half a surrogate pair": "cut \ud83d",
}
