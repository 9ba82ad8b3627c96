"""Reads regular expressions of ECMA-262, and writes each for Python and for JavaScript's flag `u`.

What is different or missing on one side is refused; see :mod:`streamdb_gen.portable_pattern`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_DIGITS: Final = "0-9"
_ESCAPED_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_GROUP: Final = re.compile(r"\((?:\?[:=!])?")
# What JavaScript has beyond these, and Python has not or has otherwise.
_OTHER_GROUP: Final = re.compile(r"\(\?<(?:[=!]|[A-Za-z_$][\w$]*>)", re.ASCII)
_NO_GROUP: Final = "of groups with `(?` there are `(?:`, `(?=`, `(?!`, `(?<=`, `(?<!`, `(?<name>`"
_LOOKING: Final = frozenset({"(?=", "(?!", "(?<=", "(?<!"})
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??")
_CODE: Final = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_PAIR: Final = re.compile(r"u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
_OTHER_ESCAPE: Final = re.compile(
    r"[wWsSbB]|[pP]\{[\w=]+\}|u\{[0-9A-Fa-f]{1,6}\}|k<[A-Za-z_$][\w$]*>|c[A-Za-z]|[0-9]", re.ASCII
)
_WIDE_ESCAPE: Final = re.compile(r"[wWsSDdpP]")  # more characters than one: no end of a range
# The only needless escapes that the flag `u` lets pass, outside a class and, with `-`, inside.
_SYNTAX: Final = frozenset("^$\\.*+?()[]{}|/")
# `.` of JavaScript stops at more line ends than Python's.
_ANY: Final = r"[^\n\r\u2028\u2029]"


@dataclass(frozen=True, slots=True)
class NotPortable:
    """Why a pattern was refused, and at which of its characters."""

    reason: str
    index: int


@dataclass(slots=True)
class Parsed:
    """Both renderings, and what is not portable; then the one for Python means nothing."""

    python: str = ""
    ecma: str = ""
    refusals: list[NotPortable] = field(default_factory=list[NotPortable])
    boundary: int | None = None
    """Where the first `\\b` or `\\B` stands."""

    def add(self, python: str, ecma: str) -> None:
        """Go on with a piece, as each language has it."""
        self.python += python
        self.ecma += ecma

    def refuse(self, reason: str, index: int, ecma: str) -> None:
        """Go on with a piece that Python has not, or has otherwise."""
        self.refusals.append(NotPortable(reason, index))
        self.ecma += ecma


class Malformed(Exception):
    """A pattern that is no regular expression of JavaScript; ``why`` says where."""

    def __init__(self, reason: str, index: int) -> None:
        super().__init__(reason)
        self.why = NotPortable(reason, index)


def parse(pattern: str) -> Parsed:
    """Read a pattern, and write it for both languages.

    Raises:
        Malformed: it is no regular expression of JavaScript.
    """
    return _Parser(pattern).parse()


@dataclass(frozen=True, slots=True)
class _Group:
    """A group that is open, and where its bracket stands: in the pattern, in its form for `u`."""

    index: int
    ecma_index: int
    looks: bool
    """Whether it only looks ahead or behind."""


@dataclass(frozen=True, slots=True)
class _Escape:
    """What a backslash sequence stands for.

    ``python`` is a character, or the inside of a class where ``wide`` is set; ``reason`` is why
    there is no such thing in Python.
    """

    python: str
    ecma: str
    wide: bool = False
    reason: str = ""


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.parsed = Parsed()
        self.open: list[_Group] = []

    def parse(self) -> Parsed:
        while self.at < len(self.pattern):
            self.piece()
        if self.open:
            raise Malformed("this `(` is never closed", self.open[-1].index)
        return self.parsed

    def piece(self) -> None:
        """One group bracket, bar or anchor, or one atom with its quantifier."""
        character = self.pattern[self.at]
        if character in "^|$":
            self.at += 1
            self.parsed.add(r"\Z" if character == "$" else character, character)
        elif character == "(":
            self.group()
        elif character in "*+?" or _QUANTIFIER.match(self.pattern, self.at):
            reason = f"nothing stands before `{character}` that it could repeat"
            raise Malformed(reason, self.at)
        else:
            closed = self.closed_group() if character == ")" else None
            self.atom(character)
            self.quantifier(closed)

    def closed_group(self) -> _Group:
        if not self.open:
            raise Malformed("`)` closes nothing", self.at)
        return self.open.pop()

    def group(self) -> None:
        start = self.at
        other = _OTHER_GROUP.match(self.pattern, start)
        match = other or _GROUP.match(self.pattern, start)
        opening = match.group() if match else "("
        self.at += len(opening)
        self.open.append(_Group(start, len(self.parsed.ecma), opening in _LOOKING))
        if other:
            self.parsed.refuse(f"`{opening}` is not portable", start, opening)
        elif opening == "(" and self.pattern.startswith("(?", start):
            raise Malformed(_NO_GROUP, start)
        else:
            self.parsed.add(opening, opening)

    def atom(self, character: str) -> None:
        start = self.at
        if character == "[":
            self.character_class()
            return
        if character == "\\":
            escape = self.escape()
            if escape.reason:
                self.parsed.refuse(escape.reason, start, escape.ecma)
            elif escape.wide:
                self.parsed.add(f"[{escape.python}]", escape.ecma)
            else:
                self.parsed.add(re.escape(escape.python), escape.ecma)
            return
        self.at += 1
        if character in "]}":
            reason = f"`{character}` closes nothing; write `\\{character}`"
            self.parsed.refuse(reason, start, f"\\{character}")
        elif character == "{":
            self.parsed.refuse("`{` begins no repetition; write `\\{`", start, r"\{")
        elif character in ").":
            self.parsed.add(_ANY if character == "." else character, character)
        else:
            self.parsed.add(re.escape(character), character)

    def quantifier(self, closed: _Group | None) -> None:
        """What repeats an atom, if anything does; by the flag `u` no look-ahead is one."""
        match = _QUANTIFIER.match(self.pattern, self.at)
        if match is None:
            return
        self.at = match.end()
        if closed is not None and closed.looks:
            before, group = (
                self.parsed.ecma[: closed.ecma_index],
                self.parsed.ecma[closed.ecma_index :],
            )
            self.parsed.ecma = f"{before}(?:{group})"
        if _QUANTIFIER.match(self.pattern, self.at):
            raise Malformed("one quantifier directly after another", self.at)
        self.parsed.add(match.group(), match.group())

    def escape(self, *, in_class: bool = False) -> _Escape:
        start = self.at
        letter = self.pattern[start + 1 : start + 2]
        self.at += 2
        verbatim = f"\\{letter}"
        if letter in ("d", "D"):
            python = _DIGITS if letter == "d" else f"^{_DIGITS}"
            return _Escape(python, verbatim, wide=True)
        if letter in _ESCAPED_CONTROLS:
            return _Escape(_ESCAPED_CONTROLS[letter], verbatim)
        if match := _PAIR.match(self.pattern, start + 1) or _CODE.match(self.pattern, start + 1):
            self.at = match.end()
            return _Escape(_character(match), f"\\{match.group()}")
        if match := _OTHER_ESCAPE.match(self.pattern, start + 1):
            self.at = match.end()
            if letter in ("b", "B") and not in_class and self.parsed.boundary is None:
                self.parsed.boundary = start
            wide = _WIDE_ESCAPE.match(letter) is not None
            return _Escape("", f"\\{match.group()}", wide, _why_not(letter))
        if letter and not (letter.isascii() and letter.isalnum()):
            needed = letter in _SYNTAX or (in_class and letter == "-")
            reason = "" if letter.isascii() else _why_not(letter)
            return _Escape(letter, verbatim if needed else letter, reason=reason)
        raise Malformed(_why_not(letter), start)

    def character_class(self) -> None:
        start = self.at
        opening = "[^" if self.pattern.startswith("[^", start) else "["
        self.at += len(opening)
        self.parsed.add(opening, opening)
        first = self.at
        while not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                raise Malformed("this `[` is never closed", start)
            self.class_range()
        if self.at == first:
            self.parsed.refuse("an empty character class", start, "")
        self.at += 1
        self.parsed.add("]", "]")

    def class_range(self) -> None:
        start = self.at
        first = self.class_character()
        dash = self.at
        if not self.pattern.startswith("-", dash) or self.pattern.startswith("-]", dash):
            return
        self.at += 1
        if self.at >= len(self.pattern):
            raise Malformed("this range has no end", dash)
        # JavaScript without `u` takes the dash beside `\d` for itself.
        end = self.pattern[self.at : self.at + 2]
        is_range = not (first.wide or (end[0] == "\\" and _WIDE_ESCAPE.match(end, 1)))
        self.parsed.add("-", "-" if is_range else r"\-")
        self.class_character()
        if not is_range:
            wide = self.pattern[start : start + 2] if first.wide else end
            reason = f"`{wide}` cannot be the end of a range"
            self.parsed.refusals.append(NotPortable(reason, dash + 1))

    def class_character(self) -> _Escape:
        start = self.at
        character = self.pattern[start]
        if character != "\\":
            self.at += 1
            self.parsed.add(re.escape(character), character)
            return _Escape(character, character)
        escape = self.escape(in_class=True)
        reason = escape.reason
        if escape.wide and escape.python.startswith("^"):
            reason = "`\\D` inside a character class is not portable"
        if reason:
            self.parsed.refuse(reason, start, escape.ecma)
        else:
            self.parsed.add(escape.python if escape.wide else re.escape(escape.python), escape.ecma)
        return escape


def _character(code: re.Match[str]) -> str:
    """The character of ``\\x41``, ``\\u0041`` or of a pair of surrogates."""
    first, second = (int(part, 16) if part else 0 for part in code.groups())
    if first and second:
        return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    return chr(first or second)


def _why_not(letter: str) -> str:
    if letter and letter in "wWsSbB":
        return f"`\\{letter}` means different characters in Python and JavaScript"
    return f"`\\{letter}` is not portable"
