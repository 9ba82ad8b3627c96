"""What is known of a row beside its fields, for users and for queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from streamdb.collections.changes import Delta, net_deltas
from streamdb.collections.frozen_rows import FrozenRows
from streamdb.collections.loading import LoadingRows
from streamdb.collections.marks import Touched
from streamdb.collections.table import Table
from streamdb.expr import Columns
from streamdb.expr.kinds import NUMBER, TEXT, TRUTH, Kind
from streamdb.expr.shape import Slot

if TYPE_CHECKING:
    from streamdb.expr import Column, NullableColumn

RowOrigin: TypeAlias = Literal["local", "remote"]


@dataclass(frozen=True, slots=True)
class RowMeta:
    """What is known of a row beside its fields.

    Attributes:
        key: the row's key.
        pending: whether it shows with writes of this database that have not come back.
        origin: who wrote what shows last: ``local`` if it was this database, also where its write
            has come back since it was opened; else ``remote``.
        error: why the last write of this database to the row failed; None if it did not, and once
            a later one has come back. Those of the last thousand rows are known.
        seq: the ordinal of the row's last event in the stream, counted over all collections and
            events of every kind, from 1; a reset begins anew. Of two rows of any collections, the
            one with the greater `seq` was written later. None if the stream does not have the row.
        offset: the offset that the server has stamped on that event (``headers.offset``): reading
            goes on from there behind it, or behind what was appended together with it. None if the
            server stamps none, as most do; `db.offset` is the position of the database.
    """

    key: Any
    pending: bool
    origin: RowOrigin
    error: BaseException | None
    seq: int | None
    offset: str | None


class MetaColumns(Columns[RowMeta]):
    """The columns of :class:`RowMeta`, for queries."""

    key: Column[Any]
    pending: Column[bool]
    origin: Column[RowOrigin]
    error: NullableColumn[BaseException]
    seq: NullableColumn[int]
    offset: NullableColumn[str]


_KINDS: Final = {"pending": TRUTH, "origin": TEXT, "seq": NUMBER, "offset": TEXT}


def _kinds(column: str | None) -> frozenset[Kind] | None:
    return None if column is None else _KINDS.get(column)


def meta_slot(collection: str) -> Slot:
    """Return the slot of the metas of a collection."""
    return Slot(f"meta of {collection}", MetaColumns, attrgetter, kinds=_kinds)


def meta_of(
    shown: Table | FrozenRows, wire_key: str, parse_key: Callable[[str], Any]
) -> RowMeta | None:
    """Return what is known of a row; None if it does not show and no write of it has failed."""
    marks = shown.marks
    error = marks.errors.get(wire_key)
    if wire_key not in shown.rows:
        if error is None:
            return None
        return RowMeta(parse_key(wire_key), False, "local", error, None, None)
    seq = None if shown.is_ahead(wire_key) else shown.ordinal(wire_key)
    is_pending = wire_key in marks.pending
    is_local = is_pending or (seq is not None and marks.is_own(wire_key, seq))
    return RowMeta(
        key=parse_key(wire_key),
        pending=is_pending,
        origin="local" if is_local else "remote",
        error=error,
        seq=seq,
        offset=None if seq is None else shown.stamps.of(seq),
    )


class MetaRows:
    """The metas of a collection's rows as rows themselves, so that queries can ask them.

    Every row that shows has one. It is made anew where a commit has touched the row, and put in
    place of the one before if it says something else.

    Args:
        of: the rows.
        parse_key: makes keys of their declared type.
    """

    def __init__(self, of: Table, parse_key: Callable[[str], Any]) -> None:
        self.table: Final = Table()
        self._of: Final = of
        self._parse_key: Final = parse_key
        of.touched = Touched()
        self._load()

    def catch_up(self) -> list[Delta]:
        """Take in what has happened to the rows; return what that changes."""
        touched, self._of.touched = self._of.touched, Touched()
        if touched is None or touched.are_all:
            return self._load()
        writes: list[tuple[str, RowMeta | None, int]] = []
        for key in touched.keys:
            meta, before = self._made(key), self.table.rows.get(key)
            if meta != before:
                writes.append((key, meta, 0))
        return self.table.write(writes) if writes else []

    def as_in(self, rows: FrozenRows) -> FrozenRows:
        """Return the metas of what the collection held at a moment."""
        table = Table()
        table.replace(self._loaded(rows, {}))
        return table.freeze()

    def _load(self) -> list[Delta]:
        before = self.table.replace(self._loaded(self._of, self.table.rows))
        return net_deltas(before, self.table.rows)

    def _loaded(self, rows: Table | FrozenRows, before: Mapping[str, Any]) -> LoadingRows:
        loaded = LoadingRows()
        for key, _ in rows.in_order():
            meta, was = meta_of(rows, key, self._parse_key), before.get(key)
            loaded.sink.put(key, was if meta == was else meta, 0)
        return loaded

    def _made(self, key: str) -> RowMeta | None:
        return meta_of(self._of, key, self._parse_key) if key in self._of.rows else None
