"""Many events in one call: the tagged union of all collections, and what was learnt beside them.

An event comes out with a typed row in it, and Python need not touch it but to store that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar, cast

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from streamdb.state.items import Operation
from streamdb.state.schema import CollectionSchema, StateSchema
from streamdb.types.conversion import convert, dec_hook
from streamdb.types.microseconds import holds_instants, is_fine

# A stream may hold millions of types that nobody declares.
_MOST_LEARNT: Final = 64
_LONGEST_LEARNT: Final = 100

Found = TypeVar("Found")
_Text = Annotated[str, Meta(min_length=1)]


class Headers(msgspec.Struct, frozen=True, gc=False):
    """The headers of a change that matter to the state."""

    operation: Operation
    txid: _Text | UnsetType = UNSET
    control: UnsetType = UNSET  # an event that has one does not fit


class Event(msgspec.Struct, frozen=True, gc=False):
    """A change as it comes out of the union; there is one class of it for each event type.

    ``value`` is a row if the class ``is_typed``, and otherwise what a row is yet to be made of.
    ``schema`` is None if no collection declares the type.
    """

    schema: ClassVar[CollectionSchema[Any, Any] | None]
    type: ClassVar[str]
    is_typed: ClassVar[bool]
    key: _Text
    headers: Headers
    value: Any = UNSET


class TypedEvents:
    """Decodes events of the declared types, and of undeclared ones that were met before.

    Args:
        schema: what the stream holds.
        strict: rows are to be held to contracts that their classes do not know; so those are made
            later, one by one.
    """

    def __init__(self, schema: StateSchema, *, strict: bool) -> None:
        self._classes: Final = [_event_class(declared, strict) for declared in schema.collections]
        self._learnt: Final[set[str]] = set()
        # Asked of the rows, which are known from the first database on, and not of the union.
        self._holds_instants: Final = any(
            holds_instants(declared.rows.in_page) for declared in schema.collections
        )
        self._prepare()

    def _prepare(self) -> None:
        union: Any = self._classes[0]
        for member in self._classes[1:]:
            union |= member
        self._many = _Decoding[list[Event]](list[union], self._holds_instants)
        self._one = _Decoding[Event](union, self._holds_instants)

    def decode(self, array: bytes) -> list[Event] | None:
        """Decode an array of events; None if one of them does not fit."""
        return self._many.decode(array)

    def decode_one(self, text: Raw | bytes) -> Event | None:
        """Decode one event; None if it does not fit."""
        return self._one.decode(text)

    def learn(self, types: Iterable[str]) -> None:
        """Take events of undeclared types from now on; a bounded number of types."""
        known = len(self._learnt)
        for name in types:
            if _is_learnable(name) and name not in self._learnt:
                if len(self._learnt) == _MOST_LEARNT:
                    break
                self._learnt.add(name)
                self._classes.append(_make_class(name, None, Raw, is_typed=False))
        if len(self._learnt) > known:
            self._prepare()


_plain_decoder: Final = msgspec.json.Decoder[Any]()


class _Decoding(Generic[Found]):
    """How text becomes what a type says, if it does."""

    def __init__(self, kind: Any, holds_instants: bool) -> None:
        self._kind: Final = kind
        self._holds_instants: Final = holds_instants
        self._decoder: Final[msgspec.json.Decoder[Found]] = msgspec.json.Decoder(
            kind, dec_hook=dec_hook
        )

    def decode(self, text: Raw | bytes) -> Found | None:
        try:
            if self._holds_instants and is_fine(text):
                return cast("Found", convert(_plain_decoder.decode(text), self._kind))
            return self._decoder.decode(text)
        except Exception:  # noqa: BLE001 - what a row's class raises is one event's fault
            return None


def _event_class(schema: CollectionSchema[Any, Any], strict: bool) -> type[Event]:
    value = schema.rows.in_page
    if schema.updates == "merge":
        # These rows may lack anything: they stay plain until they are laid over the stored ones.
        value = dict[str, Any]
    elif strict and schema.beyond_rows is not None:
        value = Raw
    return _make_class(schema.type, schema, value, is_typed=value is schema.row)


def _make_class(
    type_: str, schema: CollectionSchema[Any, Any] | None, value: Any, *, is_typed: bool
) -> type[Event]:
    return cast(
        "type[Event]",
        msgspec.defstruct(
            "Event",
            [("value", value | UnsetType, UNSET)],
            bases=(Event,),
            namespace={"schema": schema, "type": type_, "is_typed": is_typed},
            tag_field="type",
            tag=type_,
            frozen=True,
            gc=False,
        ),
    )


def _is_learnable(type_: str) -> bool:
    return len(type_) <= _LONGEST_LEARNT and type_.isprintable()  # so it is no half of a surrogate
