"""Rows that a fold was asked to store, for tests of what it asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from streamdb.state.decoder import PageDecoder
from streamdb.state.fold import Fold, JudgeReset
from streamdb.state.items import Judged
from streamdb.state.schema import StateSchema
from streamdb.state.unknown_fields import Stored, stored


class RecordedRows:
    """The rows of one collection, and every operation on them in order."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.rows = dict(stored)
        self.writes: list[tuple[str, Any | None]] = []
        self.ordinals: list[int] = []

    def get(self, key: str) -> Stored | None:
        return stored(self.rows.get(key))

    def put(self, key: str, row: Any, ordinal: int) -> None:
        self.rows[key] = row
        self.writes.append((key, row))
        self.ordinals.append(ordinal)

    def remove(self, key: str) -> None:
        self.rows.pop(key, None)
        self.writes.append((key, None))

    def tidy(self) -> None:
        pass

    def clear(self) -> None:
        self.rows.clear()
        self.writes.append(("*", None))


class RecordingFold(Fold):
    """A fold over recorded rows."""

    def __init__(
        self,
        schema: StateSchema,
        judge_reset: JudgeReset = lambda _: "clear",
        *,
        stored: Mapping[str, Mapping[str, Any]] | None = None,
        strict: bool = False,
    ) -> None:
        self.decoder = PageDecoder(schema, strict=strict)
        self.rows = {name: RecordedRows((stored or {}).get(name, {})) for name in schema.by_name}
        super().__init__(self.decoder.judge, self.rows, judge_reset)

    def add_page(self, page: bytes) -> None:
        for piece in self.decoder.pieces(page, url="u", offset="o"):
            self.add(piece.events)

    def add_items(self, items: Iterable[Any], txid: str | None = None) -> None:
        self.add([Judged(item, txid if not number else None) for number, item in enumerate(items)])

    def writes(self, name: str) -> list[tuple[str, Any | None]]:
        return self.rows[name].writes
