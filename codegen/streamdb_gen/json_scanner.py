"""JSON text read into the tree of :mod:`streamdb_gen.json_source`.

Strict JSON (RFC 8259). A fault is a value (:class:`Fault`), not an exception, and where it is clear
what was meant (a comma too many, a comment) reading goes on, so that one run finds them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn

from streamdb_gen.findings import shown
from streamdb_gen.json_source import JsonValue, Member, Node, Source, escape_token

MAX_NESTING = 100
MAX_NUMBER_LENGTH = 1000  # Python refuses to print integers beyond 4300 digits
MAX_KEY_LENGTH = 1000  # keys are part of every JSON Pointer below them


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the text itself."""

    rule: str
    offset: int
    pointer: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """The tree (None where the text cannot be read to its end) and all faults.

    ``broken`` holds the offsets of values that stand in the tree as a mere placeholder.
    """

    root: Node | None
    faults: tuple[Fault, ...]
    broken: frozenset[int]


def scan(text: str) -> Scan:
    """Read JSON text.

    >>> scan('{"a": [1, 2.5]}').root.value
    {'a': [1, 2.5]}
    >>> [(fault.rule, fault.offset) for fault in scan('[1, NaN,]').faults]
    [('JSON_LITERAL', 4), ('JSON_TRAILING_COMMA', 7)]
    """
    scanner = _Scanner(text)
    try:
        root = scanner.document()
    except _Stopped:
        root = None
    return Scan(root, tuple(scanner.faults), frozenset(scanner.broken))


class _Stopped(Exception):
    """Nothing sensible can be read after the last fault."""


@dataclass(slots=True)
class _Open:
    """An object or array whose end has not been read."""

    start: int
    closer: str
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    items: list[Node] = field(default_factory=list[Node])
    key: str = ""
    key_start: int = 0
    duplicate: bool = False

    def add(self, node: Node) -> None:
        if self.closer == "]":
            self.items.append(node)
        elif not self.duplicate:
            self.members[self.key] = Member(self.key, self.key_start, node)

    def finish(self, end: int) -> Node:
        if self.closer == "]":
            return Node([n.value for n in self.items], self.start, end, items=tuple(self.items))
        plain = {key: member.value.value for key, member in self.members.items()}
        return Node(plain, self.start, end, members=MappingProxyType(self.members))

    def token(self) -> str:
        return str(len(self.items)) if self.closer == "]" else escape_token(self.key)


