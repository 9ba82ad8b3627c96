r"""The formats of JSON Schema that are checked, each of them one regular expression.

>>> is_valid("email", "maria@example.com")
True
>>> is_valid("date", "2023-02-29")
False

Generated models name the formats by the types of this module: ``contact: formats.Email`` is a
``str`` to type checkers, and msgspec refuses whatever is no mailbox.

:data:`PATTERNS` serves every language: JavaScript takes an expression as it is, with the flag
``u``, and Python as :func:`python_form` writes it. They are as exact as a regular expression can
be, after the RFCs that JSON Schema names. What they leave out:

``date-time``, ``date``, ``time``
    Only what Python can hold: the years 0001 to 9999, and no leap second. So whatever passes here
    also decodes as ``datetime``, ``date`` or ``time``, without what is finer than microseconds.
``hostname``, ``email``
    Whether the Punycode of a label that starts with ``xn--`` can be read.
``idn-hostname``, ``idn-email``, ``iri``, ``iri-reference``
    What takes the tables of Unicode. In references, the rules for text from right to left. In host
    names, whatever IDNA2008 allows passes, and of what it does not allow, this does too: text that
    is not in normal form or lower case; code points of a block of letters that are none, or not
    assigned; such a block's marks at the start of a label; joiners between letters that do not
    join; text from right to left against RFC 5893; labels that are too long in Punycode alone.
``email``, ``idn-email``
    Lengths other than those of host names. Of address literals only IPv4 and IPv6 are known.
``regex``
    It is no format of this module: what is a regular expression cannot be said by one.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from msgspec import Meta

from streamdb import format_grammar as grammar


def is_valid(format: str, text: str) -> bool:
    """Tell whether a text is of a format.

    >>> is_valid("ipv4", "127.0.0.1"), is_valid("ipv4", "127.0.0.01")
    (True, False)

    Raises:
        ValueError: the format is none of :data:`PATTERNS`.
    """
    pattern = PYTHON_PATTERNS.get(format)
    if pattern is None:
        raise ValueError(f"{format!r} is no format that is checked: {', '.join(PATTERNS)}")
    return re.search(pattern, text) is not None


def python_form(pattern: str) -> str:
    r"""Write an expression of this module for Python, where ``$`` also matches before a newline.

    >>> python_form(DECIMAL)
    '^-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?\\Z'
    """
    return pattern.removesuffix("$") + r"\Z"


def in_words(message: str) -> str:
    """Name the formats in a message of msgspec, which quotes their expressions.

    >>> in_words(f"Expected `str` matching regex {PYTHON_PATTERNS['ipv6']!r} - at `$.address`")
    'Expected `str` of the format ipv6 - at `$.address`'
    """
    for name, pattern in PYTHON_PATTERNS.items():
        message = message.replace(f"matching regex {pattern!r}", f"of the format {name}")
    return message


PATTERNS: Final[Mapping[str, str]] = {
    name: f"^{production}$"
    for name, production in {
        "date-time": grammar.DATE_TIME,
        "date": grammar.FULL_DATE,
        "time": grammar.FULL_TIME,
        "duration": grammar.DURATION,
        "email": grammar.EMAIL,
        "idn-email": grammar.IDN_EMAIL,
        "hostname": grammar.HOSTNAME,
        "idn-hostname": grammar.IDN_HOSTNAME,
        "ipv4": grammar.IPV4_ADDRESS,
        "ipv6": grammar.IPV6_ADDRESS,
        "uri": grammar.URI,
        "uri-reference": grammar.URI_REFERENCE,
        "iri": grammar.IRI,
        "iri-reference": grammar.IRI_REFERENCE,
        "uuid": grammar.UUID,
        "uri-template": grammar.URI_TEMPLATE,
        "json-pointer": grammar.JSON_POINTER,
        "relative-json-pointer": grammar.RELATIVE_JSON_POINTER,
    }.items()
}
"""The expression of each format, for ``new RegExp(pattern, "u")``."""

DECIMAL: Final = f"^{grammar.DECIMAL}$"
"""A decimal number as text, in the form of :data:`PATTERNS`."""

BASE64: Final = f"^{grammar.BASE64}$"
"""Bytes as text, in the form of :data:`PATTERNS`."""

PYTHON_PATTERNS: Final[Mapping[str, str]] = {
    name: python_form(pattern) for name, pattern in PATTERNS.items()
}
"""The expression of each format, for Python's :func:`re.search`."""

ALIASES: Final[Mapping[str, str]] = {
    "date-time": "DateTimeText",
    "date": "DateText",
    "time": "TimeText",
    "duration": "Duration",
    "email": "Email",
    "idn-email": "IdnEmail",
    "hostname": "Hostname",
    "idn-hostname": "IdnHostname",
    "ipv4": "Ipv4",
    "ipv6": "Ipv6",
    "uri": "Uri",
    "uri-reference": "UriReference",
    "iri": "Iri",
    "iri-reference": "IriReference",
    "uuid": "UuidText",
    "uri-template": "UriTemplate",
    "json-pointer": "JsonPointer",
    "relative-json-pointer": "RelativeJsonPointer",
}
"""The type of each format in this module. ``Text`` marks those that Python has a type for."""

if TYPE_CHECKING:
    DateTimeText: TypeAlias = str
    DateText: TypeAlias = str
    TimeText: TypeAlias = str
    Duration: TypeAlias = str
    Email: TypeAlias = str
    IdnEmail: TypeAlias = str
    Hostname: TypeAlias = str
    IdnHostname: TypeAlias = str
    Ipv4: TypeAlias = str
    Ipv6: TypeAlias = str
    Uri: TypeAlias = str
    UriReference: TypeAlias = str
    Iri: TypeAlias = str
    IriReference: TypeAlias = str
    UuidText: TypeAlias = str
    UriTemplate: TypeAlias = str
    JsonPointer: TypeAlias = str
    RelativeJsonPointer: TypeAlias = str
else:

    def __getattr__(name: str) -> Any:
        """Make a type when it is first asked for: to compile them all takes long."""
        for format_, alias in ALIASES.items():
            if alias == name:
                pattern = PYTHON_PATTERNS[format_]
                type_ = Annotated[str, Meta(pattern=pattern), _ForPydantic(format_)]
                return globals().setdefault(name, type_)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _ForPydantic:
    """Says to pydantic what ``Meta`` says to msgspec."""

    def __init__(self, format: str) -> None:
        self._format: Final = format
        self._search: Final = re.compile(PYTHON_PATTERNS[format]).search

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema  # which is there if pydantic asks

        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, text: str) -> str:
        if self._search(text) is None:
            raise ValueError(f"must be text of the format {self._format}")
        return text
