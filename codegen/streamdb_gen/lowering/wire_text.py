"""Text that stands in events beside the data, and what it cannot hold."""

from __future__ import annotations

import re
from typing import Final

from streamdb_gen.findings import shown
from streamdb_gen.json_source import Place
from streamdb_gen.reporting import Report

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# A name is written into the text of an event as it is, so it cannot hold what JSON escapes.
_ESCAPED_IN_JSON: Final = re.compile(r'["\\\x00-\x1f]')


def check_wire_text(text: str, place: Place, report: Report, *, at_key: bool = False) -> None:
    """Report names and tags that hold half of a surrogate pair, which has no UTF-8."""
    if has_surrogate(text):
        message = "half of a surrogate pair cannot be sent as UTF-8, so no event can match this"
        hint = r"write the whole pair (\ud83d\ude00), or another character"
        report.add("LONE_SURROGATE", place, message, hint, at_key=at_key)


def has_surrogate(text: str) -> bool:
    """Whether a text holds half of a surrogate pair."""
    return _SURROGATE.search(text) is not None


def check_field_name(wire_name: str, place: Place, report: Report) -> None:
    """Report a property whose name no field can have: in UTF-8, or in msgspec."""
    check_wire_text(wire_name, place, report, at_key=True)
    if found := _ESCAPED_IN_JSON.search(wire_name):
        message = f"no field can be called {shown(wire_name)}: it holds {_spelt(found.group())}"
        hint = "a name without quotes, backslashes and control characters"
        report.add("PROPERTY_NAME_UNSUPPORTED", place, message, hint, at_key=True)


def _spelt(character: str) -> str:
    named = {'"': "a quote", "\\": "a backslash"}
    return named.get(character) or f"the control character U+{ord(character):04X}"