_SPACE = re.compile(r"[ \t\n\r]*")
_COMMENT_MARKS = ("/", "#")
_COMMENT = re.compile(r"//[^\n\r]*|/\*.*?\*/|#[^\n\r]*", re.DOTALL)
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_PLAIN_STRING = re.compile(rf'"({_PLAIN.pattern})"')
_HEX = re.compile(r"[0-9A-Fa-f]{4}")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NUMBERLIKE = re.compile(r"[-+.0-9][-+.0-9a-zA-Z_]*")
_WORD = re.compile(r"[A-Za-z_$][A-Za-z_$0-9]*")
_LITERALS: Mapping[str, JsonValue] = {"true": True, "false": False, "null": None}
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.source = Source(text)
        self.at: int = 0
        self.stack: list[_Open] = []
        self.faults: list[Fault] = []
        self.broken: set[int] = set()

    def document(self) -> Node:
        if self.text.startswith("\ufeff"):
            self.fault("JSON_BOM", 0, "the file starts with a byte order mark", "save it without")
            self.at = 1
        self.space()
        if self.at == len(self.text):
            self.stop(self.at, "the file holds no value", "write one JSON object")
        root = self.value()
        self.space()
        if self.at < len(self.text):
            self.fault("JSON_SYNTAX", self.at, "there is text after the end of the value")
        return root

    def value(self) -> Node:
        """One whole value; an own stack instead of recursion, so that depth costs no frames."""
        while True:
            node = self.leaf()
            while node is not None:
                if not self.stack:
                    return node
                top = self.stack[-1]
                top.add(node)
                node = self.close() if self.at_end_of(top) else None
            top = self.stack[-1]
            if top.closer == "}":
                self.key(top)

    def leaf(self) -> Node | None:
        """A value without inner values, or None after the start of one that has some."""
        self.space()
        start = self.at
        character = self.peek()
        if character in "{[" and character:
            if len(self.stack) >= MAX_NESTING:
                limit = f"values are nested more than {MAX_NESTING} deep"
                self.fault("JSON_TOO_DEEP", start, limit, "move inner schemas to `$defs`")
                raise _Stopped
            self.stack.append(_Open(start, "}" if character == "{" else "]"))
            self.at += 1
            self.space()
            return self.close() if self.peek() == self.stack[-1].closer else None
        if character == '"':
            text = self.string()
            return Node(text, start, self.at)
        if character and character in "-+.0123456789":
            return self.number()
        if word := _WORD.match(self.text, start):
            self.at = word.end()
            return self.literal(word.group(), start)
        if character in "}]," and character:
            self.stop(start, f"a value is missing before {shown(character)}")
        if character == "'":
            self.stop(start, "strings stand in double quotes", "write \"...\" instead of '...'")
        return self.stop_unexpected("a value")

    def close(self) -> Node:
        """The innermost open value, whose closing bracket is next."""
        self.at += 1
        return self.stack.pop().finish(self.at)

    def at_end_of(self, top: _Open) -> bool:
        """Whether ``top`` ends here; otherwise its next value or key comes next."""
        self.space()
        character = self.peek()
        if character == top.closer:
            return True
        if character == ",":
            comma = self.at
            self.at += 1
            self.space()
            if self.peek() != top.closer:
                return False
            hint = "JSON has no comma after the last one; delete it"
            self.fault("JSON_TRAILING_COMMA", comma, "a comma with nothing after it", hint)
            return True
        starts_key = character == '"'
        starts_value = top.closer == "]" and bool(character) and character in "{[-0123456789tfn"
        if starts_key or starts_value:
            self.fault("JSON_COMMA_MISSING", self.at, "a comma is missing before this")
            return False
        return self.stop_unexpected(f"a comma or {shown(top.closer)}")

    def key(self, top: _Open) -> None:
        self.space()
        start = self.at
        if self.peek() != '"':
            self.stop_unexpected("a key in double quotes")
        key = self.string()
        if len(key) > MAX_KEY_LENGTH:
            self.fault("JSON_TOO_LARGE", start, f"a key of more than {MAX_KEY_LENGTH} characters")
            key = key[:MAX_KEY_LENGTH]
        self.space()
        if self.peek() != ":":
            self.stop_unexpected("a colon after the key")
        self.at += 1
        top.key, top.key_start, top.duplicate = key, start, key in top.members
        if top.duplicate:
            line = self.source.position(top.members[key].key_start).line
            message = f"the key {shown(key)} was given before, in line {line}"
            self.fault("JSON_DUPLICATE_KEY", start, message, "keep one of them")

    def string(self) -> str:
        start = self.at
        if whole := _PLAIN_STRING.match(self.text, start):
            self.at = whole.end()
            return whole[1]
        parts: list[str] = []
        self.at += 1
        while True:
            plain = _PLAIN.match(self.text, self.at)
            assert plain is not None  # noqa: S101 - the pattern matches the empty text
            parts.append(plain.group())
            self.at = plain.end()
            character = self.peek()
            if character == '"':
                self.at += 1
                return "".join(parts)
            if character == "\\":
                parts.append(self.escape())
            elif character in "\n\r":  # the empty text at the end of the file as well
                self.stop(start, "the string that starts here has no end on its line")
            else:
                message = f"a control character (U+{ord(character):04X}) inside a string"
                self.fault("JSON_CONTROL_CHARACTER", self.at, message, "write it as an escape")
                parts.append(character)
                self.at += 1

    def escape(self) -> str:
        start = self.at
        letter = self.text[start + 1 : start + 2]
        if letter in _ESCAPES and letter:
            self.at += 2
            return _ESCAPES[letter]
        if letter == "u" and (high := self.code_unit(start)) is not None:
            self.at += 6
            if 0xD800 <= high < 0xDC00 and self.text.startswith("\\u", self.at):
                low = self.code_unit(self.at)
                if low is not None and 0xDC00 <= low < 0xE000:
                    self.at += 6
                    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
            return chr(high)
        hint = r"JSON knows \" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits"
        self.fault("JSON_BAD_ESCAPE", start, "this escape does not exist in JSON", hint)
        self.at += 1
        return "\\"

    def code_unit(self, at: int) -> int | None:
        digits = _HEX.match(self.text, at + 2)
        return int(digits.group(), 16) if digits else None

    def number(self) -> Node:
        start = self.at
        like = _NUMBERLIKE.match(self.text, start)
        assert like is not None  # noqa: S101 - the caller saw the first character
        self.at = like.end()
        text = like.group()
        if text in ("-Infinity", "+Infinity", "-NaN", "+NaN"):
            return self.literal(text, start)
        number = _NUMBER.fullmatch(text)
        if number is None:
            message = f"{shown(text)} is not a number in JSON"
            hint = "no leading zero or plus sign, and digits on both sides of the point"
            return self.placeholder("JSON_NUMBER", start, message, hint)
        if len(text) > MAX_NUMBER_LENGTH:
            message = f"a number of more than {MAX_NUMBER_LENGTH} characters"
            return self.placeholder("JSON_TOO_LARGE", start, message)
        if number.group(1) is None and number.group(2) is None:
            return Node(int(text), start, self.at)
        value = float(text)
        vanished = value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]) is not None
        if vanished or value in (float("inf"), float("-inf")):
            message = f"{shown(text)} is beyond what a 64-bit floating point number can hold"
            return self.placeholder("JSON_TOO_LARGE", start, message)
        return Node(value, start, self.at)

    def literal(self, word: str, start: int) -> Node:
        if word in _LITERALS:
            return Node(_LITERALS[word], start, self.at)
        message = f"{shown(word)} is not a value in JSON"
        hint = "JSON knows true, false and null, in lower case; text stands in double quotes"
        return self.placeholder("JSON_LITERAL", start, message, hint)

    def placeholder(self, rule: str, start: int, message: str, hint: str | None = None) -> Node:
        self.fault(rule, start, message, hint)
        self.broken.add(start)
        return Node(None, start, self.at)

    def space(self) -> None:
        while True:
            blank = _SPACE.match(self.text, self.at)
            assert blank is not None  # noqa: S101 - the pattern matches the empty text
            self.at = blank.end()
            comment = _COMMENT.match(self.text, self.at) if self.peek() in _COMMENT_MARKS else None
            if comment is None:
                return
            hint = "move it to `description` or `$comment`"
            self.fault("JSON_COMMENT", self.at, "JSON has no comments", hint)
            self.at = comment.end()

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def fault(self, rule: str, offset: int, message: str, hint: str | None = None) -> None:
        pointer = "".join("/" + frame.token() for frame in self.stack)
        self.faults.append(Fault(rule, offset, pointer, message, hint))

    def stop(self, offset: int, message: str, hint: str | None = None) -> NoReturn:
        self.fault("JSON_SYNTAX", offset, message, hint)
        raise _Stopped

    def stop_unexpected(self, wanted: str) -> NoReturn:
        found = shown(self.peek()) if self.peek() else "the end of the file"
        self.stop(self.at, f"expected {wanted}, found {found}")
