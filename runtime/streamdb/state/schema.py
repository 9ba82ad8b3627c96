"""What a stream holds: one declaration for each collection, and the schema of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar, get_args

from streamdb.errors import InvalidRow, SchemaError
from streamdb.expr import Columns, UntypedColumns, columns_of
from streamdb.near_miss import no_such
from streamdb.state.contract import Contract
from streamdb.state.merging import with_all_changes
from streamdb.state.parsing import parse
from streamdb.state.row_kinds import RowKind, row_kind
from streamdb.state.row_kinds.quick_copies import QuickCopy
from streamdb.state.unknown_fields import Stored
from streamdb.state.unknown_kept import Written, same_but_for_order, with_unknown
from streamdb.types.allowed import with_allowed
from streamdb.types.exact_place import exact_place
from streamdb.types.faults import UNREADABLE, Misfit, explain
from streamdb.types.preview import shortened

if TYPE_CHECKING:
    from streamdb.state.spec_file import SpecCollection

Row = TypeVar("Row")
Key = TypeVar("Key", bound=str | int)

Updates = Literal["replace", "merge"]

# Spelt out because a schema has a field named `type`.
RowClass: TypeAlias = "type[Row]"
KeyClass: TypeAlias = "type[Key]"
ColumnsClass: TypeAlias = "type[Columns[Row]]"

# The database classes use these as attributes (REF-1).
_RESERVED_NAMES: Final = frozenset({"actions", "close", "collections", "preload", "utils"})


@dataclass(frozen=True)
class CollectionSchema(Generic[Row, Key]):
    """How the events of one type become the rows of one collection.

    Args:
        name: the collection's name in the spec.
        type: the event type that is routed to it.
        primary_key: the field of the row that holds its key, by its name in Python.
        row: the row's class: a msgspec struct, ``Extensible``, a pydantic model, a dataclass, a
            ``TypedDict``, or ``dict`` for plain JSON that its contract alone judges.
        key: the key's class, ``str`` or ``int``.
        columns: the typed columns of the row.
        updates: ``replace`` by the protocol (UPDATE-1), or ``merge`` for producers that send
            partial rows (UPDATE-4).
        contract: the JSON Schema of the row, where its class says less; without one the class says
            it all.

    >>> from msgspec import Struct
    >>> class Point(Struct, frozen=True):
    ...     id: int
    ...     x: float
    >>> class PointColumns(Columns[Point]):
    ...     x: "Column[float]"
    >>> points = CollectionSchema(
    ...     name="points", type="point", primary_key="id", row=Point, key=int, columns=PointColumns
    ... )
    >>> points.wire_key(7), points.parse_key("7"), points.key_of(Point(id=7, x=0.5))
    ('7', 7, 7)

    Raises:
        SchemaError: a name or type is empty, the row is of no such class or has no such
            field.
    """

    name: str
    type: str
    primary_key: str
    row: RowClass[Row]
    key: KeyClass[Key]
    columns: ColumnsClass[Row]
    updates: Updates = "replace"
    contract: Contract | None = None
    #: What is done with rows of the class.
    rows: RowKind[Row] = field(init=False, repr=False, compare=False)
    #: The primary key's name on the wire.
    wire_primary_key: str = field(init=False)
    #: Reads the key of a row.
    key_of: Callable[[Row], Key] = field(init=False, repr=False, compare=False)
    #: The contract, unless reading a row asks it anyway.
    beyond_rows: Contract | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the declaration and look up what is used for every event."""
        if not self.name or not self.type:
            raise SchemaError("a collection needs a name and an event type")
        rows = row_kind(self.row, self.contract)
        if self.updates not in get_args(Updates):
            raise SchemaError(
                f"collection {self.name!r}: updates is {self.updates!r}: it must be one of "
                f"{', '.join(get_args(Updates))}"
            )
        known = rows.fields or (self.contract.properties.names if self.contract else ())
        if known and self.primary_key not in known:
            what = f"collection {self.name!r}: {self.row.__name__} has no field"
            raise SchemaError(no_such(what, self.primary_key, known, listed_as="Its fields"))
        declared = rows.fields.get(self.primary_key)
        wire_name = self.primary_key if declared is None else declared.wire_name
        object.__setattr__(self, "wire_primary_key", wire_name)
        object.__setattr__(self, "beyond_rows", None if rows.is_its_contract else self.contract)
        object.__setattr__(self, "key_of", rows.getter(self.primary_key))
        object.__setattr__(self, "rows", rows)

    def encode(self, row: Row, *, over: Stored | None = None, onto: Stored | None = None) -> bytes:
        """Write a row and check what is about to be sent by reading it back (WRITE-5).

        Constructing a row validates nothing, so this is where a wrong value is found.

        Args:
            row: the row.
            over: the row that it was made of, whose undeclared properties it keeps.
            onto: the row that readers have of its key; where they merge, what they would keep of it
                is written, too.

        >>> from msgspec import Struct
        >>> class Point(Struct, frozen=True):
        ...     id: int
        >>> points = CollectionSchema(
        ...     name="points", type="point", primary_key="id", row=Point, key=int, columns=Columns
        ... )
        >>> points.encode(Point(id=7)), points.decode(b'{"id":7.0}')
        (b'{"id":7}', Point(id=7))

        Raises:
            InvalidRow: the row does not fit its class, or breaks its contract; names the class,
                the place and the reason.
            MissingExtra: the contract is to be checked, and the extra ``validate`` is not there.
        """
        quickly = self._quickly_read_back(row, over, onto)
        return self._encode(row, over, onto) if quickly is None else quickly[1]

    def _encode(self, row: Row, over: Stored | None, onto: Stored | None) -> bytes:
        rows, contract = self.rows, self.beyond_rows
        if not rows.holds(row):
            raise InvalidRow(
                f"collection {self.name!r} holds {self.row.__name__}, not {type(row).__name__}",
                type=self.type,
            )
        try:
            text = rows.write(row)
        except (*UNREADABLE, TypeError) as error:
            raise self._invalid_row(error, None, at=rows.unwritable(row)) from None
        try:
            rows.check(row, text)
            if over is not None and over.original is not None:
                text = self._with_unknown(row, text, over.row, over.original)
            if onto is not None and self.updates == "merge":
                text = with_all_changes(rows, row, text, onto)
            if contract is not None and contract.beyond_type:
                contract.check(parse(text))
        except (*UNREADABLE, TypeError) as error:
            raise self._invalid_row(error, text) from None
        return text

    def read_back(
        self, row: Row, *, over: Stored | None = None, onto: Stored | None = None
    ) -> tuple[Row, bytes]:
        """Return a row as readers will have it, and its text.

        Arguments are those of :meth:`encode`, and so is what is raised.
        """
        quickly = self._quickly_read_back(row, over, onto)
        if quickly is not None:
            return quickly
        text = self._encode(row, over, onto)
        return self.decode(text), text

    def _quickly_read_back(
        self, row: Row, over: Stored | None, onto: Stored | None
    ) -> tuple[Row, bytes] | None:
        """Do the same where nothing speaks against it; None elsewhere."""
        copy = self._quick_copy
        if copy is None or (onto is not None and self.updates == "merge"):
            return None
        return copy(row) if over is None or over.original is None else None

    @cached_property
    def _quick_copy(self) -> QuickCopy[Row] | None:
        """What reads a row back quickly.

        None if a contract has to see the text, or rows of the class have to be read with care.
        """
        contract = self.beyond_rows
        is_seen = contract is not None and contract.beyond_type
        return None if is_seen else self.rows.quick_copy

    def decode(self, text: bytes, *, strict: bool = False) -> Row:
        """Read a row from JSON text; ``strict`` holds it to the contract as well.

        Raises:
            InvalidRow: it does not fit; ``pointer`` says where.
            MissingExtra: the contract is to be checked, and the extra ``validate`` is not there.
        """
        try:
            row = self.rows.read(text)
            if strict and self.beyond_rows is not None:
                self.beyond_rows.check(parse(text))
        except UNREADABLE as error:
            raise self._invalid_row(error, text) from None
        return row

    def replace(self, row: Row, changes: Mapping[str, Any]) -> Row:
        """Return a copy of a row with other values in some fields; what they are is not checked.

        Raises:
            InvalidRow: there can be no such row.
            TypeError: it has no such field.
        """
        try:
            return self.rows.replace(row, changes)
        except UNREADABLE as error:
            raise self._invalid_row(error, None) from None

    def _with_unknown(self, row: Row, text: bytes, before: Row, original: bytes) -> bytes:
        merged = with_unknown(
            Written(row, parse(text)), Written(before, parse(self.rows.write(before))), original
        )
        if not same_but_for_order(self.rows.write(self.rows.read(merged)), text):
            raise Misfit(
                "with the properties that a newer program wrote it reads back as another row; "
                "upsert writes it without them"
            )
        return merged

    def _invalid_row(self, error: Exception, text: bytes | None, *, at: str = "") -> InvalidRow:
        reason, pointer = explain(error)
        pointer = pointer or at
        reason = with_allowed(reason, pointer, self.row)
        if text is not None and "*" in pointer:
            pointer = exact_place(pointer, parse(text), self._fault_of)
        where = f" at {shortened(pointer)}" if pointer else ""
        return InvalidRow(
            f"collection {self.name!r}: {self.row.__name__}{where}: {reason}",
            type=self.type,
            pointer=pointer,
        )

    def _fault_of(self, plain: Any) -> tuple[str, str] | None:
        try:
            self.rows.convert(plain)
        except UNREADABLE as error:
            return explain(error)
        return None

    def wire_key(self, key: Key) -> str:
        """Return the text of a key, as events carry it (KEY-1, KEY-7).

        Raises:
            TypeError: the key is not of the declared type; ``True`` is no integer (trap 12).
        """
        if type(key) is not self.key:
            raise TypeError(
                f"keys of collection {self.name!r} are {self.key.__name__}, "
                f"not {type(key).__name__}: {key!r}"
            )
        return str(key)

    def parse_key(self, text: str) -> Key:
        """Turn the text of a key into the declared type; it must round-trip (KEY-6).

        Raises:
            ValueError: it does not.
        """
        if self.key is str:
            return self.key(text)
        with suppress(ValueError):
            number = int(text)
            if str(number) == text:  # `int` also takes "07", "+7", " 7" and "1_0"
                return self.key(number)
        raise ValueError(f"the key {text!r} is no integer")


