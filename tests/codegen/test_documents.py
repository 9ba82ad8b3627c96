"""Documents are broken where they have to be, and nowhere else."""

from __future__ import annotations

import pytest

from streamdb_gen.rendering.documents import (
    Document,
    Fill,
    Hang,
    IfBroken,
    Indent,
    Line,
    bracketed,
    group,
    lay_out,
    on_one_line,
    separated,
)
from streamdb_gen.rendering.marked import Code, code

WORDS = [code("one"), code("two"), code("three")]
LISTED = bracketed(code("["), WORDS, code("]"))


def lines(document: Document, width: int, indent: int = 0) -> list[str]:
    written = lay_out(document, width, indent=indent)
    assert isinstance(written, Code)
    return written.split("\n")


def test_what_fits_stays_on_its_line() -> None:
    assert lines(LISTED, len("[one, two, three]")) == ["[one, two, three]"]


def test_what_does_not_fit_is_broken_at_each_of_its_lines() -> None:
    assert lines(LISTED, len("[one, two, three]") - 1) == ["[", "  one,", "  two,", "  three,", "]"]


def test_what_follows_on_the_line_has_to_fit_too() -> None:
    followed = (LISTED, code(";"))
    assert len(lines(followed, len("[one, two, three];"))) == 1
    assert len(lines(followed, len("[one, two, three];") - 1)) == 5


def test_the_outer_group_is_broken_first() -> None:
    nested = bracketed(code("("), [LISTED, LISTED], code(")"))
    assert lines(nested, 25) == ["(", "  [one, two, three],", "  [one, two, three],", ")"]


def test_a_broken_group_breaks_those_around_it() -> None:
    broken = bracketed(code("["), WORDS[:1], code("]"), broken=True)
    assert lines(bracketed(code("("), [broken], code(")")), 80) == [
        "(",
        "  [",
        "    one,",
        "  ],",
        ")",
    ]


def test_lines_after_the_first_are_indented_by_where_the_document_stands() -> None:
    assert lines(LISTED, 10, indent=4) == ["[", "      one,", "      two,", "      three,", "    ]"]


def test_the_column_counts_and_not_only_the_indentation() -> None:
    assert lay_out(LISTED, 20, column=4).count("\n") == 4
    assert lay_out(LISTED, 20, column=3).count("\n") == 0


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (80, ["key: [one, two, three]"]),
        (12, ["key: [", "  one,", "  two,", "  three,", "]"]),
    ],
)
def test_a_value_that_can_begin_behind_its_name_does(width: int, expected: list[str]) -> None:
    assert lines((code("key:"), Hang(LISTED)), width) == expected


def test_a_value_that_cannot_begin_there_goes_on_the_next_line() -> None:
    assert lines((code("key:"), Hang(code("a-long-value"))), 15) == ["key:", "  a-long-value"]


def test_no_space_is_left_at_the_end_of_a_line() -> None:
    union = group(Indent((Line(""), IfBroken(code("| ")), separated((Line(), code("| ")), WORDS))))
    assert lines((code("type X = "), union), 12) == ["type X =", "  | one", "  | two", "  | three"]


def test_numbers_fill_lines() -> None:
    numbers = Fill(tuple(Code(str(number)) for number in range(8, 14)))
    listed = group((code("["), Indent((Line(""), numbers)), Line(""), code("]")))
    assert lines(listed, 80) == ["[8, 9, 10, 11, 12, 13]"]
    assert lines(listed, 12) == ["[", "  8, 9, 10,", "  11, 12,", "  13,", "]"]


def test_wide_characters_take_two_columns() -> None:
    listed = bracketed(code("["), [Code("日本")], code("]"))
    assert len(lines(listed, 6)) == 1
    assert len(lines(listed, 5)) == 3


def test_the_form_on_one_line_says_nothing_of_broken_ones() -> None:
    assert on_one_line((code("key:"), Hang(LISTED))) == "key: [one, two, three]"
    assert on_one_line(Fill((code("1"), code("2")))) == "1, 2"
