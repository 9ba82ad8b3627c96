"""Regular expressions that mean the same in Python and in JavaScript.

JSON Schema's `pattern` is an ECMA-262 expression that is searched for, not matched whole. The
portable subset is what both languages have; it is rewritten where they differ in meaning (`\\d`,
`.`, `$`), and whatever else is different or missing on one side (`\\w`, `\\s`, `\\b`, `\\p`, groups
with names, references, look-behind) is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_PATTERN_LENGTH: Final = 1000

_DIGITS: Final = "0-9"
_ESCAPED_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_GROUP: Final = re.compile(r"\((?:\?[:=!])?")
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??")
_CODE: Final = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
# `.` of JavaScript stops at more line ends than Python's.
_ANY: Final = r"[^\n\r\u2028\u2029]"


@dataclass(frozen=True, slots=True)
class NotPortable:
    """Why a pattern was refused, and at which of its characters."""

    reason: str
    index: int


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
        translated = _Translation(pattern).run()
        re.compile(translated)
    except _Refused as refused:
        return refused.why
    except (re.error, OverflowError, RecursionError) as error:
        return NotPortable(f"it is not a regular expression: {error}", 0)
    return translated


class _Refused(Exception):
    def __init__(self, reason: str, index: int) -> None:
        super().__init__(reason)
        self.why = NotPortable(reason, index)


class _Translation:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def run(self) -> str:
        parts: list[str] = []
        while self.at < len(self.pattern):
            parts.append(self.piece())
        return "".join(parts)

    def piece(self) -> str:
        """One group bracket, bar or anchor, or one atom with its quantifier."""
        character = self.pattern[self.at]
        if character in "^|":
            self.at += 1
            return character
        if character == "$":
            self.at += 1
            return r"\Z"
        if character == "(":
            return self.group()
        if character in "*+?{":
            raise _Refused(f"nothing stands before `{character}` that it could repeat", self.at)
        return self.atom(character) + self.quantifier()

    def group(self) -> str:
        match = _GROUP.match(self.pattern, self.at)
        opening = match.group() if match else "("
        if opening == "(" and self.pattern.startswith("(?", self.at):
            raise _Refused("of the groups with `(?` only `(?:`, `(?=`, `(?!` are portable", self.at)
        self.at += len(opening)
        return opening

    def atom(self, character: str) -> str:
        if character == "[":
            return self.character_class()
        if character == "\\":
            escaped, is_set = self.escape()
            return f"[{escaped}]" if is_set else re.escape(escaped)
        if character in "]}":
            raise _Refused(f"`{character}` closes nothing; write `\\{character}`", self.at)
        self.at += 1
        if character == ")":
            return ")"
        return _ANY if character == "." else re.escape(character)

    def quantifier(self) -> str:
        match = _QUANTIFIER.match(self.pattern, self.at)
        if match is None:
            return ""
        self.at = match.end()
        if self.at < len(self.pattern) and self.pattern[self.at] in "*+?{":
            raise _Refused("one quantifier directly after another", self.at)
        return match.group()

    def escape(self) -> tuple[str, bool]:
        """What a backslash sequence stands for: a character, or (True) the inside of a set."""
        start = self.at
        letter = self.pattern[start + 1 : start + 2]
        self.at += 2
        if letter == "d":
            return _DIGITS, True
        if letter == "D":
            return f"^{_DIGITS}", True
        if letter in _ESCAPED_CONTROLS:
            return _ESCAPED_CONTROLS[letter], False
        if code := _CODE.match(self.pattern, start + 1):
            self.at = code.end()
            return chr(int(code.group(1) or code.group(2), 16)), False
        if letter and letter.isascii() and not letter.isalnum():
            return letter, False
        if letter and letter in "wWsSbB":
            reason = f"`\\{letter}` means different characters in Python and JavaScript"
            raise _Refused(reason, start)
        raise _Refused(f"`\\{letter}` is not portable", start)

    def character_class(self) -> str:
        start = self.at
        negated = self.pattern.startswith("[^", start)
        self.at += 2 if negated else 1
        parts: list[str] = []
        while not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                raise _Refused("this `[` is never closed", start)
            parts.append(self.class_range())
        self.at += 1
        if not parts:
            raise _Refused("an empty character class", start)
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def class_range(self) -> str:
        first = self.class_character()
        is_range = self.pattern.startswith("-", self.at) and not self.pattern.startswith(
            "-]", self.at
        )
        if not is_range:
            return first
        self.at += 1
        if self.at >= len(self.pattern):
            raise _Refused("this range has no end", self.at - 1)
        last = self.class_character()
        if _DIGITS in (first, last):
            raise _Refused("`\\d` cannot be the end of a range", self.at - 1)
        return f"{first}-{last}"

    def class_character(self) -> str:
        start = self.at
        if self.pattern[start] != "\\":
            self.at += 1
            return re.escape(self.pattern[start])
        escaped, is_set = self.escape()
        if escaped.startswith("^") and is_set:
            raise _Refused("`\\D` inside a character class is not portable", start)
        return escaped if is_set else re.escape(escaped)
