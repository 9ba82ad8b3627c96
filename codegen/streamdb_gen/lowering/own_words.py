"""What users say about a part of a spec in their own words: its description and its name."""

from __future__ import annotations

from streamdb_gen.findings import shown
from streamdb_gen.json_source import Place
from streamdb_gen.naming import class_name, has_words, is_class_name, is_field_name
from streamdb_gen.reporting import Report


def text(place: Place, key: str) -> str | None:
    """The member of that name, if it is a string."""
    member = place.get(key)
    return member.value if member is not None and isinstance(member.value, str) else None


def description(place: Place) -> str | None:
    """What will be a docstring."""
    return text(place, "description")


def chosen_class_name(schema: Place, default: str, report: Report) -> str:
    """The class name that `x-streamdb-name` gives a schema, or the default."""
    chosen = schema.get("x-streamdb-name")
    if chosen is None or not isinstance(chosen.value, str) or chosen.value == default:
        return default
    if is_class_name(chosen.value):
        return chosen.value
    report_bad_name(chosen, class_name(chosen.value), report)
    return default


def chosen_attribute_name(
    place: Place, default: str, reserved: frozenset[str], report: Report
) -> str:
    """The name that `x-streamdb-name` gives a collection or an action, or the default."""
    chosen = place.get("x-streamdb-name")
    if chosen is None or not isinstance(chosen.value, str):
        return default
    if is_field_name(chosen.value, reserved):
        return chosen.value
    report_bad_name(chosen, default, report)
    return default


def check_has_words(wire_name: str, place: Place, made: str, report: Report) -> None:
    """Report a name that nobody can read, for nothing in the wire name can stand in Python."""
    if not has_words(wire_name) and place.get("x-streamdb-name") is None:
        message = f"{shown(wire_name)} has no letter or digit: in Python it is called {shown(made)}"
        hint = 'give it a name that can be read: "x-streamdb-name": "..."'
        report.add("NAME_UNREADABLE", place, message, hint, at_key=True)


def report_bad_name(chosen: Place, better: str, report: Report) -> None:
    """Report a chosen name that cannot be used, with one that can."""
    message = f"{shown(str(chosen.value))} cannot be the name here in Python"
    hint = f'for example "x-streamdb-name": "{better}"'
    report.add("NAME_INVALID", chosen, message, hint)
