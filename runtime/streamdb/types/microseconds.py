"""Instants and times finer than Python holds: digits beyond microseconds are cut off.

msgspec would round it, so that the last moment of a year read would be written as the first of the
next one. Text is cut only where a type says that it is an instant or a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final, cast

from msgspec import Raw, inspect

from streamdb.protocol.json_text import is_array, is_object

# JSON text may write any of these characters as an escape.
_FINE_TEXT: Final = re.compile(rb"\.[0-9]{7,}[Zz+-]")
_ESCAPED: Final = re.compile(rb"\\u00(?:2[bBdDeE]|3[0-9]|[57][aA])")
_BACKSLASH: Final = ord("\\")  # to look for text of one byte takes ten times as long
_FINE: Final = re.compile(r"(\.[0-9]{6})[0-9]+(?=[Zz+-])")

_Objects = inspect.StructType | inspect.DataclassType | inspect.TypedDictType
_Fields = _Objects | inspect.NamedTupleType
_Arrays = inspect.ListType | inspect.SetType | inspect.FrozenSetType | inspect.VarTupleType


def holds_instants(kind: Any) -> bool:
    """Tell whether values of a type may hold instants or times that msgspec reads by itself.

    >>> import datetime as dt
    >>> holds_instants(dict[str, dt.time | None]), holds_instants(dt.date)
    (True, False)
    """
    return _cutter(kind) is not None


def is_fine(text: bytes | Raw) -> bool:
    """Tell whether JSON text may hold an instant or a time finer than microseconds.

    Then :func:`cut` has to see the plain value, if :func:`holds_instants` says that of its type.

    >>> is_fine(b'"2026-01-02T03:04:05.123456Z"'), is_fine(b'"2026-01-02T03:04:05.1234567Z"')
    (False, True)
    """
    if _FINE_TEXT.search(text) is not None:
        return True
    return _BACKSLASH in bytes(text) and _ESCAPED.search(text) is not None


def cut(plain: Any, kind: Any) -> Any:
    """Cut off what is finer than microseconds in plain JSON that a type is to be made of.

    Classes that make their own values are left to do so themselves.

    >>> import datetime as dt
    >>> text = "23:59:59.9999999Z"
    >>> cut({"at": text, "note": text}, dict[str, str]), cut([text], list[dt.time])
    ({'at': '23:59:59.9999999Z', 'note': '23:59:59.9999999Z'}, ['23:59:59.999999Z'])
    """
    cutter = _cutter(kind)
    return plain if cutter is None else cutter.cut(plain, cutter.root)


def _cutter(kind: Any) -> _Cutter | None:
    try:
        return _known_cutter(kind)
    except TypeError:  # annotated with what has no hash
        return _new_cutter(kind)


def _new_cutter(kind: Any) -> _Cutter | None:
    try:
        cutter = _Cutter(inspect.type_info(kind))
    except Exception:  # noqa: BLE001 - msgspec says so itself when it is to make a value
        return None
    return cutter if cutter.leads_to_instants(cutter.root) else None


_known_cutter: Final = cache(_new_cutter)


class _Cutter:
    """Follows a type and a value of it, which is plain JSON still, side by side."""

    def __init__(self, root: inspect.Type) -> None:
        self.root: Final = root
        self._leading: Final = _leading(root)
        self._fields: Final[dict[int, list[tuple[str, inspect.Type]]]] = {}

    def leads_to_instants(self, node: inspect.Type) -> bool:
        """Tell whether a part of the type is an instant or a time, or has one inside."""
        return id(node) in self._leading

    def cut(self, plain: Any, node: inspect.Type) -> Any:
        """Return the value for a part of the type; the value itself if it holds nothing to cut."""
        if not self.leads_to_instants(node):
            return plain
        if isinstance(node, inspect.Metadata):
            return self.cut(plain, node.type)
        if isinstance(node, inspect.UnionType):
            for member in node.types:
                if _is_of_tag(plain, member):
                    plain = self.cut(plain, member)
            return plain
        if isinstance(plain, str):
            is_instant = isinstance(node, inspect.DateTimeType | inspect.TimeType)
            return _FINE.sub(r"\1", plain, count=1) if is_instant else plain
        if is_object(plain):
            return self._cut_object(plain, node)
        return self._cut_array(plain, node) if is_array(plain) else plain

    def _cut_object(self, plain: dict[str, Any], node: inspect.Type) -> dict[str, Any]:
        if isinstance(node, inspect.DictType):
            return {
                self.cut(name, node.key_type): self.cut(value, node.value_type)
                for name, value in plain.items()
            }
        cut = {
            name: self.cut(plain[name], inner)
            for name, inner in self._leading_fields(node)
            if name in plain
        }
        return plain | cut

    def _leading_fields(self, node: inspect.Type) -> list[tuple[str, inspect.Type]]:
        if id(node) not in self._fields:
            fields = node.fields if isinstance(node, _Objects) else ()
            self._fields[id(node)] = [
                (field.encode_name, field.type)
                for field in fields
                if self.leads_to_instants(field.type)
            ]
        return self._fields[id(node)]

    def _cut_array(self, plain: list[Any], node: inspect.Type) -> list[Any]:
        return [
            item if inner is None else self.cut(item, inner)
            for item, inner in zip(plain, _of_items(node, plain), strict=False)
        ]


def _leading(root: inspect.Type) -> frozenset[int]:
    """The parts of a type that are instants or times, or have them inside, by their ids."""
    around: dict[int, list[inspect.Type]] = {}  # a part may contain itself
    found: list[inspect.Type] = []
    seen: set[int] = set()
    ahead = [root]
    while ahead:
        node = ahead.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, inspect.DateTimeType | inspect.TimeType):
            found.append(node)
        for inner in _inside(node):
            around.setdefault(id(inner), []).append(node)
            ahead.append(inner)
    leading: set[int] = set()
    while found:
        node = found.pop()
        if id(node) not in leading:
            leading.add(id(node))
            found += around.get(id(node), [])
    return frozenset(leading)


def _inside(node: inspect.Type) -> Iterable[inspect.Type]:
    match node:
        case inspect.Metadata():
            return [node.type]
        case inspect.UnionType():
            return node.types
        case inspect.DictType():
            return [node.key_type, node.value_type]
        case inspect.TupleType():
            return node.item_types
        case _ if isinstance(node, _Arrays):
            return [node.item_type]
        case _ if isinstance(node, _Fields):
            return [field.type for field in node.fields]
        case _:
            return []


def _of_items(node: inspect.Type, plain: list[Any]) -> Iterator[inspect.Type | None]:
    """The types of the items of an array; None for those that have none."""
    if isinstance(node, inspect.TupleType):
        yield from node.item_types
    elif isinstance(node, inspect.NamedTupleType):
        yield from (field.type for field in node.fields)
    elif isinstance(node, inspect.StructType) and node.array_like:
        yield from () if node.tag is None else (None,)
        yield from (field.type for field in node.fields)
    elif isinstance(node, _Arrays):
        yield from (node.item_type for _ in plain)
    while True:
        yield None


def _is_of_tag(plain: Any, node: inspect.Type) -> bool:
    """Tell whether no tag says that a value is of another member of a union."""
    if not isinstance(node, inspect.StructType) or node.tag is None:
        return True
    if is_array(plain):
        return plain[:1] == [node.tag]
    return not is_object(plain) or plain.get(cast("str", node.tag_field)) == node.tag
