"""Patterns that mean the same in Python and JavaScript are rewritten, others refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb_gen.pattern_parser import NotPortable
from streamdb_gen.portable_pattern import (
    javascript_fault,
    portable_pattern,
    unicode_pattern,
)


@pytest.mark.parametrize(
    ("pattern", "matching", "refused"),
    [
        (r"^\d{4}$", ["2020"], ["2020\n", "٢٠٢٠", "20201"]),
        ("b", ["abc", "b"], ["ac"]),
        ("^a.c$", ["abc"], ["a\nc", "a\rc", "a\u2028c", "ac"]),
        ("^[a-z0-9-]+$", ["a-1"], ["A", ""]),
        (r"^[\d\-.]+$", ["1-2.3"], ["a"]),
        (r"^[^\n\]]$", ["x", "["], ["\n", "]"]),
        ("^(?:a|b)*?c{2,3}$", ["abcc", "ccc"], ["abc"]),
        ("^(?=.{2}$)(?!aa)", ["ab"], ["aa", "abc"]),
        (r"^\u0041\x42\/\.$", ["AB/."], ["AB/x"]),
        (r"^\D$", ["x", "٢"], ["1"]),
        ("^[&&||~~[]$", ["&", "|", "~", "["], ["a"]),
        ("^ #$", [" #"], ["#"]),
        (r"^\ud83d\ude00$", ["\U0001f600"], ["\ud83d", "\ude00"]),
    ],
)
def test_portable_patterns(pattern: str, matching: list[str], refused: list[str]) -> None:
    translated = portable_pattern(pattern)
    assert isinstance(translated, str)
    for text in matching:
        assert re.search(translated, text), text
    for text in refused:
        assert not re.search(translated, text), text


@pytest.mark.parametrize(
    ("pattern", "index"),
    [
        (r"^\w+$", 1),
        (r"(?<=a)\w(b)]", 0),
        (r"[\s]", 1),
        (r"[\d-x]", 4),
        (r"[a-\d]", 3),
        (r"a\b", 1),
        (r"\p{L}", 0),
        (r"\1", 0),
        (r"\Z", 0),
        ("(?<n>a)", 0),
        ("(?P<n>a)", 0),
        ("(?<=a)b", 0),
        ("(?i)a", 0),
        ("a++", 2),
        ("*a", 0),
        ("a{2", 1),
        ("]", 0),
        ("[]", 0),
        ("[^]", 0),
        ("[a", 0),
        ("[a-", 2),
        ("(a", 0),
        ("a)", 1),
        ("a((b)", 1),
        ("[b-a]", 0),
        ("a" * 2000, 0),
        ("\\", 0),
        ("(" * 900 + ")" * 900, 0),
    ],
)
def test_patterns_that_are_refused(pattern: str, index: int) -> None:
    refused = portable_pattern(pattern)
    assert isinstance(refused, NotPortable)
    assert refused.index == index
    assert refused.reason


@given(st.text(st.sampled_from(r"ab01[]{}()^$.*+?|\dDwuxn-,:=!&~ "), max_size=12))
def test_no_pattern_is_an_exception(pattern: str) -> None:
    translated = portable_pattern(pattern)
    if isinstance(translated, str):
        re.compile(translated)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^\d{4}-[\w.\-]+$", r"^\d{4}-[\w.\-]+$"),
        (r"^\w+\-\w+\_\"\é$", r'^\w+-\w+_"é$'),
        (r"^\/\.\$\[\]\{\}$", r"^\/\.\$\[\]\{\}$"),
        (r"^}]{x{,2}$", r"^\}\]\{x\{,2\}$"),
        (r"[\w-x][a-\d][\:\-]", r"[\w\-x][a\-\d][:\-]"),
        (
            r"(?<name>a)\k<name>(?<!b)\1\p{L}\u{1F600}\cA",
            r"(?<name>a)\k<name>(?<!b)\1\p{L}\u{1F600}\cA",
        ),
        ("(a(?=b(c)+)*)*", "(a(?:(?=b(c)+))*)*"),
        ("[]", "[]"),
        ("[^]", "[^]"),
    ],
)
def test_what_the_flag_u_refuses_is_rewritten(pattern: str, expected: str) -> None:
    assert unicode_pattern(pattern) == expected


@pytest.mark.parametrize(
    "pattern", ["\\", r"\Zx", "(?i)a", "(?P<n>a)", "a**", "*", "[a", "(a", "a)", r"\pL", r"\z"]
)
def test_what_is_malformed_in_javascript_is_kept_and_known(pattern: str) -> None:
    assert unicode_pattern(pattern) == pattern
    assert javascript_fault(pattern)


@pytest.mark.parametrize("pattern", ["", r"^\w+\-$", "(?<n>a)", r"\p{L}", "a{,2}]", "((a)(?=b))*"])
def test_what_javascript_takes_has_no_fault(pattern: str) -> None:
    assert javascript_fault(pattern) is None
