"""The grammar of the formats, held to whatever else judges such texts, and to an end in time."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import idna
import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import Meta
from tests.format_examples import near_examples

from streamdb.formats import BASE64, DECIMAL, PYTHON_PATTERNS, is_valid, python_form
from streamdb.types.conversion import convert

ROOT: Final = Path(__file__).parents[2]
#: Far longer than it takes; an expression that went exponential would take years.
PATIENCE: Final = 60.0

#: What a generated model reads a format with a type of its own as.
PYTHON_TYPES: Final[dict[str, Any]] = {
    "date-time": Annotated[dt.datetime, Meta(tz=True)],
    "date": dt.date,
    "time": Annotated[dt.time, Meta(tz=True)],
    "uuid": uuid.UUID,
}


def test_no_text_takes_long() -> None:
    """In a process of its own, for nothing stops an expression that went exponential."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.runtime.format_exhaustion"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,  # the error holds the output: the last format named is the one
        check=False,
    )
    assert (run.stdout.split()[-1:], run.stderr) == (["done"], "")


class TestDatesAndTimes:
    @pytest.mark.parametrize("format", PYTHON_TYPES)
    @given(data=st.data())
    def test_what_is_of_the_format_decodes(self, format: str, data: st.DataObject) -> None:
        from_grammar = st.from_regex(PYTHON_PATTERNS[format], fullmatch=True)
        text = data.draw(from_grammar | near_examples(format))
        assume(is_valid(format, text))
        convert(text, PYTHON_TYPES[format])

    def test_a_date_is_what_the_calendar_has(self) -> None:
        for year in [*range(402), *range(1890, 2110), *range(9990, 10_000)]:
            for month in range(14):
                for day in range(33):
                    text = f"{year:04}-{month:02}-{day:02}"
                    assert is_valid("date", text) == _accepts(dt.date.fromisoformat, text)

    @given(st.datetimes(timezones=st.timezones()))
    def test_what_python_writes_is_of_the_format(self, instant: dt.datetime) -> None:
        # Offsets of the nineteenth century have seconds, which the format cannot say.
        offset = instant.utcoffset() or dt.timedelta()
        assume(offset % dt.timedelta(minutes=1) == dt.timedelta())
        assert is_valid("date-time", instant.isoformat())
        assert is_valid("date", instant.date().isoformat())
        fixed = instant.replace(tzinfo=dt.timezone(offset))
        assert is_valid("time", fixed.timetz().isoformat())

    @given(st.integers(0, 10**9 - 1) | st.integers(999_999_490, 999_999_510))
    def test_no_fraction_leads_out_of_the_calendar(self, nanoseconds: int) -> None:
        text = f"9999-12-31T23:59:59.{nanoseconds:09}Z"
        assert is_valid("date-time", text)
        last_second = dt.datetime(9999, 12, 31, 23, 59, 59, nanoseconds // 1000, dt.UTC)
        assert convert(text, dt.datetime) == last_second


class TestAddresses:
    @given(near_examples("ipv4") | st.ip_addresses(v=4).map(str))
    def test_ipv4(self, text: str) -> None:
        assert is_valid("ipv4", text) == _accepts(ipaddress.IPv4Address, text)

    @given(near_examples("ipv6") | st.ip_addresses(v=6).map(str))
    def test_ipv6(self, text: str) -> None:
        assert is_valid("ipv6", text) == _is_ipv6(text)

    def test_ipv6_with_zeros_left_out_anywhere(self) -> None:
        for count in range(10):
            for tail in ([], ["192.0.2.1"]):
                groups = ["1"] * count + tail
                for gap in range(len(groups) + 1):
                    text = ":".join(groups[:gap]) + "::" + ":".join(groups[gap:])
                    assert is_valid("ipv6", text) == _is_ipv6(text)
                assert is_valid("ipv6", ":".join(groups)) == _is_ipv6(":".join(groups))

    @given(st.uuids())
    def test_uuid(self, value: uuid.UUID) -> None:
        assert is_valid("uuid", str(value))
        assert is_valid("uuid", str(value).upper())


class TestHosts:
    @given(near_examples("idn-hostname"))
    def test_what_idna_2008_allows_is_allowed(self, text: str) -> None:
        assume(_is_idn(text))
        assert is_valid("idn-hostname", text)

    def test_each_character_that_idna_2008_allows_is_allowed(self) -> None:
        refused = [
            text
            for character in map(chr, [*range(0x80, 0xD800), *range(0xE000, 0x2_0000)])
            # By itself, or in the company that a rule of RFC 5892 asks for.
            for text in (character, f"l{character}l", f"\u05d0{character}", f"\u30a2{character}")
            if not is_valid("idn-hostname", text)
        ]
        assert [text for text in refused if _is_idn(text)] == []

    @given(near_examples("hostname"))
    def test_a_host_name_is_an_international_one(self, text: str) -> None:
        assert is_valid("hostname", text) <= is_valid("idn-hostname", text)

    @given(near_examples("hostname") | near_examples("idn-hostname"))
    def test_a_host_name_is_the_domain_of_a_mailbox(self, text: str) -> None:
        assume("@" not in text)
        assert is_valid("email", f"a@{text}") == is_valid("hostname", text)
        # Mailboxes have one kind of dot.
        assume(not re.search("[\u3002\uff0e\uff61]", text))
        assert is_valid("idn-email", f"\u5b9d@{text}") == is_valid("idn-hostname", text)

    @given(near_examples("email"))
    def test_a_mailbox_is_an_international_one(self, text: str) -> None:
        assert is_valid("email", text) <= is_valid("idn-email", text)


class TestReferences:
    @given(near_examples("uri") | near_examples("uri-reference"))
    def test_a_reference_is_what_each_of_its_parts_allows(self, text: str) -> None:
        scheme, is_reference = _judge_parts(text)
        assert is_valid("uri-reference", text) == is_reference
        assert is_valid("uri", text) == (is_reference and scheme is not None)

    @given(near_examples("iri") | near_examples("uri") | near_examples("iri-reference"))
    def test_a_uri_is_an_iri_in_ascii(self, text: str) -> None:
        assert is_valid("uri", text) == (is_valid("iri", text) and text.isascii())
        reference = is_valid("iri-reference", text)
        assert is_valid("uri-reference", text) == (reference and text.isascii())
        assert is_valid("iri", text) <= reference

    @given(near_examples("iri-reference"))
    def test_an_iri_percent_encoded_is_a_uri(self, text: str) -> None:
        assume(is_valid("iri-reference", text))
        encoded = "".join(c if c.isascii() else f"%{ord(c) % 256:02X}" for c in text)
        assert is_valid("uri-reference", encoded)

    @given(near_examples("iri-reference") | near_examples("uri-reference"))
    def test_a_reference_is_a_template_without_expressions(self, text: str) -> None:
        assert is_valid("iri-reference", text) <= is_valid("uri-template", text)


@given(near_examples("json-pointer"))
def test_a_json_pointer_has_tokens_with_escapes(text: str) -> None:
    first, *tokens = text.split("/")
    expected = not first and all("~" not in re.sub("~[01]", "", token) for token in tokens)
    assert is_valid("json-pointer", text) == expected
    assert is_valid("relative-json-pointer", f"0+0{text}") == (expected or text == "#")


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimal_numbers_have_no_exponent(value: Decimal) -> None:
    assert re.search(python_form(DECIMAL), f"{value:f}")


@pytest.mark.parametrize(
    "text", ["", "-", "+1", "01", "1.", ".5", "1e5", "NaN", "Infinity", "1_0", "1\n", "\u0661"]
)
def test_what_is_no_decimal_number(text: str) -> None:
    assert not re.search(python_form(DECIMAL), text)


@given(st.binary())
def test_bytes_are_base64(value: bytes) -> None:
    text = base64.b64encode(value).decode()
    assert re.search(python_form(BASE64), text)
    assert not re.search(python_form(BASE64), text + "\n")


@given(st.text("AQgw+/=-_\n ", max_size=9))
def test_base64_is_what_msgspec_decodes_and_writes_as_it_stands(text: str) -> None:
    def decode(text: str) -> None:
        if base64.b64encode(msgspec.convert(text, bytes)).decode() != text:
            raise ValueError("bits that stand for nothing are set")

    assert bool(re.search(python_form(BASE64), text)) == _accepts(decode, text)


@pytest.mark.parametrize("text", ["QR==", "QUF=", "Qf=="])
def test_bits_that_stand_for_nothing_are_zeros(text: str) -> None:
    assert not re.search(python_form(BASE64), text)


def _accepts(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except (ValueError, msgspec.ValidationError):
        return False
    return True


def _is_ipv6(text: str) -> bool:
    return "%" not in text and _accepts(ipaddress.IPv6Address, text)


def _is_idn(text: str) -> bool:
    """Whether IDNA2008 allows a host name; the dot of the root, which it also takes, is none."""
    return text[-1:] not in {".", "\u3002", "\uff0e", "\uff61"} and _accepts(idna.encode, text)


def _judge_parts(text: str) -> tuple[str | None, bool]:
    """The scheme of a reference, and whether each of its parts is as RFC 3986 says.

    The text is cut at its delimiters first, as appendix B does it.
    """
    cut = re.fullmatch(
        r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", text, re.DOTALL
    )
    assert cut is not None
    scheme, authority, path, query, fragment = cut.groups()
    first_segment, _, _ = path.partition("/")
    is_reference = (
        (scheme is None or re.fullmatch("[A-Za-z][A-Za-z0-9+.-]*", scheme) is not None)
        and (scheme is not None or authority is not None or ":" not in first_segment)
        and (authority is None or _is_authority(authority))
        and _consists_of(":@/", path)
        and _consists_of(":@/?", query or "")
        and _consists_of(":@/?", fragment or "")
    )
    return scheme, is_reference


def _is_authority(text: str) -> bool:
    userinfo, _, rest = text.rpartition("@")
    cut = re.fullmatch(r"(?:\[(.*)\]|([^:\[\]]*))(?::[0-9]*)?", rest, re.DOTALL)
    if cut is None:
        return False
    literal, name = cut.groups()
    future = re.compile("[Vv][0-9A-Fa-f]+[.](.+)", re.DOTALL)
    if literal is not None and (version := future.fullmatch(literal)):
        is_host = "%" not in literal and _consists_of(":", version[1])
    else:
        is_host = _consists_of("", name) if literal is None else _is_ipv6(literal)
    return is_host and _consists_of(":", userinfo)


def _consists_of(delimiters: str, text: str) -> bool:
    plain = re.sub("%[0-9A-Fa-f]{2}", "", text)
    return plain.isascii() and all(
        c.isalnum() or c in f"-._~!$&'()*+,;={delimiters}" for c in plain
    )
