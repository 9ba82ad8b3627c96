"""What a transaction does to one row, from the call until it becomes an event.

An update is kept as the fields that it changes: the whole row that an event carries is made when it
is sent, of the row as it stands then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from streamdb.collections.overlay import UNKNOWN, RowChange
from streamdb.db.options import UpsertAs
from streamdb.engine.same import same_value
from streamdb.errors import InvalidRow, RowChanged, StreamDBError
from streamdb.protocol import json_text
from streamdb.state.events import ChangeEvent, EventConstructors
from streamdb.state.parsing import parse
from streamdb.state.schema import CollectionSchema
from streamdb.state.unknown_fields import Stored
from streamdb.types.faults import UNREADABLE

WriteKind = Literal["insert", "upsert", "update", "delete", "replace"]

# Two values of such a kind are the same JSON only if they are equal.
_TOLD_APART: Final = (str, int, bool)

#: The name of a collection, and the text of a key.
Place: TypeAlias = tuple[str, str]

# What two writes of one row by one transaction amount to; None is nothing. "replace" is a removal
# and then an insert, which puts the row last.
_MERGED: Final[Mapping[tuple[WriteKind, WriteKind], WriteKind | None]] = {
    ("insert", "upsert"): "insert",
    ("insert", "update"): "insert",
    ("insert", "delete"): None,
    ("insert", "replace"): "insert",
    ("upsert", "upsert"): "upsert",
    ("upsert", "update"): "upsert",
    ("upsert", "delete"): "delete",
    ("upsert", "replace"): "replace",
    ("update", "upsert"): "upsert",
    ("update", "update"): "update",
    ("update", "delete"): "delete",
    ("update", "replace"): "replace",
    ("delete", "insert"): "replace",
    ("delete", "upsert"): "replace",
    ("replace", "upsert"): "replace",
    ("replace", "update"): "replace",
    ("replace", "delete"): "delete",
    ("replace", "replace"): "replace",
}


# Made at every write: a dataclass takes longer. What it holds never leads back to it.
class LocalWrite(msgspec.Struct, frozen=True, gc=False):
    """One write of a row.

    Attributes:
        kind: what is done.
        schema: of the collection.
        key: the text of the key.
        row: the row as it was to be when it was written; None if it is removed.
        fields: what an update changes; None if it cannot be told, then it is the whole row.
        text: the row's JSON text, of an insert as it is sent; None if that is made then.
        base: the row that was there when it was made, None for none.
        expect: the row that it has to be made of, as JSON; None if any will do.
        is_another: of a "replace", whether it ends with an insert: then it is a removal, and
            another row that is called as the removed one was. An upsert gives back the same one.
    """

    kind: WriteKind
    schema: CollectionSchema[Any, Any]
    key: str
    row: Any | None = None
    fields: Mapping[str, Any] | None = None
    text: bytes | None = None
    base: Any | None = None
    expect: Any | None = None
    is_another: bool = False

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.schema.name, self.key

    @property
    def size(self) -> int:
        """About how many bytes of its event are the row's."""
        return 0 if self.text is None else len(self.text)

    @property
    def stands_on_others(self) -> bool:
        """Tell whether it makes no sense if what was there before it fails to be."""
        return self.kind != "upsert"

    def takes(self, later: LocalWrite) -> bool:
        """Tell whether a later write of the same row makes one with this one.

        It does but where others removed the row in between, so that it may be inserted, say.
        """
        return (self.kind, later.kind) in _MERGED

    def then(self, later: LocalWrite) -> LocalWrite | None:
        """Return what this write and a later one of the same row amount to, None for nothing."""
        kind = _MERGED[self.kind, later.kind]
        if kind is None:
            return None
        fields = None
        if kind == "update" and self.fields is not None and later.fields is not None:
            fields = {**self.fields, **later.fields}
        expect = self.expect
        if expect is None and later.expect is not None and self.kind == "update":
            expect = self.base  # on which the row stands that is expected; others stand on none
        is_another = kind == "replace" and (
            self.is_another or later.is_another or later.kind == "insert"
        )
        return replace(
            later, kind=kind, fields=fields, base=self.base, expect=expect, is_another=is_another
        )

    def parted(self) -> tuple[LocalWrite, LocalWrite]:
        """Return the removal and the insert that a write of another row amounts to."""
        removal = LocalWrite("delete", self.schema, self.key, base=self.base, expect=self.expect)
        return removal, replace(self, kind="insert", base=None, expect=None, is_another=False)

    def joined(self, later: LocalWrite) -> LocalWrite:
        """Return what this and a later write amount to, made of two rows that are one row now."""
        kind = _MERGED.get((self.kind, later.kind))
        expect = later.expect if self.expect is None else self.expect
        if kind is None and (later.row is None or later.kind == "update"):
            return LocalWrite("delete", self.schema, self.key, base=self.base, expect=expect)
        row, fields = later.row, later.fields
        if later.kind == "update" and fields is not None:
            with suppress(InvalidRow, TypeError):  # there can be no such row, as sending it tells
                row = self.schema.replace(self.row, fields)
            fields = None if self.fields is None else {**self.fields, **fields}
        return replace(
            self,
            kind=kind or "upsert",
            row=row,
            fields=fields if kind == "update" else None,
            text=None,
            expect=expect,
        )

    def renamed(self, key: str) -> LocalWrite:
        """Return the write that does the same to the row of another key."""
        called = {self.schema.primary_key: self.schema.parse_key(key)}
        rows = (self.row, self.base, self.expect)
        row, base, expect = (
            self.schema.replace(row, called) if self.schema.rows.holds(row) else row for row in rows
        )
        return replace(self, key=key, row=row, text=None, base=base, expect=expect)

    def change(self) -> RowChange:
        """Return what it does to the row that shows."""
        if self.kind == "update" and self.fields is not None:
            return self._update()
        row = self.row
        return lambda _: row

    def _update(self) -> RowChange:
        row, made_of = self.row, self.base

        def updated(below: Any) -> Any:
            """Give the same object again for the same row, so that it is seen to be the same."""
            nonlocal made_of, row
            if below is None:
                return None
            if below is not made_of:
                made_of, row = below, self._updated(below)
            return row

        return updated

    def _updated(self, below: Any) -> Any:
        try:
            return self.made_of(below)
        except InvalidRow:  # what others wrote shows without it; sending it will tell why
            return below

    def made_of(self, below: Any) -> Any:
        """Return the row that an update of fields makes of another one.

        Raises:
            InvalidRow: there can be no such row.
        """
        try:
            row = self.schema.replace(below, self.fields or {})
            EventConstructors(self.schema).update(row, txid="-")  # which checks it
        except InvalidRow:
            raise
        except Exception as error:  # of the user's class
            raise InvalidRow(
                f"collection {self.schema.name!r}: an update cannot be laid over the row of key "
                f"{self.key!r} as it is now: {error}",
                type=self.schema.type,
            ) from error
        return row

    def check_expected(self, base: Any | None) -> None:
        """Raise RowChanged if the row that it is made of is not the one that it has to be."""
        if self.expect is None or base is self.base:
            return  # as it was when it was looked at first
        if base is None or not is_same_json(self.schema, base, self.expect):
            raise row_changed(self.schema, self.key, base)

    def overwrites(self, seen: Any, base: Any, row: Any) -> bool:
        """Tell whether it undoes what was done to a row since the write was made.

        Of an update, its fields count; the others are those of the row that is there.

        Args:
            seen: the row that was there when it was made, None for none; may be unknown.
            base: the row that is there.
            row: what it becomes.
        """
        if base is seen or base is None or seen is UNKNOWN:
            return False
        if self.kind == "update" and self.fields is not None and seen is not None:
            return any(
                not _is_equal(get(base), get(seen)) and not _is_equal(get(base), value)
                for name, value in self.fields.items()
                for get in [self.schema.rows.getter(name)]
            )
        write = self.schema.rows.write
        there = write(base)
        return all(other is None or there != write(other) for other in (seen, row))

    def events(
        self, row: Any | None, base: Stored | None, txid: str, upsert_as: UpsertAs
    ) -> list[ChangeEvent[Any]]:
        """Return what is sent.

        Args:
            row: the row as it is to be.
            base: the row as it is before that.
            txid: of the transaction.
            upsert_as: how upserts are written (UPSERT-2).

        Raises:
            InvalidRow: there can be no such row.
        """
        kind: WriteKind = self.kind
        if kind == "upsert" and upsert_as == "insert_or_update":
            kind = "insert" if base is None else "update"
        if kind == "insert" and row is self.row:
            text = self.text or self.schema.encode(row)
            return [ChangeEvent(self.schema.type, self.key, kind, row, txid, value_json=text)]
        make = EventConstructors(self.schema)
        match kind:
            case "insert":
                return [make.insert(row, txid=txid)]
            case "upsert":
                return [make.upsert(row, onto=base, txid=txid)]
            case "update":
                over = base if self.kind == "update" else None
                return [make.update(row, over=over, onto=base, txid=txid)]
            case "delete":
                return [make.delete(self.schema.parse_key(self.key), txid=txid)]
            case "replace":
                removal = make.delete(self.schema.parse_key(self.key), txid=txid)
                return [removal, make.insert(row, txid=txid)]


