"""The formats of JSON Schema: what is of a format, what is not, and the types of generated models.

tests/runtime/test_format_grammar.py holds the grammar to what else judges such texts, and
tests/interop/test_formats.py JavaScript to the same verdicts.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import msgspec
import pytest
from tests.format_examples import INVALID, VALID
from tests.type_checkers import CHECKERS, Checker, check_marked

from streamdb import formats
from streamdb.formats import ALIASES, PATTERNS, is_valid

TYPING_CASES: Final = Path(__file__).with_name("formats_typing_cases.py")
EVERY_PATTERN: Final = [*PATTERNS.values(), formats.DECIMAL, formats.BASE64]


@pytest.mark.parametrize("format", PATTERNS)
def test_examples(format: str) -> None:
    assert [text for text in VALID[format] if not is_valid(format, text)] == []
    assert [text for text in INVALID[format] if is_valid(format, text)] == []


@pytest.mark.parametrize("format", PATTERNS)
def test_nothing_may_stand_around_a_text_of_a_format(format: str) -> None:
    for text in VALID[format]:
        assert not is_valid(format, f" {text}")
        assert not is_valid(format, f"\n{text}")
        # A pointer may name any property.
        if not (format.endswith("json-pointer") and "/" in text):
            assert not is_valid(format, f"{text}\n")
            assert not is_valid(format, f"{text}\n{text}")


def test_a_format_that_is_not_checked_is_an_error() -> None:
    with pytest.raises(ValueError, match="'regex' is no format that is checked: date-time, date,"):
        is_valid("regex", ".*")


@pytest.mark.parametrize("pattern", EVERY_PATTERN)
def test_a_pattern_has_only_constructs_that_both_languages_have(pattern: str) -> None:
    # With the flag `u`, JavaScript lets syntax characters be escaped and no others.
    escapes = re.findall(r"\\(?:u[0-9A-F]{4}|.)", pattern)
    assert {escape[1:] for escape in escapes if len(escape) == 2} <= set(r"^$\.*+?()[]{}|/")
    unescaped = re.sub(r"\\(?:u[0-9A-F]{4}|.)", "x", pattern)
    assert "[]" not in unescaped
    assert "[^]" not in unescaped
    outside_classes = re.sub(r"\[[^\]]*\]", "x", unescaped)
    assert re.fullmatch(r"\^[^$^.]*\$", outside_classes)
    assert set(re.findall(r"\(\?(.)", outside_classes)) <= {":", "=", "!"}


@pytest.mark.parametrize("pattern", EVERY_PATTERN)
def test_the_python_form_differs_in_the_end_alone(pattern: str) -> None:
    assert formats.python_form(pattern) == pattern[:-1] + r"\Z"


def test_each_format_has_a_type() -> None:
    assert list(ALIASES) == list(PATTERNS)
    assert len(set(ALIASES.values())) == len(ALIASES)


@pytest.mark.parametrize("format", ALIASES)
def test_msgspec_enforces_the_types(format: str) -> None:
    row = msgspec.defstruct("Row", [("value", getattr(formats, ALIASES[format]))])
    for text in VALID[format]:
        assert msgspec.json.decode(json.dumps({"value": text}), type=row) == row(text)
    for text in INVALID[format]:
        # msgspec takes no lone surrogate for JSON; what reads them then converts.
        with pytest.raises(msgspec.ValidationError) as failure:
            msgspec.convert({"value": text}, type=row)
        message = formats.in_words(str(failure.value))
        assert message == f"Expected `str` of the format {format} - at `$.value`"


def test_a_type_is_made_once() -> None:
    assert formats.Email is formats.Email


def test_another_name_is_no_type() -> None:
    with pytest.raises(AttributeError, match=r"'streamdb\.formats' has no attribute 'Regex'"):
        getattr(formats, "Regex")  # noqa: B009 - type checkers know that it is not there


@pytest.mark.parametrize("checker", CHECKERS)
def test_type_checkers_take_the_types_for_text(checker: Checker) -> None:
    check_marked(TYPING_CASES, checker)


def test_type_checkers_are_shown_all_types() -> None:
    fields = re.findall(r": formats\.(\w+)$", TYPING_CASES.read_text("utf-8"), re.MULTILINE)
    assert fields == list(ALIASES.values())
