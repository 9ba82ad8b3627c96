"""Many events in one call: the tagged union of all collections, and what was learnt beside them.

An event comes out with a typed row in it, and Python need not touch it but to store that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar, Final, NamedTuple, TypeVar, cast

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType
from msgspec.structs import force_setattr

from streamdb.state.items import Operation
from streamdb.state.row_kinds.native import NativeRows
from streamdb.state.row_reader import RowReader
from streamdb.state.schema import CollectionSchema, StateSchema
from streamdb.state.unknown_fields import Stored
from streamdb.types.conversion import convert, dec_hook
from streamdb.types.microseconds import holds_instants, is_fine
from streamdb.types.names import make_tag_known
from streamdb.types.strict_twin import StrictTwin

# A stream may hold millions of types that nobody declares.
_MOST_LEARNT: Final = 64
_LONGEST_LEARNT: Final = 100
# Of so many events or fewer, each is decoded alone if one of them does not fit.
_FEW: Final = 8

Found = TypeVar("Found")
_Text = Annotated[str, Meta(min_length=1)]


class Headers(msgspec.Struct, frozen=True, gc=False):
    """The headers of a change that matter to the state."""

    operation: Operation
    txid: _Text | UnsetType = UNSET
    control: UnsetType = UNSET  # an event that has one does not fit
    # Rows do not depend on what these are (HDR-2, INVALID-7).
    offset: Any = UNSET
    timestamp: Any = UNSET


class Event(msgspec.Struct, frozen=True, gc=False):
    """A change as it comes out of a union.

    Attributes:
        schema: of its collection, None if no collection declares the type.
        type: the event type.
        is_typed: whether ``value`` is a row, not yet what a row is to be made of.
        twin: what rows are read by where undeclared properties are to be noticed, if there is one.
        rows: what reads them one by one; then ``value`` may be a ``Stored`` row.
    """

    schema: ClassVar[CollectionSchema[Any, Any] | None] = None
    type: ClassVar[str]
    is_typed: ClassVar[bool] = False
    twin: ClassVar[StrictTwin | None] = None
    rows: ClassVar[NativeRows[Any] | None] = None
    key: _Text
    headers: Headers
    value: Any = UNSET


class TypedEvents:
    """Decodes events of the declared types, and of undeclared ones that were met before.

    There are two unions. In the first one, rows are read by their twins, which refuse what their
    classes do not declare; so it costs nothing to look out for that. The second one takes all
    properties, and keeps the texts of rows that do not show them all.

    Args:
        schema: what the stream holds.
        strict: rows are to be held to contracts that their classes do not know; so those are made
            later, one by one.
    """

    def __init__(self, schema: StateSchema, *, strict: bool) -> None:
        classes = [_event_classes(declared, strict) for declared in schema.collections]
        self._known: Final = [known for known, _ in classes]
        self._whole: Final = [whole for _, whole in classes]
        self._learnt: Final[set[str]] = set()
        self._odd: _Odd | None = None
        # Asked of the rows, which are known from the first database on, and not of the union.
        self._holds_instants: Final = any(
            holds_instants(declared.rows.in_page) for declared in schema.collections
        )
        self._prepare()

    def _prepare(self) -> None:
        self._unions = [_Union(self._known)]
        if self._whole != self._known:
            self._unions.append(_Union(self._whole))

    def decode(self, array: bytes, *, fine: bool | None = None) -> list[Event] | None:
        """Decode an array of events; None if one of them does not fit.

        Args:
            array: JSON text.
            fine: whether it may hold instants finer than microseconds, if that is known.
        """
        if fine is None:
            fine = self._holds_instants and is_fine(array)
        for union in self._unions:
            if (events := union.decode(array, fine)) is not None:
                return events
            self._odd = union.odd
            if self._odd is not None and not self._odd.is_value:
                break  # for the unions differ in values alone
        return None

    def decode_each(self, texts: Sequence[Raw | bytes], within: bytes) -> list[Event | None]:
        """Decode events of which one does not fit; None stands for each such one.

        ``within`` is text that holds all of theirs.
        """
        some_fine = self._holds_instants and is_fine(within)
        return self._each_alone(texts, some_fine) if some_fine else self._in_parts(texts)

    def _in_parts(self, texts: Sequence[Raw | bytes]) -> list[Event | None]:
        """Decode as many as possible in one call: most often, few of some hundred do not fit.

        What has just failed has told where the first of those stands, or so it seems.
        """
        events: list[Event | None] = []
        for _ in range(_FEW):
            if self._odd is None:
                break
            place = self._odd.place
            events += self._many(texts[:place])
            events += self._each_alone(texts[place : place + 1], some_fine=False)
            texts = texts[place + 1 :]
            if (rest := self._fitting(texts)) is not None:
                return events + rest
        return events + self._by_halves(texts)

    def _by_halves(self, texts: Sequence[Raw | bytes]) -> list[Event | None]:
        if len(texts) <= _FEW:
            return self._each_alone(texts, some_fine=False)
        middle = len(texts) // 2
        return self._many(texts[:middle]) + self._many(texts[middle:])

    def _many(self, texts: Sequence[Raw | bytes]) -> list[Event | None]:
        fitting = self._fitting(texts)
        return self._by_halves(texts) if fitting is None else fitting

    def _fitting(self, texts: Sequence[Raw | bytes]) -> list[Event | None] | None:
        """Decode events in one call; None if one of them does not fit."""
        events = self.decode(b"".join((b"[", b",".join(texts), b"]")), fine=False)
        # Where there is nothing between two commas, there are fewer.
        return [*events] if events is not None and len(events) == len(texts) else None

    def _each_alone(self, texts: Sequence[Raw | bytes], some_fine: bool) -> list[Event | None]:
        events: list[Event | None] = [None] * len(texts)
        for union in self._unions:
            missing = [place for place, event in enumerate(events) if event is None]
            decoded = union.decode_each([texts[place] for place in missing], some_fine)
            for place, event in zip(missing, decoded, strict=True):
                events[place] = event
        return events

    def learn(self, types: Iterable[str]) -> None:
        """Take events of undeclared types from now on; a bounded number of types."""
        known = len(self._learnt)
        for name in types:
            if _is_learnable(name) and name not in self._learnt:
                if len(self._learnt) == _MOST_LEARNT:
                    break
                self._learnt.add(name)
                learnt = _make_class(name, Raw)
                self._known.append(learnt)
                self._whole.append(learnt)
        if len(self._learnt) > known:
            self._prepare()


class _Odd(NamedTuple):
    """Which event of an array did not fit, and whether that was for its value."""

    place: int
    is_value: bool

    @classmethod
    def in_array(cls, error: Exception) -> _Odd | None:
        """Look for it in what msgspec says."""
        found = _AT_EVENT.search(str(error))
        return None if found is None else cls(int(found["place"]), found["member"] == ".value")


_AT_EVENT: Final = re.compile(r" - at `\$\[(?P<place>[0-9]+)\](?P<member>\.value)?[^`]*`\Z")


class _Union:
    """Some classes of events, one for each type, and how text becomes events of them.

    Attributes:
        odd: the event for which the last array failed that did, if that is known.
    """

    odd: _Odd | None = None

    def __init__(self, classes: Sequence[type[Event]]) -> None:
        union: Any = classes[0]
        for member in classes[1:]:
            union |= member
        self._many: Final = _decoder(list[Event], list[union])
        self._decode_many: Final = self._many.decode
        self._one: Final = _decoder(Event, union)
        self._twins: Final = StrictTwin.of_all(
            class_.twin for class_ in classes if class_.twin is not None
        )
        self._readers: Final = {
            class_: RowReader(class_.rows) for class_ in classes if class_.rows is not None
        }

    def decode(self, array: bytes, fine: bool) -> list[Event] | None:
        try:
            events = _decode_fine(self._many, array) if fine else self._decode_many(array)
        except Exception as error:  # noqa: BLE001 - what a row's class raises is one event's fault
            self.odd = _Odd.in_array(error)
            return None
        if len(events) == 1 and not self._readers:
            self._twins.restore_one(events[0].value)  # as in most pages of live reads
            return events
        if not self._make_rows(events, fine):
            self.odd = None
            return None
        return events

    def decode_each(self, texts: Sequence[Raw | bytes], some_fine: bool) -> list[Event | None]:
        if some_fine or self._readers:
            return [self._decode_one(text, some_fine and is_fine(text)) for text in texts]
        events = [_decoded(self._one, text, fine=False) for text in texts]
        self._make_rows([event for event in events if event is not None], fine=False)
        return events

    def _decode_one(self, text: Raw | bytes, fine: bool) -> Event | None:
        event = _decoded(self._one, text, fine)
        return event if event is not None and self._make_rows([event], fine) else None

    def _make_rows(self, events: Sequence[Event], fine: bool) -> bool:
        """Put rows in the place of what was read for them; tell whether all fit."""
        if not self._readers:
            self._twins.restore([event.value for event in events])
            return True
        if fine:
            return False
        try:
            self._read_rows(events)
        except Exception:  # noqa: BLE001 - what a row's class raises is one event's fault
            return False
        return True

    def _read_rows(self, events: Sequence[Event]) -> None:
        by_class: defaultdict[type[Event], list[Event]] = defaultdict(list)
        for event in events:
            if event.value is not UNSET:
                by_class[type(event)].append(event)
        by_twins: list[Any] = []
        for class_, of_class in by_class.items():
            values: Sequence[Any] = [event.value for event in of_class]
            reader = self._readers.get(class_)
            if reader is not None:
                values = reader.read(values)
                for event, row in zip(of_class, values, strict=True):
                    force_setattr(event, "value", row)
            by_twins += [value for value in values if type(value) is not Stored]
        self._twins.restore(by_twins)


_plain_decoder: Final = msgspec.json.Decoder[Any]()


def _decoder(_: type[Found], kind: Any) -> msgspec.json.Decoder[Found]:
    return msgspec.json.Decoder(kind, dec_hook=dec_hook)


def _decoded(decoder: msgspec.json.Decoder[Found], text: Raw | bytes, fine: bool) -> Found | None:
    try:
        return _decode_fine(decoder, text) if fine else decoder.decode(text)
    except Exception:  # noqa: BLE001 - what a row's class raises is one event's fault
        return None


def _decode_fine(decoder: msgspec.json.Decoder[Found], text: Raw | bytes) -> Found:
    return cast("Found", convert(_plain_decoder.decode(text), decoder.type))


def _event_classes(
    schema: CollectionSchema[Any, Any], strict: bool
) -> tuple[type[Event], type[Event]]:
    """Make the classes of one event type: without undeclared properties, and with all."""
    rows = schema.rows
    if schema.updates == "merge":
        # These rows may lack anything: they stay plain until they are laid over the stored ones.
        known = whole = _make_class(schema.type, dict[str, Any], schema=schema)
    elif strict and schema.beyond_rows is not None:
        known = whole = _make_class(schema.type, Raw, schema=schema)
    elif isinstance(rows, NativeRows):
        twin = rows.twin
        shared = {"schema": schema, "is_typed": True, "twin": twin}
        known = whole = _make_class(schema.type, Raw, **shared, rows=rows)
        if twin is not None:
            known = _make_class(schema.type, twin.type, **shared)
            whole = known if twin.type is rows.row else whole
    else:
        known = whole = _make_class(schema.type, rows.in_page, schema=schema)
    return known, whole


def _make_class(type_: str, value: Any, **attributes: Any) -> type[Event]:
    made = cast(
        "type[Event]",
        msgspec.defstruct(
            "Event",
            [("value", value | UnsetType, UNSET)],
            bases=(Event,),
            namespace={"type": type_, **attributes},
            tag_field="type",
            tag=type_,
            frozen=True,
            gc=False,
        ),
    )
    make_tag_known(made)
    return made


def _is_learnable(type_: str) -> bool:
    return len(type_) <= _LONGEST_LEARNT and type_.isprintable()  # so it is no half of a surrogate
