"""What a cache keeps of a database: its state at one moment, and what it read after that."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from streamdb.cache.row_texts import RowTexts, pack_texts, unpack_texts
from streamdb.collections.loading import LoadingRows
from streamdb.collections.ordinals import Ordinals
from streamdb.protocol.exchange import Batch
from streamdb.state.schema import CollectionSchema, StateSchema
from streamdb.state.stamps import Block
from streamdb.state.unknown_fields import Stored

# A piece has so many rows at most, and fewer where they are large: SQLite takes no gigabytes.
_MOST_ROWS: Final = 1000
_BYTES_OF_ROWS: Final = 4 * 1024 * 1024
_MOST_BLOCKS: Final = 100


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a state is beside rows.

    Attributes:
        offset: its position.
        ordinal: of the last event before it.
        stamps: the offsets that a server has stamped on events before it.
        events: how many events were read before it.
        invalid: how many of them were invalid.
        invalid_events: the last of these; what makes up a report of each.
        undeclared: how many were of undeclared types, by type.
        txids: those that are remembered, the oldest first.
        resets: the resets that were obeyed and lie behind it: restart offset, end of the batch.
    """

    offset: str
    ordinal: int
    stamps: list[Block]
    events: int
    invalid: int
    invalid_events: list[tuple[Any, ...]]
    undeclared: dict[str, int]
    txids: list[str]
    resets: list[tuple[str, str]]


class SavedRows(NamedTuple):
    """The rows of a collection at one moment, in order, and the ordinals of their events.

    ``originals`` are the texts of those rows that do not show all that they were read from.
    """

    rows: Mapping[str, Any]
    ordinals: Ordinals
    originals: Mapping[str, bytes]


class Base(NamedTuple):
    """A state, with the rows of each collection by its name."""

    ledger: Ledger
    rows: Mapping[str, SavedRows]


class Read(NamedTuple):
    """A batch as it was read, and from where."""

    start: str
    batch: Batch


class _Ledger(msgspec.Struct, frozen=True, array_like=True):
    offset: str
    ordinal: int
    events: int
    invalid: int
    odd: str  # JSON, for a type or key may hold half a surrogate pair: reports, undeclared types
    txids: bytes
    resets: list[tuple[str, str]]


class _Rows(msgspec.Struct, frozen=True, array_like=True, tag_field="piece", tag="rows"):
    type: bytes
    keys: bytes  # none if they are those that the rows hold
    ordinals: bytes
    rows: bytes
    originals: dict[int, bytes]  # by the places of the rows


class _Stamps(msgspec.Struct, frozen=True, array_like=True, tag_field="piece", tag="stamps"):
    blocks: list[tuple[bytes | tuple[int, int], str, str]]


class _Read(msgspec.Struct, frozen=True, array_like=True):
    start: str
    offset: str
    parts: list[bytes]


_encoder: Final = msgspec.msgpack.Encoder()
_ledger_decoder: Final = msgspec.msgpack.Decoder(_Ledger)
_piece_decoder: Final = msgspec.msgpack.Decoder(_Rows | _Stamps)
_reads_decoder: Final = msgspec.msgpack.Decoder(list[_Read])


def pieces_of_base(schema: StateSchema, base: Base) -> Iterator[bytes]:
    """Write a state as pieces.

    Raises:
        RowsChange: some of its rows would not come back as they are.
    """
    ledger = base.ledger
    yield _encoder.encode(
        _Ledger(
            ledger.offset,
            ledger.ordinal,
            ledger.events,
            ledger.invalid,
            json.dumps([ledger.invalid_events, ledger.undeclared]),
            pack_texts(ledger.txids),
            ledger.resets,
        )
    )
    for begin in range(0, len(ledger.stamps), _MOST_BLOCKS):
        yield _encoder.encode(_packed_stamps(ledger.stamps[begin : begin + _MOST_BLOCKS]))
    for name, saved in base.rows.items():
        collection = schema.by_name[name]
        texts = RowTexts(collection.rows)
        type_ = pack_texts([collection.type])
        keys, rows = list(saved.rows), list(saved.rows.values())
        ordinals = saved.ordinals.in_order(keys)
        begin, count = 0, 1
        while begin < len(keys):
            part = slice(begin, begin + count)
            is_own = _keys_in(collection, rows[part]) == keys[part]
            piece = _Rows(
                type=type_,
                keys=b"" if is_own else pack_texts(keys[part]),
                ordinals=_pack_numbers(ordinals[part]),
                rows=texts.pack(rows[part]),
                originals={
                    place: saved.originals[key]
                    for place, key in enumerate(keys[part])
                    if key in saved.originals
                },
            )
            encoded = _encoder.encode(piece)
            yield encoded
            begin += count
            fitting = _BYTES_OF_ROWS * count // len(encoded)
            count = max(1, min(fitting, 4 * count, _MOST_ROWS))