def changed_fields(
    schema: CollectionSchema[Any, Any], before: Any, after: Any
) -> Mapping[str, Any] | None:
    """Return the fields in which two rows differ, None if that is not all in which they do."""
    getters = schema.rows.getters
    if not getters:
        return None
    changed: dict[str, Any] = {}
    for name, get in getters.items():
        value: object = get(after)
        old: object = get(before)
        kind = type(value)
        if kind in _TOLD_APART and kind is type(old):  # as most are
            if value != old:
                changed[name] = value
        elif not _is_same(value, old):
            changed[name] = value
    if schema.rows.is_only_fields and type(before) is type(after) is schema.row:
        return changed
    try:
        again = schema.replace(before, changed)
        is_all = schema.rows.write(again) == schema.rows.write(after)
    except (StreamDBError, ValueError, TypeError, RecursionError):
        return None
    return changed if is_all else None


def has_same(
    schema: CollectionSchema[Any, Any], names: Iterable[str], one: Any, other: Any
) -> bool:
    """Tell whether two rows have the same values in some fields."""
    return one is other or all(
        _is_equal(get(one), get(other)) for get in map(schema.rows.getter, names)
    )


def is_same_json(schema: CollectionSchema[Any, Any], one: Any, other: Any) -> bool:
    """Compare two rows as JSON, in which the order of members says nothing."""
    text, text_of_other = schema.rows.write(one), schema.rows.write(other)
    return text == text_of_other or bool(parse(text) == parse(text_of_other))


def row_changed(schema: CollectionSchema[Any, Any], key: Any, now: Any | None) -> RowChanged:
    """Make the error for a row that is not the one that was expected."""
    what = "was removed" if now is None else "is another one by now"
    return RowChanged(
        f"update: the row of key {key!r} of collection {schema.name!r} {what}: read it again, "
        "and update it as it is",
        now,
    )


def _is_same(one: object, other: object) -> bool:
    """Tell whether two values are the same JSON."""
    if same_value(one, other):
        return True
    kind = type(one)
    if kind is not type(other) or kind in _TOLD_APART:
        return False
    try:
        return json_text.encode(one) == json_text.encode(other)
    except (*UNREADABLE, TypeError):
        return False


def _is_equal(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))
