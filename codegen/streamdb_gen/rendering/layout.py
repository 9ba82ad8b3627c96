"""Long lines of generated code broken as ``ruff format`` breaks them.

Templates print every statement on one line. :func:`wrap_long_lines` then breaks the ones that do
not fit, so that no formatter has to run when code is generated. It knows the statements that our
templates print, not all of Python; the tests hold its output against the pinned formatter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

LINE_LENGTH: Final = 100
_INDENT: Final = 4
_QUOTES: Final = '"""'
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSERS: Final = frozenset(_CLOSING.values())
_QUOTE_MARKS: Final = ('"', "'")
_STRING_OR_BRACKET: Final = r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^'\\]|\\.)*'|[()\[\]{}]"
_BRACKETS: Final = re.compile(_STRING_OR_BRACKET)
_OPERATORS: Final = (" | ", " and ")
# What finds each separator, and what it is not one in.
_SEPARATED: Final = {
    separator: re.compile(f"{_STRING_OR_BRACKET}|{re.escape(separator)}")
    for separator in (*_OPERATORS, " = ", ": ", ",")
}
_CALL: Final = re.compile(r"[\w)\]][(\[]\Z")  # or a subscript, but no tuple, list or mapping


def wrap_long_lines(source: str) -> str:
    """Break each statement of ``source`` that stands on one line and is too long for it."""
    return "\n".join(_wrapped(source.split("\n")))


def _wrapped(lines: Iterable[str]) -> Iterator[str]:
    # What our templates print on several lines is a docstring, whose end has a line of its own.
    in_docstring = False
    for line in lines:
        text = line.lstrip(" ")
        if in_docstring:
            in_docstring = text != _QUOTES
            yield line
        elif text.startswith(_QUOTES):
            in_docstring = not (text.endswith(_QUOTES) and len(text) >= 2 * len(_QUOTES))
            yield line
        elif len(line) > LINE_LENGTH and not text.startswith("#"):
            yield from _statement(text, len(line) - len(text))
        else:
            yield line


def _statement(text: str, indent: int) -> list[str]:
    if text.startswith("from ") and " import " in text:
        module, _, names = text.partition(" import ")
        return _bracketed(f"{module} import (", names, ")", indent, one_line=False)
    if text.startswith("if ") and text.endswith(":"):
        return _expression("if ", text[3:-1], ":", indent)
    target, equals, value = _partition(text, " = ")
    name, colon, annotation = _partition(target, ": ")
    if not colon or text.endswith(":") or text.startswith(("def ", "class ")):
        prefix, expression = (target + equals, value) if equals else ("", text)
        return _expression(prefix, expression, "", indent)
    if not equals:
        return _expression(name + colon, annotation, "", indent)
    is_plain = not (_last_bracket(annotation) or _split_operators(annotation))
    if is_plain or _head_fits(target + equals, value, indent):
        return _expression(target + equals, value, "", indent)
    lines = _expression(name + colon, annotation, equals + value, indent)
    if len(lines) > 1 and len(lines[-1]) > LINE_LENGTH:
        closing = lines.pop().removesuffix(value).lstrip(" ")
        lines += _expression(closing, value, "", indent)
    return lines


def _head_fits(prefix: str, value: str, indent: int) -> bool:
    """Whether the line fits that ends where the value is broken, or put into parentheses."""
    bracket = _last_bracket(value)
    return indent + len(prefix) + (bracket.start if bracket else 0) < LINE_LENGTH


def _expression(prefix: str, text: str, suffix: str, indent: int) -> list[str]:
    """Lay out ``text`` between what stands before and after it on the same line."""
    line = " " * indent + prefix + text + suffix
    if len(line) <= LINE_LENGTH:
        return [line]
    if prefix and (operator := _split_operators(text)):
        return _parenthesised(prefix + "(", text, operator, ")" + suffix, indent)
    bracket = _last_bracket(text)
    if bracket is None:
        return _in_parentheses(prefix, text, suffix, indent) or [line]
    opening, closing = text[: bracket.start + 1], text[bracket.end :]
    items = text[bracket.start + 1 : bracket.end]
    one_line = _CALL.search(opening) is not None
    return _bracketed(prefix + opening, items, closing + suffix, indent, one_line=one_line)


