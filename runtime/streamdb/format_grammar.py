r"""The grammar behind :mod:`streamdb.formats`: each production of an RFC as a regular expression.

The names are those of the ABNF. An expression has to mean the same in ECMA-262 with the flag ``u``
and in Python, so there are only classes of spelt-out characters, groups without names and
look-ahead: ``\d``, ``\w``, ``\s``, ``\b`` and ``.`` differ, ``$`` before the end is avoided, and
what both languages cannot escape alike (code points above U+FFFF) stands as the character itself.

No text takes long, whatever it holds: of two ways to go on, the next characters decide, and where
they do not, the number of repetitions is bounded. So a run of characters with escapes between is
``[c]*(?:%HH[c]*)*`` (`_runs`) and never ``(?:[c]+|%HH)*``, of which there are exponentially many
readings.
"""

from typing import Final


def _runs(characters: str, escape: str) -> str:
    """Any number of characters of a class, and of escapes, in any order."""
    return f"[{characters}]*(?:{escape}[{characters}]*)*"


# Dates and times: RFC 3339, section 5.6. The days of the months are part of the grammar (5.7); the
# year 0000 and leap seconds, which Python cannot hold, are not.

LEAP_YEAR: Final = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
FULL_DATE: Final = (
    "(?!0000)(?:"
    "[0-9]{4}-(?:"
    "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8])"
    f")|{LEAP_YEAR}-02-29)"
)
HOUR_MINUTE: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
FULL_TIME: Final = rf"{HOUR_MINUTE}:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-]{HOUR_MINUTE})"
DATE_TIME: Final = f"{FULL_DATE}[Tt]{FULL_TIME}"

# Durations: RFC 3339, appendix A. A unit is left out at the ends only: PT1H0M5S, not PT1H5S.

DUR_TIME: Final = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
DUR_DATE: Final = "(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)"
DURATION: Final = f"P(?:{DUR_DATE}(?:{DUR_TIME})?|{DUR_TIME}|[0-9]+W)"

# Addresses: RFC 3986, section 3.2.2, which has the text forms of RFC 4291 as a grammar.

DEC_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
IPV4_ADDRESS: Final = rf"{DEC_OCTET}(?:\.{DEC_OCTET}){{3}}"
H16: Final = "[0-9A-Fa-f]{1,4}"
LS32: Final = f"(?:{H16}:{H16}|{IPV4_ADDRESS})"
IPV6_ADDRESS: Final = (
    "(?:"
    f"(?:{H16}:){{6}}{LS32}"
    f"|::(?:{H16}:){{5}}{LS32}"
    f"|(?:{H16})?::(?:{H16}:){{4}}{LS32}"
    f"|(?:(?:{H16}:){{0,1}}{H16})?::(?:{H16}:){{3}}{LS32}"
    f"|(?:(?:{H16}:){{0,2}}{H16})?::(?:{H16}:){{2}}{LS32}"
    f"|(?:(?:{H16}:){{0,3}}{H16})?::{H16}:{LS32}"
    f"|(?:(?:{H16}:){{0,4}}{H16})?::{LS32}"
    f"|(?:(?:{H16}:){{0,5}}{H16})?::{H16}"
    f"|(?:(?:{H16}:){{0,6}}{H16})?::"
    ")"
)

# Host names: RFC 1123, section 2.1. A label that starts with xn-- stands for a label of another
# script; whether its Punycode can be read is not checked, but that it is there: the shortest code
# has three digits.

LET_DIG: Final = "[A-Za-z0-9]"
LDH: Final = "[A-Za-z0-9-]"
A_LABEL_TOO_SHORT: Final = f"[Xx][Nn]--{LDH}{{0,2}}(?!{LDH})"
LABEL: Final = f"(?!{A_LABEL_TOO_SHORT}){LET_DIG}(?:{LDH}{{0,61}}{LET_DIG})?"
HOSTNAME: Final = rf"(?![A-Za-z0-9.-]{{254}}){LABEL}(?:\.{LABEL})*"

# Host names with labels of any script (U-labels): RFC 5890 to 5892.
#
# Which characters a label may hold depends on tables of Unicode that no expression should carry.
# Refused here are the blocks and the single characters that are letters in no script, and what
# appendix A of RFC 5892 asks of the neighbours of some. Whatever IDNA2008 allows is allowed.

