"""Regular expressions, wherever they stand in a spec: all of them are expressions of ECMA-262."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from streamdb_gen.json_source import Place
from streamdb_gen.lowering.resources import Resources
from streamdb_gen.lowering.wire_text import check_wire_text, has_surrogate
from streamdb_gen.pattern_parser import NotPortable
from streamdb_gen.portable_pattern import (
    javascript_fault,
    portable_pattern,
    word_boundary,
)
from streamdb_gen.reporting import Report
from streamdb_gen.validator_fault import is_pattern

# How the reasons begin that a text is no regular expression in Python either.
_MALFORMED: Final = "it is not a regular expression: "


def check_patterns(schemas: Iterable[Place], resources: Resources, report: Report) -> None:
    """Report each `pattern` and each key of `patternProperties` that is no regular expression."""
    for schema in schemas:
        if resources.ignores_siblings(schema):
            continue
        pattern, by_pattern = schema.get("pattern"), schema.get("patternProperties")
        if pattern is not None and isinstance(pattern.value, str):
            _check(pattern.value, pattern, report, at_key=False)
        for text, place in by_pattern.members() if by_pattern is not None else ():
            _check(text, place, report, at_key=True)


def _check(pattern: str, place: Place, report: Report, *, at_key: bool) -> None:
    if has_surrogate(pattern):
        check_wire_text(pattern, place, report, at_key=at_key)
        return
    fault, boundary = _fault(pattern), word_boundary(pattern)
    if fault is not None:
        where = f" (at character {fault.index + 1})" if fault.index else ""
        reason = fault.reason.removeprefix(_MALFORMED)
        message = f"this is not a regular expression{where}: {reason}"
        hint = "see ECMA-262, with the flag u"
        report.add("PATTERN_UNSUPPORTED", place, message, hint, at_key=at_key)
    elif boundary is not None:
        message = f"{boundary.reason} (at character {boundary.index + 1})"
        hint = "write `(?<![A-Za-z0-9_])` before a word, and `(?![A-Za-z0-9_])` behind it"
        report.add("PATTERN_UNSUPPORTED", place, message, hint, at_key=at_key)
    elif not is_pattern(pattern):
        message = "the validator takes no such regular expression, or none as large as this"
        hint = (
            "write fewer or smaller repetitions like `{1000}`, and no references to groups by name"
        )
        report.add("PATTERN_UNSUPPORTED", place, message, hint, at_key=at_key)


def _fault(pattern: str) -> NotPortable | None:
    """What is wrong with a pattern by the grammar, or what Python finds that agrees with it."""
    fault = javascript_fault(pattern)
    if fault is not None or is_pattern(pattern):
        return fault
    translated = portable_pattern(pattern)
    if isinstance(translated, NotPortable) and translated.reason.startswith(_MALFORMED):
        return translated
    return None