@dataclass(frozen=True)
class StateSchema:
    """The collections of one kind of stream.

    Args:
        name: the spec's name.
        collections: one declaration each; names and types are unique.
        version: the spec's version.
        digest: identifies the spec that the schema was generated from.

    Raises:
        SchemaError: no collection, a reserved or repeated name, or two collections of one type
            (REF-1).
    """

    name: str
    collections: tuple[CollectionSchema[Any, Any], ...]
    version: str | None = None
    digest: str | None = None
    #: The declarations by event type.
    by_type: Mapping[str, CollectionSchema[Any, Any]] = field(init=False, repr=False, compare=False)
    #: The declarations by collection name.
    by_name: Mapping[str, CollectionSchema[Any, Any]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that names and types are unique."""
        if not self.collections:
            raise SchemaError(f"the schema {self.name!r} declares no collection")
        by_type: dict[str, CollectionSchema[Any, Any]] = {}
        by_name: dict[str, CollectionSchema[Any, Any]] = {}
        for collection in self.collections:
            if collection.name in _RESERVED_NAMES:
                raise SchemaError(f"{collection.name!r} is reserved: rename the collection")
            if collection.name in by_name:
                raise SchemaError(f"two collections are named {collection.name!r}")
            if collection.type in by_type:
                raise SchemaError(
                    f"collections {by_type[collection.type].name!r} and {collection.name!r} "
                    f"share the event type {collection.type!r}"
                )
            by_name[collection.name] = by_type[collection.type] = collection
        object.__setattr__(self, "by_type", MappingProxyType(by_type))
        object.__setattr__(self, "by_name", MappingProxyType(by_name))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> StateSchema:
        """Read a spec file, to use it without generated code.

        Rows are plain dicts, as the JSON parser makes them, and held to the schemas of the spec
        both when they are written and when they are read. They are shared with the database, so
        do not change one in place: ``update(key, function)`` hands the function a copy to change.

        ::

            schema = StateSchema.from_file("schema.json")
            with StreamDB(schema, "embedded:session.db#demo", create=True) as db:
                db.collections["messages"].insert({"id": "m1", "role": "user"})

        References lead where the compiler follows them: into the file, and into files below its
        folder; nothing is fetched. ``default`` is an annotation and never filled in.

        In ``where``, the declared properties are columns: ``lambda m: m.role == "user"``. What the
        schema allows without declaring it is ``m["name"]``: no misspelt name goes unnoticed.

        Raises:
            SpecError: something cannot be read or used; names the file, line and column, the
                JSON Pointer, and what to do.
            MissingExtra: the extra ``validate`` is not installed.
        """
        # What reads specs is imported for those who have no generated code.
        from streamdb.state.spec_file import read_spec

        spec = read_spec(path, reserved=_RESERVED_NAMES)
        collections = [
            CollectionSchema[Any, Any](
                name=declared.name,
                type=declared.type,
                primary_key=declared.primary_key,
                row=dict[str, Any],
                key=declared.key,
                columns=_columns(declared),
                updates=declared.updates,
                contract=declared.contract,
            )
            for declared in spec.collections
        ]
        return cls(name=spec.name, collections=tuple(collections), version=spec.version)


def _columns(declared: SpecCollection) -> type[UntypedColumns[Any]]:
    properties = declared.contract.properties
    return columns_of(declared.name, properties.names, is_open=not properties.is_closed)
