"""Descriptions as comments: text, and nothing but text."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.codegen.typescript.hostile_specs import visible, words
from tests.codegen.typescript.peer import TypeScript

from streamdb_gen.rendering.marked import code
from streamdb_gen.targets.typescript.comments import Documentation, comment
from streamdb_gen.targets.typescript.width import LINE_LENGTH

PIECES = st.sampled_from(
    [
        "*/",
        "/**",
        "*",
        "/",
        "//",
        "@deprecated",
        "{@link x}",
        "a@b",
        "\n",
        "\r\n",
        "\t",
        " ",
        "    ",
        "\n * @type {x}\n",
        "`",
        "```\n",
        "<",
        "</script>",
        "word " * 30,
        "\\",
        "\u2028",
        "\u202e",
        "\ud800",
        "\0",
    ]
)
TEXT = st.lists(PIECES | st.text(max_size=5)).map("".join)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(texts=st.lists(TEXT, min_size=10, max_size=10))
def test_a_comment_ends_where_it_should_and_sets_no_tags(
    typescript: TypeScript, texts: list[str]
) -> None:
    saying = [Documentation(text) for text in texts]
    source = "".join(
        f"{comment(each)}\nexport type X{number} = 1;\n" for number, each in enumerate(saying)
    )
    source.encode("utf-8")
    types = typescript.types(source)
    assert [each["name"] for each in types] == [f"X{number}" for number in range(len(texts))]
    for text, found in zip(texts, types, strict=True):
        assert found["tags"] == []
        assert words(found["text"]) == words(visible(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain.", "/** Plain. */"),
        ("two\nlines", "/**\n * two\n * lines\n */"),
        ("  spaced  ", "/** spaced */"),
        ("ends */ here", "/** ends *\\/ here */"),
        ("**/", "/** **\\/ */"),
        ("@deprecated", "/** \\@deprecated */"),
        ("see {@link x} and a@b.c @c", "/** see {\\@link x} and a@b.c \\@c */"),
        ("</SCRIPT>", "/** <\\/SCRIPT> */"),
        ("a\u202eb\x00\u2028\ud800\U000e0041", "/** a\\u202eb\\x00\\u2028\\ud800\\u{e0041} */"),
        ("back\\slash", "/** back\\slash */"),
        ("a\n\nb", "/**\n * a\n *\n * b\n */"),
        ("x" * 94, f"/**\n * {'x' * 94}\n */"),
        ("x" * 93, f"/** {'x' * 93} */"),
    ],
)
def test_how_comments_are_written(text: str, expected: str) -> None:
    assert comment(Documentation(text)) == expected


def test_tags_stand_below_the_description() -> None:
    said = Documentation("What.", ((code("default"), "a */ @b\nc"), (code("minimum"), "1")))
    assert (
        comment(said, 2)
        == "/**\n   * What.\n   *\n   * @default a *\\/ \\@b\\x0ac\n   * @minimum 1\n   */"
    )
    assert comment(Documentation("", said.tags[1:])) == "/** @minimum 1 */"


@pytest.mark.parametrize("text", ["", " ", "\n\t\n"])
def test_what_says_nothing(text: str) -> None:
    assert not Documentation(text)
    assert Documentation(text, ((code("minimum"), "1"),))


@given(st.lists(st.sampled_from(["a", "word", "longer-word"])), st.sampled_from([0, 2, 4]))
def test_lines_fit(many: list[str], indent: int) -> None:
    lines = (" " * indent + comment(Documentation(" ".join(many)), indent)).split("\n")
    assert max(map(len, lines)) <= LINE_LENGTH