SEPARATORS: Final = r".\u3002\uFF0E\uFF61"  # RFC 3490, section 3.1
NO_LETTERS: Final = (
    r"\u0000-,/:-@\[-`{-\u00B6\u00B8-\u00BF\u00D7\u00F7"  # of ASCII and Latin-1
    r"\u2000-\u200B\u200E-\u206F\u20A0-\u214D\u2150-\u2182\u2190-\u2BFF"  # punctuation, symbols
    r"\u2E00-\u2E2E\u2E30-\u3001\u3003\u3004\u3008-\u3029\u302E-\u303B\u303D-\u3040"  # and of CJK
    r"\u3200-\u33FF\u4DC0-\u4DFF\uA490-\uA4CF"  # enclosed letters, hexagrams, Yi radicals
    r"\u0640\u07FA"  # they stretch a line: RFC 5892, section 2.6
    r"\uD7B0-\uF8FF\uFB1F-\uFE1F\uFE30-\uFE72"  # surrogates, private use, presentation forms
    r"\uFE74-\uFF0D\uFF0F-\uFF60\uFF62-\uFFFF"
    "\U0001cf50-\U0001d24f\U0001d300-\U0001d7ff\U0001f000-\U0001ffff"  # notations, emoji
    "\U000e0000-\U0010ffff"  # tags, private use
)
# The blocks that hold nothing but marks, which combine with what stands before them.
MARKS: Final = r"\u0300-\u036F\u0483-\u0489\u1AB0-\u1AFF\u1DC0-\u1DFF\uFE20-\uFE2F"
JOINERS: Final = r"\u200C\u200D"
# Scripts whose letters neither join nor have a virama.
SEPARATE_LETTERS: Final = r"\u0000-\u02FF\u0370-\u0482\u048A-\u058F"
GREEK: Final = r"\u0370-\u03FF\u1F00-\u1FFF"
HEBREW: Final = r"\u0591-\u05F4"
KANA_OR_HAN: Final = (
    r"\u3005-\u3007\u3041-\u3096\u309D-\u309F\u30A1-\u30FA\u30FC-\u30FF\u31F0-\u31FF"
    "\\u3400-\\u4DBF\\u4E00-\\u9FFF\\uF900-\\uFAFF\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
_AHEAD: Final = "[^@]*"
_IN_LABEL: Final = f"[^{SEPARATORS}]*"
FORBIDDEN_IN_IDN: Final = "|".join(
    [
        "[^@]{254}",
        f"{_AHEAD}[{NO_LETTERS}]",
        # A.1, A.2: joiners, where nothing can join.
        f"{_AHEAD}[{SEPARATE_LETTERS}][{JOINERS}]",
        # A.3: a middle dot that is not between two l.
        rf"(?:{_AHEAD}[^l])?\u00B7|{_AHEAD}\u00B7(?!l)",
        # A.4: the Greek numeral sign, not before Greek.
        rf"{_AHEAD}\u0375(?![{GREEK}])",
        # A.5, A.6: geresh and gershayim, not after Hebrew.
        rf"(?:{_AHEAD}[^{HEBREW}])?[\u05F3\u05F4]",
        # A.7: the middle dot of Katakana in a label without Hiragana, Katakana or Han.
        rf"(?:{_AHEAD}[{SEPARATORS}])?(?={_IN_LABEL}\u30FB)(?!{_IN_LABEL}[{KANA_OR_HAN}])",
        # A.8, A.9: Arabic-Indic digits of both kinds in one label.
        rf"{_AHEAD}[\u0660-\u0669]{_IN_LABEL}[\u06F0-\u06F9]",
        rf"{_AHEAD}[\u06F0-\u06F9]{_IN_LABEL}[\u0660-\u0669]",
    ]
)
# RFC 5891, section 4.2.3. The code of a label is no shorter than the label, and has xn-- before it.
# A label without a character beyond ASCII is none of these, so that each text has one reading.
U_LABEL: Final = (
    rf"(?={LDH}*[^{SEPARATORS}\u0000-\u007F])(?![^{SEPARATORS}]{{2}}--|[{MARKS}{JOINERS}])"
    f"[^{SEPARATORS}-](?:[^{SEPARATORS}]{{0,57}}[^{SEPARATORS}-])?"
)
IDN_LABEL: Final = f"(?:{LABEL}|{U_LABEL})"


def _idn(separators: str) -> str:
    return f"(?!{FORBIDDEN_IN_IDN}){IDN_LABEL}(?:[{separators}]{IDN_LABEL})*"


IDN_HOSTNAME: Final = _idn(SEPARATORS)

# Mailboxes: RFC 5321, section 4.1.2, and with other scripts RFC 6531, section 3.3. Of the address
# literals those that have a registered form: IPv4 and IPv6.

ATEXT: Final = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~-"
QTEXT: Final = r" !#-\[\]-~"
QUOTED_PAIR: Final = r"\\[ -~]"
SNUM: Final = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})"
ADDRESS_LITERAL: Final = rf"\[(?:{SNUM}(?:\.{SNUM}){{3}}|[Ii][Pp][Vv]6:{IPV6_ADDRESS})\]"
UTF8_NON_ASCII: Final = "\\u0080-\\uD7FF\\uE000-\U0010ffff"