def _in_parentheses(prefix: str, text: str, suffix: str, indent: int) -> list[str]:
    """A value that cannot be broken goes on a line of its own, if it fits there."""
    helps = indent + max(_INDENT + len(text), len(prefix) + 1) <= LINE_LENGTH
    if not prefix.endswith(" = ") or not helps:
        return []
    return _parenthesised(prefix + "(", text, "", ")" + suffix, indent)


def _parenthesised(head: str, text: str, operator: str, tail: str, indent: int) -> list[str]:
    inner = indent + _INDENT
    lines = [" " * inner + text]
    if len(lines[0]) > LINE_LENGTH:
        lines = _operands(text, operator, "", inner)
    return [" " * indent + head, *lines, " " * indent + tail]


def _operands(text: str, operator: str, suffix: str, indent: int) -> list[str]:
    """Each operand of an operator on a line of its own, which it may do inside brackets."""
    operands = _split(text, operator)
    prefixes = ["", *[operator.strip() + " "] * (len(operands) - 1)]
    suffixes = [*[""] * (len(operands) - 1), suffix]
    lines: list[str] = []
    for before, operand, after in zip(prefixes, operands, suffixes, strict=True):
        lines += _expression(before, operand, after, indent)
    return lines


def _bracketed(head: str, items: str, tail: str, indent: int, *, one_line: bool) -> list[str]:
    """Lay out comma-separated items: all on one line of their own, or each on its own."""
    inner = indent + _INDENT
    parts = [part for part in _split(items, ",") if part.strip()]
    lines = [" " * inner + items]
    if len(parts) == 1 and not items.endswith(","):
        lines = _item(parts[0].strip(), "", inner)
    elif len(lines[0]) > LINE_LENGTH or not one_line:
        lines = [line for part in parts for line in _item(part.strip(), ",", inner)]
    return [" " * indent + head, *lines, " " * indent + tail]


def _item(text: str, suffix: str, indent: int) -> list[str]:
    """Lay out what stands alone on its line, between brackets."""
    operator = _split_operators(text)
    if indent + len(text + suffix) <= LINE_LENGTH or not operator:
        return _expression("", text, suffix, indent)
    return _operands(text, operator, suffix, indent)


@dataclass(frozen=True, slots=True)
class _Bracket:
    start: int
    end: int


def _last_bracket(text: str) -> _Bracket | None:
    """The last bracket pair of the outermost level that holds anything."""
    found, opened = None, 0
    for position, token, depth in _tokens(text, _BRACKETS):
        if depth == 0 and token in _CLOSING:
            opened = position
        elif depth == 0 and position > opened + 1:
            found = _Bracket(opened, position)
    return found


def _split_operators(text: str) -> str | None:
    return next((operator for operator in _OPERATORS if len(_split(text, operator)) > 1), None)


def _partition(text: str, separator: str) -> tuple[str, str, str]:
    parts = _split(text, separator)
    if len(parts) == 1:
        return text, "", ""
    return parts[0], separator, text[len(parts[0]) + len(separator) :]


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator outside brackets and strings."""
    if separator not in text:
        return [text]
    found = _tokens(text, _SEPARATED[separator])
    cuts = [position for position, token, depth in found if depth == 0 and token == separator]
    starts = [0, *(cut + len(separator) for cut in cuts)]
    return [text[start:end] for start, end in zip(starts, [*cuts, len(text)], strict=True)]


def _tokens(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, str, int]]:
    """Position, token and depth of brackets and the like outside strings.

    A bracket has the depth around it.
    """
    depth = 0
    for found in pattern.finditer(text):
        token = found.group()
        if token[0] in _QUOTE_MARKS:
            continue
        depth -= token in _CLOSERS
        yield found.start(), token, depth
        depth += token in _CLOSING
