"""Rows that a fold was asked to store, for tests of what it asks for."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

from streamdb.state.decoder import PageDecoder
from streamdb.state.fold import Fold, JudgeReset
from streamdb.state.items import Judged
from streamdb.state.schema import StateSchema
from streamdb.state.sink import Sink
from streamdb.state.unknown_fields import Stored, stored


class _RecordingDict(dict[str, Any]):
    def __init__(self, stored: Mapping[str, Any], writes: list[tuple[str, Any | None]]) -> None:
        super().__init__(stored)
        self._writes = writes

    def __setitem__(self, key: str, row: Any) -> None:
        super().__setitem__(key, row)
        self._writes.append((key, row))


class RecordedRows:
    """The rows of one collection, and every operation on them in order."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.writes: list[tuple[str, Any | None]] = []
        self.rows = _RecordingDict(stored, self.writes)
        self.sink = Sink(self.rows, [], array("q"))

    def get(self, key: str) -> Stored | None:
        return stored(self.rows.get(key))

    @property
    def ordinals(self) -> list[int]:
        return list(self.sink.ordinals)

    def remove(self, key: str, _ordinal: int, /) -> None:
        self.rows.pop(key, None)
        self.writes.append((key, None))

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