def _mailbox(letters: str, domain: str) -> str:
    """A mailbox; ``letters`` are allowed in the local part beyond ASCII."""
    dot_string = rf"[{letters}{ATEXT}]+(?:\.[{letters}{ATEXT}]+)*"
    quoted_string = f'"{_runs(letters + QTEXT, QUOTED_PAIR)}"'
    return f"(?:{dot_string}|{quoted_string})@(?:{domain}|{ADDRESS_LITERAL})"


EMAIL: Final = _mailbox("", HOSTNAME)
IDN_EMAIL: Final = _mailbox(UTF8_NON_ASCII, _idn("."))

# References: RFC 3986, appendix A, and RFC 3987, section 2.2. What the grammar says of the slashes
# of a path, kind by kind, is said by look-ahead: a path never starts with two, and the first
# segment of a relative one has no colon. Whether a host is an IPv4 address is left out, for any
# such text is a name (reg-name) too.

UNRESERVED: Final = "A-Za-z0-9._~-"
SUB_DELIMS: Final = "!$&'()*+,;="
PCT_ENCODED: Final = "%[0-9A-Fa-f]{2}"
UCSCHAR: Final = (
    r"\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF"
    + "".join(
        f"{chr(plane)}-{chr(plane + 0xFFFD)}" for plane in range(0x1_0000, 0xE_0000, 0x1_0000)
    )
    + "\U000e1000-\U000efffd"
)
IPRIVATE: Final = "\\uE000-\\uF8FF\U000f0000-\U000ffffd\U00100000-\U0010fffd"
SCHEME: Final = "[A-Za-z][A-Za-z0-9+.-]*"
IP_FUTURE: Final = rf"[Vv][0-9A-Fa-f]+\.[:{SUB_DELIMS}{UNRESERVED}]+"


def _reference(start: str, letters: str = "", private: str = "") -> str:
    """What follows ``start``; ``letters``, and in queries ``private``, are allowed beyond ASCII."""
    name = f"{letters}{SUB_DELIMS}{UNRESERVED}"
    host = rf"(?:\[(?:{IPV6_ADDRESS}|{IP_FUTURE})\]|{_runs(name, PCT_ENCODED)})"
    authority = f"(?:{_runs(':' + name, PCT_ENCODED)}@)?{host}(?::[0-9]*)?"
    path = _runs(f"/:@{name}", PCT_ENCODED)
    query = _runs(f"/?:@{private}{name}", PCT_ENCODED)
    fragment = _runs(f"/?:@{name}", PCT_ENCODED)
    hierarchy = f"(?://{authority}(?:/{path})?|(?!//){path})"
    return rf"{start}{hierarchy}(?:\?{query})?(?:#{fragment})?"


ABSOLUTE: Final = f"{SCHEME}:"
ABSOLUTE_OR_RELATIVE: Final = f"(?:{SCHEME}:|(?![^/?#]*:))"

URI: Final = _reference(ABSOLUTE)
URI_REFERENCE: Final = _reference(ABSOLUTE_OR_RELATIVE)
IRI: Final = _reference(ABSOLUTE, UCSCHAR, IPRIVATE)
IRI_REFERENCE: Final = _reference(ABSOLUTE_OR_RELATIVE, UCSCHAR, IPRIVATE)

# Templates of URIs: RFC 6570, section 2, with its erratum 6937 (the apostrophe is a literal).

LITERALS: Final = rf"!#$&-;=?-\[\]_a-z~{UCSCHAR}{IPRIVATE}"
VARCHAR: Final = f"(?:[A-Za-z0-9_]|{PCT_ENCODED})"
VARSPEC: Final = rf"{VARCHAR}(?:\.?{VARCHAR})*(?::[1-9][0-9]{{0,3}}|\*)?"
EXPRESSION: Final = rf"\{{[+#./;?&=,!@|]?{VARSPEC}(?:,{VARSPEC})*\}}"
URI_TEMPLATE: Final = _runs(LITERALS, f"(?:{PCT_ENCODED}|{EXPRESSION})")

# Pointers into JSON: RFC 6901, section 3, and draft-bhutton-relative-json-pointer-00. The draft's
# own example "0-1#" is beyond its grammar; it is allowed.

JSON_POINTER: Final = f"(?:/{_runs('^~', '~[01]')})?"
NON_NEGATIVE_INTEGER: Final = "(?:0|[1-9][0-9]*)"
RELATIVE_JSON_POINTER: Final = (
    f"{NON_NEGATIVE_INTEGER}(?:[+-]{NON_NEGATIVE_INTEGER})?(?:#|{JSON_POINTER})"
)

UUID: Final = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"  # RFC 4122, section 3

DECIMAL: Final = rf"-?{NON_NEGATIVE_INTEGER}(?:\.[0-9]+)?"
# RFC 4648, section 4, padded. The bits of the last character that stand for nothing are zeros, as
# section 3.5 asks for: each sequence of bytes has one text.
BASE64: Final = (
    "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?"
)
