"""Regular expressions that mean the same in Python and in JavaScript.

JSON Schema's `pattern` is an ECMA-262 expression that is searched for, not matched whole. It is
parsed once and rendered twice. For Python's `re` it is rewritten where the languages differ in
meaning (`\\d`, `.`, `$`), and whatever else is different or missing on one side (`\\w`, `\\s`,
`\\b`, `\\p`, groups with names, references, look-behind) is refused. For JavaScript's flag `u`, by
which characters are code points as in Python, only what is an error under it is rewritten: needless
escapes (`\\_`) and brackets that close or open nothing.
"""

from __future__ import annotations

import re
from typing import Final

from streamdb_gen.pattern_parser import Malformed, NotPortable, parse

MAX_PATTERN_LENGTH: Final = 1000


def portable_pattern(pattern: str) -> str | NotPortable:
    r"""The pattern for Python's ``re.search``.

    >>> portable_pattern(r"^\d{4}$")
    '^[0-9]{4}\\Z'
    >>> portable_pattern(r"^\w+$")
    NotPortable(reason='`\\w` means different characters in Python and JavaScript', index=1)
    """
    if len(pattern) > MAX_PATTERN_LENGTH:
        return NotPortable(f"it is longer than {MAX_PATTERN_LENGTH} characters", 0)
    try:
        parsed = parse(pattern)
        if parsed.refusals:
            return min(parsed.refusals, key=lambda refusal: refusal.index)
        re.compile(parsed.python)
    except Malformed as malformed:
        return malformed.why
    except (re.error, OverflowError, RecursionError) as error:
        return NotPortable(f"it is not a regular expression: {error}", 0)
    return parsed.python


def javascript_fault(pattern: str) -> NotPortable | None:
    """Why a pattern is no regular expression of JavaScript, as far as its grammar is known here.

    >>> javascript_fault("a)")
    NotPortable(reason='`)` closes nothing', index=1)
    >>> javascript_fault(r"^\\p{L}+$")
    """
    try:
        parse(pattern)
    except Malformed as malformed:
        return malformed.why
    return None


def word_boundary(pattern: str) -> NotPortable | None:
    r"""The first `\b` or `\B` of a pattern, on which validators differ.

    ECMA-262 knows the words of ASCII only, and validators that are not written in it those of
    Unicode.

    >>> word_boundary(r"^a\b")
    NotPortable(reason='validators differ on which characters `\\b` takes for words', index=2)
    >>> word_boundary(r"[\b]\\b")
    """
    try:
        found = parse(pattern).boundary
    except Malformed:
        return None
    if found is None:
        return None
    letter = pattern[found + 1]
    return NotPortable(f"validators differ on which characters `\\{letter}` takes for words", found)


def unicode_pattern(pattern: str) -> str:
    r"""The pattern for JavaScript's ``new RegExp(pattern, "u")``; one that is malformed is kept.

    >>> print(unicode_pattern(r"^\w+\-\d{4}\_]$"))
    ^\w+-\d{4}_\]$
    """
    try:
        return parse(pattern).ecma
    except Malformed:
        return pattern
