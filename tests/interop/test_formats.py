"""JavaScript judges texts by the expressions of `streamdb.formats` as Python does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.format_examples import INVALID, VALID, exhausting, near_examples
from tests.interop.node import FOLDER, Node
from tests.interop.processes import Peer, running

from streamdb.formats import BASE64, DECIMAL, PATTERNS, is_valid, python_form


@pytest.fixture(scope="module")
def judge(node: Node) -> Iterator[Peer]:
    with running([node.node, FOLDER / "peers" / "formats.mjs"]) as process:
        peer = Peer(process)
        peer.ask("learn", patterns={**PATTERNS, "Decimal": DECIMAL, "bytes": BASE64})
        yield peer


@pytest.mark.parametrize("format", PATTERNS)
def test_examples(judge: Peer, format: str) -> None:
    assert_same_verdicts(judge, format, [*VALID[format], *INVALID[format]])


@pytest.mark.parametrize("format", PATTERNS)
@settings(deadline=None)  # the process is asked
@given(data=st.data())
def test_what_is_like_the_examples(judge: Peer, format: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(near_examples(format), min_size=1, max_size=10))
    assert_same_verdicts(judge, format, texts)


@pytest.mark.parametrize(("name", "pattern"), [("Decimal", DECIMAL), ("bytes", BASE64)])
@settings(deadline=None)
@given(texts=st.lists(st.text("01.-eAQ+/=\n\u0661", max_size=8), max_size=10))
def test_decimal_numbers_and_bytes(judge: Peer, name: str, pattern: str, texts: list[str]) -> None:
    expected = [re.search(python_form(pattern), text) is not None for text in texts]
    assert judge.ask("judge", format=name, texts=texts) == expected


@pytest.mark.parametrize("format", PATTERNS)
def test_no_text_takes_long(judge: Peer, format: str) -> None:
    """The process is given up when it takes more than a minute."""
    assert_same_verdicts(judge, format, list(exhausting(format)))


def assert_same_verdicts(judge: Peer, format: str, texts: list[str]) -> None:
    verdicts = judge.ask("judge", format=format, texts=texts)
    assert dict(zip(texts, verdicts, strict=True)) == {
        text: is_valid(format, text) for text in texts
    }
