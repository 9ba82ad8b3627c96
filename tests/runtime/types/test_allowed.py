"""Errors about a constant say which constants are allowed, in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from streamdb import AnyOf, CollectionSchema, Extensible, InvalidRow
from streamdb.expr import UntypedColumns
from streamdb.types.allowed import listed


class Text(Struct, frozen=True, kw_only=True, tag_field="kind", tag="text"):
    kind: ClassVar[Literal["text"]] = "text"
    role: Literal["user", "assistant"] = msgspec.field(name="theRole", default="user")


class Image(Struct, frozen=True, kw_only=True, tag_field="kind", tag="image"):
    kind: ClassVar[Literal["image"]] = "image"


class Untagged(Struct, frozen=True, kw_only=True):
    kind: Literal["audio", "video"]


class Open(Extensible[int]):
    level: Literal[1, 2, None]


class Row(Struct, frozen=True, kw_only=True):
    id: str
    part: Text | Image | UnsetType | None = UNSET
    parts: Annotated[Sequence[Text | Image], Meta(max_length=5)] = ()
    by_name: Mapping[str, Text | Image] = msgspec.field(name="byName", default={})
    pair: tuple[str, Literal["x"]] | None = None
    any: AnyOf[Untagged, Text] | None = None
    mixed: AnyOf[Text, Image, Sequence[str]] | None = None
    open: Open | None = None


ROWS = CollectionSchema[Row, str](
    name="rows", type="row", primary_key="id", row=Row, key=str, columns=UntypedColumns
)


@pytest.mark.parametrize(
    ("fields", "pointer", "allowed"),
    [
        ({"part": {"kind": "audio"}}, "/part/kind", '"text", "image"'),
        ({"parts": [{"kind": "text"}, {"kind": "x"}]}, "/parts/1/kind", '"text", "image"'),
        ({"part": {"kind": "text", "theRole": "x"}}, "/part/theRole", '"user", "assistant"'),
        ({"pair": ["a", "y"]}, "/pair/1", '"x"'),
        ({"any": {"kind": "x"}}, "/any/kind", '"audio", "video", "text"'),
        ({"any": {"kind": ["x"]}}, "/any/kind", '"audio", "video", "text"'),
        ({"open": {"level": 3}}, "/open/level", "1, 2, null"),
    ],
)
def test_what_is_allowed(fields: dict[str, Any], pointer: str, allowed: str) -> None:
    with pytest.raises(InvalidRow) as caught:
        ROWS.decode(msgspec.json.encode({"id": "a", **fields}))
    assert caught.value.pointer == pointer
    assert str(caught.value).endswith(f"; allowed: {allowed}")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"parts": [{}]}, "lacks the property `kind`"),
        ({"part": {"kind": 5}}, "expected `str`"),
        ({"mixed": {"kind": "x"}}, 'Text: `kind` must be "text"; Image: `kind` must be "image"'),
        ({"id": 5}, "expected `str`, got `int`"),
    ],
)
def test_other_errors(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRow) as caught:
        ROWS.decode(msgspec.json.encode({"id": "a", **fields}))
    assert says in str(caught.value)
    assert "allowed" not in str(caught.value)


def test_a_long_list_is_cut() -> None:
    assert listed(f"value-{n}" for n in range(5000)).endswith(", … (5000 in all)")
    assert len(listed(["x" * 100_000, "y"])) < 300
    # Written so because there is no type to be checked: it is made here.
    many: Any = Literal.__getitem__(tuple(f"value-{n}" for n in range(500)))
    rows = CollectionSchema[Any, str](
        name="rows",
        type="row",
        primary_key="id",
        row=msgspec.defstruct("Holder", [("id", str), ("value", many)]),
        key=str,
        columns=UntypedColumns,
    )
    with pytest.raises(InvalidRow, match=r'allowed: "value-0", .*… \(500 in all\)') as caught:
        rows.decode(b'{"id": "a", "value": "secret"}')
    assert len(str(caught.value)) < 400
