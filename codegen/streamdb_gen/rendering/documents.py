"""Code that knows where it may be broken: documents in the manner of Wadler's pretty printer.

A group is laid out on one line if it fits there, and otherwise broken at each :class:`Line` of its
own; the groups inside it are asked in turn. Prettier lays out code in this way, so that code which
is built of the same groups comes out as it would leave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from streamdb_gen.rendering.characters import columns
from streamdb_gen.rendering.marked import Code


@dataclass(frozen=True, slots=True)
class Line:
    """A place to break; where it is not broken it reads ``flat``."""

    flat: Literal["", " "] = " "


@dataclass(frozen=True, slots=True)
class Indent:
    """What stands one step further right where it is broken."""

    content: Document


@dataclass(frozen=True, slots=True)
class IfBroken:
    """One document if the group around is broken, another one if it is not."""

    broken: Document
    flat: Document = ()


@dataclass(frozen=True, slots=True)
class Hang:
    """What begins behind a space, or on a line of its own if it cannot begin on this one."""

    content: Document


@dataclass(frozen=True, slots=True)
class Fill:
    """Items with commas, in a broken group as many on a line as it holds."""

    items: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What stands on one line if it fits and is not ``broken`` anyhow; made by :func:`group`."""

    content: Document
    broken: bool


Document: TypeAlias = Code | Line | Indent | IfBroken | Hang | Fill | Group | tuple["Document", ...]

SOFT_LINE: Final = Line("")
_COMMA: Final = Code(",")
_STEP: Final = 2


def group(content: Document, *, broken: bool = False) -> Group:
    """A group; it is broken in any case if one inside it is."""
    return Group(content, broken or _holds_broken(content))


def separated(separator: Document, items: Iterable[Document]) -> tuple[Document, ...]:
    """Documents with a separator between each and the next."""
    parts: list[Document] = []
    for item in items:
        parts += [separator, item] if parts else [item]
    return tuple(parts)


def bracketed(
    opening: Code,
    items: Iterable[Document],
    closing: Code,
    *,
    separator: Code = _COMMA,
    edge: Line = SOFT_LINE,
    broken: bool = False,
) -> Group:
    """Items in brackets: on one line, or each on its own with a separator behind the last, too."""
    listed = separated((separator, Line()), items)
    content = Indent((edge, listed, IfBroken(separator)))
    return group((opening, content, edge, closing), broken=broken)


def lay_out(document: Document, width: int, *, indent: int = 0, column: int | None = None) -> Code:
    """Write a document so that it fits into ``width`` columns, if it can.

    Args:
        document: The document.
        width: The columns of a line.
        indent: The indentation of the line on which it begins.
        column: Where on this line it begins; if not given, behind the indentation.

    >>> listed = bracketed(Code("["), [Code("one"), Code("two")], Code("]"))
    >>> print(lay_out(listed, 80))
    [one, two]
    >>> print(lay_out(listed, 8))
    [
      one,
      two,
    ]
    """
    return Code(_Layout(width, indent if column is None else column).run(document, indent))


def on_one_line(document: Document) -> Code:
    """Write a document without a break.

    >>> on_one_line(separated((Code(" |"), Line()), [Code("A"), Code("B")]))
    'A | B'
    """
    return Code("".join(_texts(document)))


def _holds_broken(document: Document) -> bool:
    match document:
        case Group(broken=broken):
            return broken
        case tuple():
            return any(map(_holds_broken, document))
        case Indent(content) | Hang(content):
            return _holds_broken(content)
        case _:
            return False


def _texts(document: Document) -> Iterator[str]:
    """The texts of a document on one line."""
    due = [document]
    while due:
        match due.pop():
            case str() as text:
                yield text
            case tuple(documents):
                due += reversed(documents)
            case Line(flat):
                yield flat
            case Indent(content) | Group(content):
                due.append(content)
            case IfBroken(flat=flat):
                due.append(flat)
            case Hang(content):
                due += (content, Code(" "))
            case Fill(items):
                yield ", ".join(items)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is still to be written, in a group that is broken."""

    document: Document
    indent: int


class _Layout:
    def __init__(self, width: int, column: int) -> None:
        self._width = width
        self._column = column
        self._written: list[str] = []
        self._due: list[_Part] = []

    def run(self, document: Document, indent: int) -> str:
        self._due = [_Part(document, indent)]
        while self._due:
            part = self._due.pop()
            self._write(part.document, part.indent)
        return "".join(self._written)

    def _write(self, document: Document, indent: int) -> None:
        match document:
            case str():
                self._text(document)
            case tuple():
                self._due += [_Part(each, indent) for each in reversed(document)]
            case Line():
                self._new_line(indent)
            case Group(content, broken):
                if broken or not self._fits(content):
                    self._due.append(_Part(content, indent))
                else:
                    self._text(on_one_line(content))
            case Indent(content):
                self._due.append(_Part(content, indent + _STEP))
            case IfBroken(broken_form):
                self._due.append(_Part(broken_form, indent))
            case Hang(content):
                self._hang(content, indent)
            case Fill(items):
                self._fill(items, indent)

    def _hang(self, content: Document, indent: int) -> None:
        if self._fits(Code(" "), content):
            self._text(" ")
            self._due.append(_Part(content, indent))
        else:
            self._new_line(indent + _STEP)
            self._due.append(_Part(content, indent + _STEP))

    def _fill(self, items: tuple[Code, ...], indent: int) -> None:
        for number, item in enumerate(items):
            if number and self._column + columns(f" {item},") > self._width:
                self._new_line(indent)
            elif number:
                self._text(" ")
            self._text(f"{item},")

    def _fits(self, flat: Document, *behind: Document) -> bool:
        """Whether a document fits on this line, with what follows up to where it may be broken."""
        room = self._width - self._column
        for text in _texts(flat):
            room -= columns(text)
            if room < 0:
                return False
        due = [*reversed(behind)]
        following = len(self._due)
        while room >= 0:
            if not due:
                if not following:
                    return True
                following -= 1
                due.append(self._due[following].document)
            match due.pop():
                case str() as text:
                    room -= columns(text)
                case tuple(documents):
                    due += reversed(documents)
                case Line() | Hang():
                    return True
                case Fill(items):
                    return room > columns(items[0])
                case IfBroken(broken_form):
                    due.append(broken_form)
                case Group(content) | Indent(content):
                    due.append(content)
        return False

    def _text(self, text: str) -> None:
        self._written.append(text)
        self._column += columns(text)

    def _new_line(self, indent: int) -> None:
        while self._written and not self._written[-1].rstrip(" "):
            self._written.pop()
        if self._written:
            self._written[-1] = self._written[-1].rstrip(" ")
        self._written.append("\n" + " " * indent)
        self._column = indent
