"""A JSON document as a tree that remembers where every key and value stands.

:mod:`streamdb_gen.json_scanner` reads the text into it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import ItemsView, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final, NamedTuple

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value: as plain Python data, and where its text starts and ends (character offsets)."""

    value: JsonValue
    start: int
    end: int
    members: Mapping[str, Member] = field(default_factory=lambda: _NO_MEMBERS)
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A key of an object, where the key's text starts, and the value."""

    key: str
    key_start: int
    value: Node


# No array is longer; Python refuses to read numbers of thousands of digits.
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_NO_MEMBERS: Mapping[str, Member] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Place:
    """A value and the JSON Pointer (RFC 6901) that leads to it in its file.

    The places of its members and items are made once, for all that look at them.
    """

    node: Node
    pointer: str = ""
    key_start: int | None = None  # of a member of an object
    file: str = ""  # its name in findings

    @property
    def value(self) -> JsonValue:
        """The plain value."""
        return self.node.value

    def get(self, key: str) -> Place | None:
        """The member of that name; None if there is none or this is no object."""
        return self._members.get(key)

    def members(self) -> ItemsView[str, Place]:
        """Keys and values of an object, in the order of the text; nothing for another value."""
        return self._members.items()

    def items(self) -> tuple[Place, ...]:
        """Values of an array; nothing for another value."""
        return self._items

    def item(self, index: int) -> Place | None:
        """One value of an array."""
        return self._items[index] if index < len(self._items) else None

    def step(self, token: str) -> Place | None:
        """What one token of a JSON Pointer leads to (RFC 6901, section 4)."""
        if self.node.items:
            return self.item(int(token)) if _INDEX.fullmatch(token) else None
        return self.get(token)

    @cached_property
    def _members(self) -> Mapping[str, Place]:
        return {
            key: self._below(key, member.value, member.key_start)
            for key, member in self.node.members.items()
        }

    @cached_property
    def _items(self) -> tuple[Place, ...]:
        return tuple(
            self._below(str(index), item, None) for index, item in enumerate(self.node.items)
        )

    def _below(self, token: str, node: Node, key_start: int | None) -> Place:
        return Place(node, f"{self.pointer}/{escape_token(token)}", key_start, self.file)


def escape_token(token: str) -> str:
    """One reference token of a JSON Pointer.

    >>> escape_token("a/b~c")
    'a~1b~0c'
    """
    return token.replace("~", "~0").replace("/", "~1")


def parent_pointer(place: Place) -> str:
    """The JSON Pointer of what a place stands in.

    >>> parent_pointer(Place(Node(1, 0, 1), "/a/0"))
    '/a'
    """
    return place.pointer.rpartition("/")[0]


def split_pointer(pointer: str) -> tuple[str, ...] | None:
    """The tokens of a JSON Pointer, or None if it is not one (RFC 6901, section 3).

    >>> split_pointer("/a~1b/0"), split_pointer(""), split_pointer("a")
    (('a/b', '0'), (), None)
    """
    if pointer == "":
        return ()
    if not pointer.startswith("/") or re.search(r"~(?![01])", pointer):
        return None
    return tuple(t.replace("~1", "/").replace("~0", "~") for t in pointer[1:].split("/"))


def descend(place: Place, pointer: str) -> Place | None:
    """The place that a JSON Pointer leads to; None if there is none, or it is no pointer.

    >>> descend(Place(Node([], 0, 2)), "/0") is None
    True
    """
    tokens = split_pointer(pointer)
    found: Place | None = place if tokens is not None else None
    for token in tokens or ():
        if found is None:
            break
        found = found.step(token)
    return found


class Position(NamedTuple):
    """Line and column, both from 1; columns count characters."""

    line: int
    column: int


class Source:
    """Text with a line index."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._line_starts = [0, *(m.end() for m in re.finditer(r"\r\n|\n|\r", text))]

    def position(self, offset: int) -> Position:
        """Where a character offset lies.

        >>> Source("ab\\ncd").position(4)
        Position(line=2, column=2)
        """
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def lines(self) -> list[str]:
        """The lines, without their ends."""
        return re.split(r"\r\n|\n|\r", self.text)
