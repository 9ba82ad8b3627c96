"""Descriptions as docstrings: text, and nothing but text."""

from __future__ import annotations

import ast
import doctest
import inspect

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamdb_gen.rendering.docstrings import doc
from streamdb_gen.rendering.layout import LINE_LENGTH

PIECES = st.sampled_from(
    [
        '"',
        '"""',
        "\\",
        "\n",
        "\r\n",
        "\t",
        " ",
        ">>> ",
        "\x0c",
        "    ",
        "0",
        "word",
        "word " * 30,
        "\u202e",
        "\ud800",
        "\0",
    ]
)
TEXT = st.lists(PIECES | st.text(max_size=5)).map("".join)


def read_back(source: str, indent: int) -> str:
    value = ast.literal_eval(source)
    assert isinstance(value, str)
    return inspect.cleandoc(value) if indent else value


def words(text: str) -> str:
    return "".join(text.replace("\\>>>", ">>>").replace("\x00", " ").split())


@given(TEXT, st.sampled_from([0, 4, 8]))
def test_a_docstring_reads_back_as_the_text_but_for_white_space(text: str, indent: int) -> None:
    source = doc(text, indent)
    source.encode("utf-8")
    expected = text.replace("\r", "\n").expandtabs().encode("utf-8", "backslashreplace").decode()
    assert words(ast.literal_eval(source)) == words(expected)


@given(TEXT, st.sampled_from([0, 4, 8]))
@example("\x0c000>>> 1 / 0\n\nmore", 4)
def test_doctest_finds_nothing_to_run(text: str, indent: int) -> None:
    assert not doctest.DocTestParser().get_examples(ast.literal_eval(doc(text, indent)))


@given(st.lists(st.sampled_from(["a", "word", "longer-word", '"quoted"', "back\\slash"])))
def test_lines_fit(many: list[str]) -> None:
    for indent in (0, 4, 8):
        lines = (" " * indent + doc(" ".join(many), indent)).split("\n")
        assert max(map(len, lines)) <= LINE_LENGTH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain.", '"""Plain."""'),
        ('"quoted"', '"""\\"quoted\\""""'),
        ('three """ inside', '"""three \\"\\"\\" inside"""'),
        ("ends in \\", '"""ends in \\\\"""'),
        ('ends in \\"', '"""ends in \\\\\\""""'),
        (">>> 1 / 0", '"""\\\\>>> 1 / 0"""'),
        ("text >>> text", '"""text >>> text"""'),
        ("  \n spaced \n ", '"""spaced"""'),
        ("", '""""""'),
        ("a\r\n\tb\rc", '"""a\n        b\nc\n"""'),
        ("first\n    all\n    deeper", '"""first\nall\ndeeper\n"""'),
        ("\u202e\x07\ud800", '"""\\u202e\\x07\\\\ud800"""'),
        ("x" * 95, f'"""{"x" * 95}\n"""'),
    ],
)
def test_how_it_is_written(text: str, expected: str) -> None:
    assert doc(text) == expected


def test_long_lines_are_wrapped_but_code_and_tables_are_not() -> None:
    paragraph, code, table = "word " * 30, "    " + "code " * 30, "| " + "cell | " * 20
    written = doc(f"Title.\n\n{paragraph}\n{code}\n{table}")
    assert paragraph.strip() not in written
    assert code.rstrip() in written
    assert table.rstrip() in written
