"""Text: patterns, parts, and what is made of it."""

from __future__ import annotations

import re
import reprlib
from functools import lru_cache
from typing import Any

#: How many patterns are kept compiled: those of constants are few, those of columns may be many.
KEPT_PATTERNS = 512


def text(value: object) -> str:
    """Return a text as it is.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, str):
        return value
    raise TypeError(f"{reprlib.repr(value)} is no text")


def lower(value: Any) -> str:
    """Return it in lower case."""
    return text(value).lower()


def upper(value: Any) -> str:
    """Return it in upper case."""
    return text(value).upper()


def trim(value: Any) -> str:
    """Return it without white space on both sides."""
    return text(value).strip()


def starts_with(value: Any, prefix: Any) -> bool:
    """Return whether it begins so."""
    return text(value).startswith(text(prefix))


def ends_with(value: Any, suffix: Any) -> bool:
    """Return whether it ends so."""
    return text(value).endswith(text(suffix))


def like(value: Any, pattern: Any) -> bool:
    """Return whether the whole text fits a pattern of SQL."""
    return like_pattern(text(pattern)).fullmatch(text(value)) is not None


def ilike(value: Any, pattern: Any) -> bool:
    """Return the same, with no difference between upper and lower case."""
    return like_pattern(text(pattern), ignores_case=True).fullmatch(text(value)) is not None


def matches(value: Any, pattern: Any) -> bool:
    """Return whether a regular expression fits somewhere in the text."""
    return regular_expression(text(pattern)).search(text(value)) is not None


@lru_cache(KEPT_PATTERNS)
def regular_expression(pattern: str) -> re.Pattern[str]:
    """Compile a regular expression.

    Raises:
        ValueError: it is none.
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error


@lru_cache(KEPT_PATTERNS)
def like_pattern(pattern: str, *, ignores_case: bool = False) -> re.Pattern[str]:
    r"""Compile a pattern of SQL's LIKE: ``%`` is any text, ``_`` any character.

    A backslash takes what follows literally.

    Raises:
        ValueError: it ends with a backslash that takes nothing.
    """
    first, *others = _literal_parts(pattern)
    source = first
    if others:
        # The earliest place for each part is the best one, so nothing is ever tried again.
        source += "".join(f"(?>.*?{part})" for part in others[:-1]) + f".*{others[-1]}"
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignores_case else 0))


def _literal_parts(pattern: str) -> list[str]:
    """Return what stands between the ``%`` of a pattern, as regular expressions."""
    parts = [""]
    characters = iter(pattern)
    for character in characters:
        match character:
            case "%":
                parts.append("")
            case "_":
                parts[-1] += "."
            case "\\":
                taken = next(characters, None)
                if taken is None:
                    raise ValueError(f"{pattern!r} ends with an escape that takes nothing")
                parts[-1] += re.escape(taken)
            case _:
                parts[-1] += re.escape(character)
    return parts


def with_backslashes(pattern: str, escape: str) -> str:
    r"""Return a pattern of LIKE that was written with another escape character.

    Raises:
        ValueError: the escape is not one character, or the last one of the pattern.

    >>> with_backslashes("100!% _\\", "!")
    '100\\% _\\\\'
    """
    if len(escape) != 1:
        raise ValueError(f"an escape is one character, not {escape!r}")
    written = ""
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            taken = next(characters, None)
            if taken is None:
                raise ValueError(f"{pattern!r} ends with an escape that takes nothing")
            written += "\\" + taken
        else:
            written += "\\\\" if character == "\\" else character
    return written
