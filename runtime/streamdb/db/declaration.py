"""Collections declared in a database class, without generated code."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    Self,
    TypeVar,
    overload,
)

from streamdb.errors import SchemaError
from streamdb.expr import Columns, UntypedColumns
from streamdb.known_options import refuse_unknown
from streamdb.state.declaring import completed_declaration
from streamdb.state.events import EventConstructors
from streamdb.state.schema import CollectionSchema, StateSchema, Updates

if TYPE_CHECKING:
    from streamdb.collections.collection import AsyncCollection, Collection
    from streamdb.db.async_db import AsyncStreamDB
    from streamdb.db.blocking_db import StreamDB

Row = TypeVar("Row")
Key = TypeVar("Key", bound=str | int)
Cols = TypeVar("Cols", bound=Columns[Any])

_PARTS: Final = ("columns", "key", "primary_key", "schema", "type", "updates")
_TEXTS: Final = frozenset({"name", "primary_key", "type"})
_SET_BY_DATABASES: Final = ("schema", "url")


class DeclaredCollection(Generic[Row, Key, Cols]):
    """A collection declared by :func:`collection`.

    On the class it is this declaration, on a database the collection itself.
    """

    def __init__(self, name: str | None, parts: Mapping[str, Any]) -> None:
        self._name = name
        self._parts: Final = parts

    def __set_name__(self, owner: type[object], name: str) -> None:
        """Take the name of the attribute, if no other one was given."""
        self._name = self._name or name

    @overload
    def __get__(self, database: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(
        self, database: AsyncStreamDB, owner: type[object]
    ) -> AsyncCollection[Row, Key, Cols]: ...
    @overload
    def __get__(self, database: StreamDB, owner: type[object]) -> Collection[Row, Key, Cols]: ...
    def __get__(self, database: Any, owner: type[object]) -> Any:
        """Return the collection of a database; on its class, the declaration."""
        return self if database is None else database.collections[self.schema.name]

    @cached_property
    def schema(self) -> CollectionSchema[Row, Key]:
        """The declaration as the decoder and the event constructors take it.

        Raises:
            SchemaError: it makes no sense.
        """
        if self._name is None:
            raise SchemaError("a collection is declared in a class, or by `name=`")
        return CollectionSchema(name=self._name, **completed_declaration(self._name, **self._parts))

    @cached_property
    def events(self) -> EventConstructors[Row, Key]:
        """The constructors of its change events, for producers without a database."""
        return EventConstructors(self.schema)


@overload
def collection(
    row: type[Row],
    *,
    primary_key: str,
    key: type[Key],
    columns: type[Cols],
    type: str | None = None,
    name: str | None = None,
    updates: Updates = "replace",
    schema: Mapping[str, Any] | None = None,
) -> DeclaredCollection[Row, Key, Cols]: ...
@overload
def collection(
    row: type[Row],
    *,
    primary_key: str,
    columns: type[Cols],
    type: str | None = None,
    name: str | None = None,
    updates: Updates = "replace",
    schema: Mapping[str, Any] | None = None,
) -> DeclaredCollection[Row, Any, Cols]: ...
@overload
def collection(
    row: type[Row],
    *,
    primary_key: str,
    key: type[Key],
    type: str | None = None,
    name: str | None = None,
    updates: Updates = "replace",
    schema: Mapping[str, Any] | None = None,
) -> DeclaredCollection[Row, Key, UntypedColumns[Row]]: ...
@overload
def collection(
    row: type[Row],
    *,
    primary_key: str,
    type: str | None = None,
    name: str | None = None,
    updates: Updates = "replace",
    schema: Mapping[str, Any] | None = None,
) -> DeclaredCollection[Row, Any, UntypedColumns[Row]]: ...
def collection(
    row: type[Any], *, name: str | None = None, **parts: Any
) -> DeclaredCollection[Any, Any, Any]:
    """Declare a collection of a database class.

    Args:
        row: the row's class: a msgspec struct, ``Extensible``, a pydantic model, a dataclass, a
            ``TypedDict``, or ``dict`` for plain JSON.
        primary_key: the field of the row that holds its key, by its name in Python.
        type: the event type; the collection's name if it is not given.
        key: the key's class, ``str`` or ``int``, for type checkers; the field has it.
        columns: typed columns of the row; without, checkers know nothing of columns.
        name: the collection's name; that of the attribute if it is not given.
        updates: ``replace`` by the protocol, or ``merge`` for producers that send partial rows.
        schema: the JSON Schema of the row, for what its class does not say: rows are held to it
            when they are written, and under ``strict`` when they are read.

    >>> from msgspec import Struct
    >>> from streamdb import AsyncStreamDB
    >>> class Message(Struct, frozen=True):
    ...     id: str
    ...     role: str
    >>> class Session(AsyncStreamDB):
    ...     messages = collection(Message, type="message", primary_key="id")
    >>> db = Session("http://localhost:4437/v1/stream/demo")
    >>> db.messages
    <AsyncCollection 'messages' with 0 rows>
    >>> Session.messages.events.insert(Message("m1", "user")).to_json()
    b'{"type":"message","key":"m1","value":{"id":"m1","role":"user"},"headers":{"operation":"insert"}}'

    Raises:
        TypeError: there is no such argument, or no primary key.
        SchemaError: when the database class is defined: the declaration makes no sense.
    """
    refuse_unknown(parts, _PARTS)
    if parts.get("primary_key") is None:
        raise TypeError(
            "a collection needs `primary_key=`, the name of the field that tells its rows apart"
        )
    for argument, value in (("name", name), *parts.items()):
        if argument in _TEXTS and not isinstance(value, str | None):
            raise TypeError(f"a collection's {argument} is a text, not {type(value).__name__}")
    return DeclaredCollection(name, {"row": row, **parts})


def check_declarations(database: type[object]) -> None:
    """Look at what a database class declares, when it is defined.

    A row may name classes that are defined further down; such a class is looked at when it is used.

    Raises:
        SchemaError: something makes no sense.
    """
    if any(isinstance(value, DeclaredCollection) for value in vars(database).values()):
        with suppress(NameError):
            declared_schema(database)


def declared_schema(database: type[object]) -> StateSchema:
    """Gather what a database class and its bases declare, the bases' first.

    Raises:
        SchemaError: nothing, or something that makes no sense.
    """
    found: dict[str, DeclaredCollection[Any, Any, Any]] = {}
    for base in reversed(database.__mro__):
        for attribute, value in vars(base).items():
            if isinstance(value, DeclaredCollection):
                found[attribute] = value
                _check_attribute(database, attribute)
    if not found:
        raise SchemaError(
            f"{database.__name__} declares no collections: pass it a StateSchema, "
            "or declare them in the class by streamdb.collection(...)"
        )
    return StateSchema(
        name=database.__name__, collections=tuple(value.schema for value in found.values())
    )


def _check_attribute(database: type[object], attribute: str) -> None:
    others = [vars(base).get(attribute) for base in database.__mro__]
    is_taken = any(other and not isinstance(other, DeclaredCollection) for other in others)
    if is_taken or attribute in _SET_BY_DATABASES or attribute.startswith("_"):
        raise SchemaError(
            f"{database.__name__}.{attribute} is a name that the database needs itself: "
            f"give the attribute another one, and the collection this one by `name={attribute!r}`"
        )