def read_base(
    schema: StateSchema, pieces: Iterator[bytes], count: int
) -> tuple[Ledger, dict[str, LoadingRows]]:
    """Read the state that so many pieces hold; those after them are left."""
    read = _ledger_decoder.decode(next(pieces))
    invalid_events, undeclared = json.loads(read.odd)
    ledger = Ledger(
        read.offset,
        read.ordinal,
        [],
        read.events,
        read.invalid,
        [tuple(event) for event in invalid_events],
        undeclared,
        unpack_texts(read.txids),
        read.resets,
    )
    loading = {name: LoadingRows() for name in schema.by_name}
    by_type = {
        pack_texts([type_]): (collection, RowTexts(collection.rows))
        for type_, collection in schema.by_type.items()
    }
    for piece in map(_piece_decoder.decode, islice(pieces, count - 1)):
        if isinstance(piece, _Stamps):
            ledger.stamps.extend(_unpacked_stamps(piece))
            continue
        collection, texts = by_type[piece.type]
        rows = texts.unpack(piece.rows)
        keys = unpack_texts(piece.keys) if piece.keys else _keys_in(collection, rows)
        for place, original in piece.originals.items():
            rows[place] = Stored(rows[place], original)
            loading[collection.name].hold_texts = True
        loading[collection.name].extend(keys, rows, _unpack_numbers(piece.ordinals))
    return ledger, loading


def _keys_in(collection: CollectionSchema[Any, Any], rows: Sequence[Any]) -> list[str]:
    """Return the keys that rows hold, as text; a text is the row's own, and no second one."""
    keys = map(collection.key_of, rows)
    return list(keys) if collection.key is str else list(map(str, keys))


def _packed_stamps(blocks: Sequence[Block]) -> _Stamps:
    return _Stamps(
        [(_packed_ordinals(ordinals), prefix, columns) for ordinals, prefix, columns in blocks]
    )


def _unpacked_stamps(packed: _Stamps) -> Iterator[Block]:
    for ordinals, prefix, columns in packed.blocks:
        yield Block(_unpacked_ordinals(ordinals), prefix, columns)


def _packed_ordinals(ordinals: range | array[int]) -> bytes | tuple[int, int]:
    if isinstance(ordinals, range):
        return ordinals.start, ordinals.stop
    return _pack_numbers(ordinals)


def _unpacked_ordinals(packed: bytes | tuple[int, int]) -> range | array[int]:
    return _unpack_numbers(packed) if isinstance(packed, bytes) else range(*packed)


def _pack_numbers(numbers: array[int]) -> bytes:
    ordered = numbers[:]
    if sys.byteorder == "big":
        ordered.byteswap()
    return ordered.tobytes()


def _unpack_numbers(packed: bytes) -> array[int]:
    numbers = array("q")
    numbers.frombytes(packed)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def piece_of_reads(reads: Sequence[Read]) -> bytes:
    """Write what was read after the base as one piece."""
    return _encoder.encode(
        [_Read(start, batch.offset, list(batch.parts)) for start, batch in reads]
    )


def reads_of(piece: bytes) -> Iterator[Read]:
    """Read what :func:`piece_of_reads` wrote."""
    for read in _reads_decoder.decode(piece):
        batch = Batch(
            parts=tuple(read.parts),
            offset=read.offset,
            cursor=None,
            up_to_date=False,
            closed=False,
            content_type="application/json",
        )
        yield Read(read.start, batch)
