"""Properties that the class of a row does not declare, because a newer program wrote them.

An older program cannot show them, and must not take them away: it stores the text of such a row
beside it, and writes a changed one with them (:mod:`streamdb.state.unknown_kept`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.json_parts import (
    elements_of,
    is_array_like,
    is_map,
    is_set,
    members_by_name,
    unknown_names,
)


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A row, and the JSON text that it was read from if that holds more than the row shows."""

    row: Any
    original: bytes | None = None


def stored(row: Any) -> Stored | None:
    """Return a row, which may be a stored one, as a stored one; None for none."""
    return row if row is None or isinstance(row, Stored) else Stored(row)


def take_texts(rows: dict[str, Any]) -> dict[str, bytes]:
    """Take the texts of stored rows out of a dictionary, so that it holds plain rows alone.

    >>> rows = {"a": Stored("A", b"{}"), "b": "B"}
    >>> take_texts(rows), rows
    ({'a': b'{}'}, {'a': 'A', 'b': 'B'})
    """
    originals: dict[str, bytes] = {}
    for key, row in rows.items():
        if type(row) is Stored:
            rows[key] = row.row
            if row.original is not None:
                originals[key] = row.original
    return originals


def has_unknown(original: Any, value: object) -> bool:
    """Tell whether plain JSON has properties that the value made of it does not show.

    >>> class Note(msgspec.Struct):
    ...     text: str
    >>> has_unknown([{"text": "hi"}], [Note("hi")]), has_unknown([{"text": "", "n": 1}], [Note("")])
    (False, True)

    Raises:
        RecursionError: it is nested too deeply to tell.
    """
    if is_object(original):
        members = members_by_name(value)
        if members is None:
            return False
        return bool(unknown_names(original.keys(), value, members)) or any(
            has_unknown(item, members[name]) for name, item in original.items() if name in members
        )
    if is_array(original):
        if is_set(value):
            return _any_unknown(original, list(value))
        elements = elements_of(value)
        if elements is not None:
            return any(map(has_unknown, original, elements)) or (
                is_array_like(value) and len(original) > len(elements)
            )
    return False


def unknown_place(original: Any, value: object) -> tuple[list[str | int], list[str]]:
    """Return the way to a property that :func:`has_unknown` found, and what its class declares.

    Nothing of a typed dict, for a dict does not know its class. In a set, the way leads to the set,
    for nobody can tell the element.

    >>> class Note(msgspec.Struct):
    ...     text: str
    >>> unknown_place({"notes": [{"text": "", "n": 1}]}, {"notes": [Note("")]})
    (['notes', 0, 'n'], ['text'])
    """
    if is_object(original):
        members = members_by_name(value) or {}
        for name in unknown_names(original.keys(), value, members):
            return [name], [] if is_map(value) else list(members)
        pairs: Any = [(name, item, members[name]) for name, item in original.items()]
    else:
        elements = [] if is_set(value) else elements_of(value) or []
        pairs = [(step, *pair) for step, pair in enumerate(zip(original, elements, strict=False))]
    for step, item, member in pairs:
        if has_unknown(item, member):
            way, declared = unknown_place(item, member)
            return [step, *way], declared
    return [], []


def _any_unknown(originals: Sequence[Any], values: Sequence[object]) -> bool:
    """Tell of values that were made of these, in any order, what :func:`has_unknown` tells of one.

    What one of them shows counts as shown by all, so that this takes no longer than to see all.
    """
    if not any(is_object(original) or is_array(original) for original in originals):
        return False
    shown: defaultdict[str, list[object]] = defaultdict(list)
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for value in values:
        for name, item in (members_by_name(value) or {}).items():
            shown[name].append(item)
    for original in filter(is_object, originals):
        for name, item in original.items():
            found[name].append(item)
    if shown and not found.keys() <= shown.keys():
        return True
    arrays = [item for original in filter(is_array, originals) for item in original]
    if arrays:
        lists = [list(value) if is_set(value) else elements_of(value) or () for value in values]
        if _any_unknown(arrays, [item for elements in lists for item in elements]):
            return True
    return any(_any_unknown(items, shown[name]) for name, items in found.items() if name in shown)
