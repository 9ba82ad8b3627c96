"""Findings: what the compiler has to say about a spec, where, and how to get on.

Every fault of a user's file is a :class:`Finding`, never an exception, so that one run tells them
all. The rules that findings name are declared in :mod:`streamdb_gen.rules`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from streamdb_gen.fixes import Edit

Severity = Literal["error", "warning"]

_EXCERPT_WIDTH = 100
_NAME_WIDTH = 60
# Categories that a terminal would act on or not show: controls, formats (bidirectional marks,
# zero-width characters), surrogates, private use, unassigned, line and paragraph separators.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, or one doubt (``severity`` ``warning``), at one place.

    ``line`` and ``column`` count from 1, columns in characters. ``pointer`` is the JSON Pointer
    (RFC 6901) of the value meant. Findings sort by place.

    >>> first = Finding("SPEC_TYPE", "error", "schema.json", 2, 5, "/name", "expected a string")
    >>> second = Finding("SPEC_TYPE", "error", "schema.json", 10, 1, "", "expected an object")
    >>> sorted([second, first])[0].line
    2
    """

    rule: str
    severity: Severity
    file: str
    line: int
    column: int
    pointer: str
    message: str
    hint: str | None = None
    #: What would mend it without changing what the spec accepts, where that is certain.
    fix: Edit | None = field(default=None, compare=False, repr=False)

    def __lt__(self, other: Finding) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[str, int, int, str, str, str, str, str]:
        return (
            self.file,
            self.line,
            self.column,
            self.severity,
            self.rule,
            self.pointer,
            self.message,
            self.hint or "",
        )


def render_text(findings: Iterable[Finding], sources: Mapping[str, str]) -> str:
    """The findings as text for people, each with the source line it is about.

    ``sources`` maps the file names of the findings to their text; a finding of a file that is not
    there is printed without an excerpt. Characters that a terminal would act on are escaped.
    """
    lines_of = {file: _split_lines(text) for file, text in sources.items()}
    blocks = [_render(finding, lines_of.get(finding.file, ())) for finding in findings]
    return "\n".join(blocks)


def shown(name: str) -> str:
    """A name out of the user's file, safe and short enough to stand in a message.

    >>> shown("created\u202eAt")
    '`created\\\\u202eAt`'
    """
    short = name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "…"
    return f"`{escape_unprintable(short)}`"


def escape_unprintable(text: str) -> str:
    r"""``text`` with every character that a terminal would act on written as ``\uXXXX``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_escape_character, text))


def _escape_character(character: str) -> str:
    if unicodedata.category(character) not in _UNPRINTABLE:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _render(finding: Finding, lines: tuple[str, ...] | list[str]) -> str:
    head = (
        f"{escape_unprintable(finding.file)}:{finding.line}:{finding.column}: "
        f"{finding.severity}: {escape_unprintable(finding.message)} [{finding.rule}]\n"
    )
    body = ""
    if finding.line <= len(lines):
        excerpt, indent = _window(lines[finding.line - 1], finding.column - 1)
        gutter = str(finding.line)
        body = f"  {gutter} | {excerpt}\n  {' ' * len(gutter)} | {' ' * indent}^\n"
    at = f"  at: {escape_unprintable(finding.pointer)}\n" if finding.pointer else ""
    hint = f"  hint: {escape_unprintable(finding.hint)}\n" if finding.hint else ""
    return head + body + at + hint


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a line around a column, escaped, and where in it the caret stands."""
    start = max(0, column - _EXCERPT_WIDTH // 2) if len(line) > _EXCERPT_WIDTH else 0
    end = start + _EXCERPT_WIDTH
    lead = "…" if start else ""
    tail = "…" if end < len(line) else ""
    before = lead + escape_unprintable(line[start:column].replace("\t", " "))
    after = escape_unprintable(line[column:end].replace("\t", " ")) + tail
    return before + after, sum(map(_cells, before))


def _cells(character: str) -> int:
    """How many cells of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _split_lines(text: str) -> list[str]:
    """Lines as :class:`streamdb_gen.json_source.Source` counts them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
