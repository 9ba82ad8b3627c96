"""Marked text: the only strings that a template may print."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from typing import LiteralString


class Code(str):
    """Text that is known to be safe as source of the language that it was written for.

    For Python it comes from :func:`ident`, :func:`~streamdb_gen.rendering.literals.lit`,
    :func:`~streamdb_gen.rendering.docstrings.doc`, for TypeScript from their counterparts in
    :mod:`streamdb_gen.targets.typescript`; or from these put together by :func:`code` and
    :func:`join`, or laid out by :func:`~streamdb_gen.rendering.documents.lay_out`. Nothing else
    makes one.
    """

    __slots__ = ()


def ident(name: str) -> Code:
    """Mark a Python name; raises ValueError for anything that is not one."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"not a Python name: {name!a}")
    return Code(name)


def code(template: LiteralString, /, *parts: Code) -> Code:
    """Fill the ``{}`` of a template written in our own source with marked text.

    >>> code("{}: {}", ident("role"), ident("str"))
    'role: str'
    """
    for part in parts:
        _require_marked(part)
    return Code(template.format(*parts))


def join(separator: LiteralString, parts: Iterable[Code]) -> Code:
    """Join marked text by a separator written in our own source."""
    return Code(separator.join(_require_marked(part) for part in parts))


def _require_marked(part: str) -> Code:
    if not isinstance(part, Code):
        raise TypeError(f"unmarked text in generated code: {part!a}")
    return part
