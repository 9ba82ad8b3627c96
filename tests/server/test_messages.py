"""Splitting JSON bodies: the same judgement as the standard library, and nothing re-spelled."""

import json
from typing import NoReturn

from hypothesis import example, given
from hypothesis import strategies as st

from streamdb_server.messages import InvalidContent, as_array, flatten

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
SPACE = st.text(" \t\r\n", max_size=2)
# Texts that are JSON, nearly JSON, or not at all.
NEARLY = st.text('[]{},:"\\u d80abf019.-+eEtrnNlI\n', max_size=24)


def refuse(name: str) -> NoReturn:
    raise ValueError(name)


def strictly(text: str) -> object:
    return json.loads(text, parse_constant=refuse)


@given(VALUES, SPACE, SPACE, st.booleans())
def test_what_was_sent_is_read_json_1_3_6(
    value: object, before: str, after: str, ascii_only: bool
) -> None:
    body = before + json.dumps(value, ensure_ascii=ascii_only) + after
    stored = flatten(body.encode("utf-8", "surrogatepass"))
    assert isinstance(stored, bytes)
    read = strictly(as_array([stored] if stored else []).decode())
    assert read == (value if isinstance(value, list) else [value])


@given(NEARLY)
@example("[01]")
@example('["\\ud800"]')
@example('["\\udc00\\ud800", NaN]')
@example('["\\ud800",]')
@example('["\\ud800" 1]')
@example('["\\ud800"')
@example('"\\ud800" x')
@example("[-Infinity]")
@example("")
def test_valid_exactly_if_the_standard_library_says_so_json_2(text: str) -> None:
    try:
        value = strictly(text)
    except ValueError:
        assert isinstance(flatten(text.encode()), InvalidContent)
    else:
        stored = flatten(text.encode())
        assert isinstance(stored, bytes)
        assert strictly(as_array([stored]).decode()) == (
            value if isinstance(value, list) else [value]
        )


def test_spelling_is_kept_json_10() -> None:
    odd = b'{ "a" : 1.0e+2 , "b":12345678901234567890, "c":"\\u0041\\ud800" }'
    assert flatten(b"[" + odd + b" , " + odd + b"]") == odd + b"," + odd


def test_numbers_of_any_length_trap_5() -> None:
    long = b"1" * 10_000
    assert flatten(b'["\\ud800",' + long + b"]") == b'"\\ud800",' + long
