"""The fold: from decoded events to what changes in each collection (section 8).

A batch is worked out completely before any of it shows, so that it can be committed as one
(ATOM-2), or refused as one under ``on_invalid="raise"`` (INVALID-6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

from streamdb.state.decoder import (
    ControlMessage,
    Invalid,
    Item,
    Merge,
    Page,
    Put,
    Remove,
    Undeclared,
    invalid_because,
)
from streamdb.state.parsing import parse
from streamdb.state.schema import CollectionSchema, StateSchema
from streamdb.types.faults import UNREADABLE

Rows = Mapping[str, Any]


@dataclass(slots=True)
class Staged:
    """The outcome of some pages, before it shows.

    Attributes:
        cleared: True if a reset empties every collection first.
        writes: by collection name, the operations in stream order: a key and its row, None for a
            removal. Order matters: a key that is removed and written again goes last.
        txids: the transaction ids seen.
        events: how many events the pages held.
        undeclared: how many events of each undeclared type.
        invalid: the events that were skipped.
        restart_from: where a reset wants reading to start over; nothing after it is staged.
    """

    cleared: bool = False
    writes: dict[str, list[tuple[str, Any | None]]] = field(
        default_factory=dict[str, list[tuple[str, Any | None]]]
    )
    txids: list[str] = field(default_factory=list[str])
    events: int = 0
    undeclared: dict[str, int] = field(default_factory=dict[str, int])
    invalid: list[Invalid] = field(default_factory=list[Invalid])
    restart_from: str | None = None


#: What to do about a reset that carries this offset, if any (RESET-3, RESET-4, RESET-8).
JudgeReset = Callable[[str | None], Literal["clear", "restart", "skip"]]


class Fold:
    """Stages the events of one batch over the rows that are stored.

    Args:
        schema: what the stream holds.
        stored: the rows before the batch, by collection name and key text.
        judge_reset: says what to do about a reset.
        strict: hold merged rows to the contract of their collection.
    """

    def __init__(
        self,
        schema: StateSchema,
        stored: Mapping[str, Rows],
        judge_reset: JudgeReset,
        *,
        strict: bool = False,
    ) -> None:
        self._stored = stored
        self._strict = strict
        self._judge_reset = judge_reset
        self._latest: dict[str, MutableMapping[str, Any]] = {
            collection.name: {}
            for collection in schema.collections
            if collection.updates == "merge"
        }
        self.staged = Staged(writes={collection.name: [] for collection in schema.collections})

    def add(self, page: Page) -> None:
        """Stage the events of one page."""
        staged = self.staged
        if staged.restart_from is not None:
            return  # it will be read again
        staged.events += len(page.items)
        staged.txids += page.txids
        self._stage(page.items)

    def _stage(self, items: Iterable[Item]) -> None:
        writes = self.staged.writes
        for item in items:
            if isinstance(item, Put):
                writes[item.schema.name].append((item.key, item.row))
            elif isinstance(item, Remove):
                writes[item.schema.name].append((item.key, None))
                if item.schema.updates == "merge":
                    self._latest[item.schema.name][item.key] = None
            elif isinstance(item, Merge):
                self._merge(item)
            elif isinstance(item, ControlMessage):
                if item.control == "reset" and not self._obey_reset(item.offset):
                    return
            elif isinstance(item, Undeclared):
                counts = self.staged.undeclared
                counts[item.type] = counts.get(item.type, 0) + 1
            else:
                self.staged.invalid.append(item)

    def _merge(self, item: Merge) -> None:
        """Lay fields over the row as it stands at this event (UPDATE-4)."""
        schema, key = item.schema, item.key
        before = self._current(schema, key)
        try:
            plain: dict[str, Any] = {} if before is None else parse(schema.rows.write(before))
            plain.update(item.fields)
            row = schema.rows.convert(plain)
            if self._strict and schema.beyond_rows is not None:
                schema.beyond_rows.check(plain)
        except UNREADABLE as error:
            self.staged.invalid.append(
                invalid_because(error, schema.type, key, at="/value", kind=schema.row)
            )
            return
        self._latest[schema.name][key] = row
        self.staged.writes[schema.name].append((key, row))

    def _current(self, schema: CollectionSchema[Any, Any], key: str) -> Any | None:
        latest = self._latest[schema.name]
        if key in latest:
            return latest[key]
        return None if self.staged.cleared else self._stored[schema.name].get(key)

    def _obey_reset(self, offset: str | None) -> bool:
        """Obey or skip a reset; tell whether staging goes on behind it."""
        verdict = self._judge_reset(offset)
        if verdict == "restart":
            self.staged.restart_from = offset
        elif verdict == "clear":
            # What was staged before has no effect on the state (RESET-1, RESET-6).
            self.staged.cleared = True
            for writes in self.staged.writes.values():
                writes.clear()
            for latest in self._latest.values():
                latest.clear()
        return verdict != "restart"
