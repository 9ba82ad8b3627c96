"""Properties that the class of a row does not declare, because a newer program wrote them.

An older program cannot show them, and must not take them away: what it writes back of a row that
it has changed holds them at every depth, as far as it is sure where they belong.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple, TypeGuard

import msgspec

from streamdb.protocol import json_text
from streamdb.protocol.brackets import array_elements, object_members
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.parsing import parse
from streamdb.types.faults import Misfit
from streamdb.types.members import members_of


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


class Written(NamedTuple):
    """A value, and the plain JSON that it is written as."""

    value: Any
    plain: Any


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
        members = _members(value)
        if members is None:
            return False
        return bool(_unknown_names(original.keys(), value, members)) or any(
            has_unknown(item, members[name]) for name, item in original.items() if name in members
        )
    if is_array(original):
        if _is_set(value):
            return _any_unknown(original, list(value))
        elements = _elements(value)
        if elements is not None:
            return any(map(has_unknown, original, elements)) or (
                _is_array_like(value) and len(original) > len(elements)
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
        members = _members(value) or {}
        for name in _unknown_names(original.keys(), value, members):
            return [name], [] if _is_map(value) else list(members)
        pairs: Any = [(name, item, members[name]) for name, item in original.items()]
    else:
        elements = [] if _is_set(value) else _elements(value) or []
        pairs = [(step, *pair) for step, pair in enumerate(zip(original, elements, strict=False))]
    for step, item, member in pairs:
        if has_unknown(item, member):
            way, declared = unknown_place(item, member)
            return [step, *way], declared
    return [], []


def with_unknown(after: Written, before: Written, original: bytes) -> bytes:
    """Write a changed value with what its class does not declare.

    What ``original`` holds beyond the value ``before``, which was read from it, is added to
    ``after``, in the very text that it has there: to an object that stands at the same place and is
    of the same class, and to an element of an array that is equal to one before, wherever it stands
    by now. An element that has changed could as well be another one, and is written as it is.

    Args:
        after: the changed value.
        before: the value that it was made of.
        original: the JSON text that this one was read from.

    Raises:
        Misfit: a set was changed that keeps elements, and one had more properties than it shows.
        RecursionError: it is nested too deeply.

    >>> class Note(msgspec.Struct):
    ...     text: str
    >>> with_unknown(
    ...     Written(Note("new"), {"text": "new"}),
    ...     Written(Note("old"), {"text": "old"}),
    ...     b'{"text": "old", "version": 1.20}',
    ... )
    b'{"text":"new","version":1.20}'
    """
    if is_object(after.plain) and is_object(before.plain):
        texts = object_members(original)
        if texts is not None:
            return _object_with_unknown(after, before, texts)
    if is_array(after.plain) and is_array(before.plain):
        elements = array_elements(original)
        if elements is not None and _is_set(before.value):
            return _set_with_unknown(after, before, original)
        if elements is not None:
            return _array_with_unknown(after, before, elements)
    return json_text.encode(after.plain)


def same_but_for_order(text: bytes, other: bytes) -> bool:
    """Tell whether two texts say the same but for the order in arrays, which sets do not keep.

    >>> same_but_for_order(b'{"a":[1,2]}', b'{"a":[2,1]}'), same_but_for_order(b"[1]", b"[2]")
    (True, False)
    """
    return text == other or _ordered(parse(text)) == _ordered(parse(other))


def _ordered(plain: Any) -> Any:
    if is_object(plain):
        return {name: _ordered(item) for name, item in plain.items()}
    if is_array(plain):
        return sorted(map(_ordered, plain), key=json.dumps)
    return plain


def _object_with_unknown(after: Written, before: Written, texts: Mapping[bytes, bytes]) -> bytes:
    members_after, members_before = _members(after.value), _members(before.value)
    if members_after is None or members_before is None:
        return json_text.encode(after.plain)
    originals = {str(parse(name)): text for name, text in texts.items()}
    merged: dict[str, bytes] = {}
    for name, plain in after.plain.items():
        if name in originals and name in before.plain:
            merged[name] = _inner_with_unknown(
                Written(members_after.get(name), plain),
                Written(members_before.get(name), before.plain[name]),
                originals[name],
            )
        else:
            merged[name] = json_text.encode(plain)
    for name in _unknown_names(originals.keys(), before.value, members_before):
        merged.setdefault(name, originals[name])
    members = (json_text.encode(name) + b":" + text for name, text in merged.items())
    return b"{" + b",".join(members) + b"}"


def _array_with_unknown(after: Written, before: Written, originals: Sequence[bytes]) -> bytes:
    if _is_array_like(before.value):
        return _array_like_with_unknown(after, before, originals)
    merged = [json_text.encode(plain) for plain in after.plain]
    if not (_is_list_of(before, len(originals)) and _is_list_of(after, len(merged))):
        return json_text.frame(merged)  # a class of the user's has left elements out
    for place, source in _same_elements(after.plain, before.plain, originals):
        merged[place] = _inner_with_unknown(
            Written(after.value[place], after.plain[place]),
            Written(before.value[source], before.plain[source]),
            originals[source],
        )
    return json_text.frame(merged)


def _array_like_with_unknown(after: Written, before: Written, originals: Sequence[bytes]) -> bytes:
    """Elements of a struct that stands for an array are where they are declared to be."""
    merged = [json_text.encode(plain) for plain in after.plain]
    elements_after, elements_before = _elements(after.value), _elements(before.value)
    if elements_after is None or elements_before is None:
        return json_text.frame(merged)
    for place, text in enumerate(originals[: len(merged)]):
        merged[place] = _inner_with_unknown(
            Written(elements_after[place], after.plain[place]),
            Written(elements_before[place], before.plain[place]),
            text,
        )
    return json_text.frame([*merged, *originals[len(merged) :]])


def _set_with_unknown(after: Written, before: Written, original: bytes) -> bytes:
    """Nobody can tell which element of a set was made of which text, but of all together."""
    if not has_unknown(parse(original), before.value):
        return json_text.encode(after.plain)
    if after.value == before.value:
        return original
    if not _is_set(after.value) or after.value.isdisjoint(before.value):
        return json_text.encode(after.plain)
    raise Misfit(
        "a set that was changed has elements with properties that a newer program wrote, which "
        "cannot be kept; upsert writes the row without them"
    )


def _same_elements(
    after: Sequence[Any], before: Sequence[Any], originals: Sequence[bytes]
) -> list[tuple[int, int]]:
    """Return where elements stand that were there before, and where each of them stood."""
    sources = _places(before)
    pairs: list[tuple[int, int]] = []
    for text, places in _places(after).items():
        stood = sources.get(text, [])
        if len(stood) != len(places):
            # Some of several equal ones are gone, or there are more: nobody can tell which.
            if len({originals[source] for source in stood}) != 1:
                continue
            stood = stood[:1] * len(places)
        pairs += zip(places, stood, strict=True)
    return pairs


def _inner_with_unknown(after: Written, before: Written, original: bytes) -> bytes:
    # Another class is another member of a union: what was unknown of the one is not of the other.
    is_same_kind = type(after.value) is type(before.value)
    return with_unknown(after, before, original) if is_same_kind else json_text.encode(after.plain)


def _any_unknown(originals: Sequence[Any], values: Sequence[object]) -> bool:
    """Tell of values that were made of these, in any order, what :func:`has_unknown` tells of one.

    What one of them shows counts as shown by all, so that this takes no longer than to see all.
    """
    if not any(is_object(original) or is_array(original) for original in originals):
        return False
    shown: defaultdict[str, list[object]] = defaultdict(list)
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for value in values:
        for name, item in (_members(value) or {}).items():
            shown[name].append(item)
    for original in filter(is_object, originals):
        for name, item in original.items():
            found[name].append(item)
    if shown and not found.keys() <= shown.keys():
        return True
    arrays = [item for original in filter(is_array, originals) for item in original]
    if arrays:
        lists = [list(value) if _is_set(value) else _elements(value) or () for value in values]
        if _any_unknown(arrays, [item for elements in lists for item in elements]):
            return True
    return any(_any_unknown(items, shown[name]) for name, items in found.items() if name in shown)


def _members(value: object) -> Mapping[str, Any] | None:
    members = members_of(value)
    if members is None and _is_map(value):
        return {_wire_name(name): item for name, item in value.items()}
    return members


def _unknown_names(names: Set[str], value: object, members: Mapping[str, Any]) -> list[str]:
    if _is_map(value) and not all(isinstance(name, str) for name in value):
        return []  # a map whose keys may have been spelt otherwise
    return [name for name in names if name not in members]


def _wire_name(name: object) -> str:
    if isinstance(name, str):
        return name
    return str(next(iter(msgspec.to_builtins({name: None}, str_keys=True))))


def _places(elements: Sequence[Any]) -> Mapping[str, list[int]]:
    """Return where each plain element stands in a sequence, by a text that only equals share."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, element in enumerate(elements):
        places[json.dumps(element, sort_keys=True)].append(place)
    return places


def _is_list_of(written: Written, length: int) -> bool:
    value = written.value
    return _is_sequence(value) and len(value) == len(written.plain) == length


def _elements(value: object) -> Sequence[Any] | None:
    """What stands for the elements of an array; the tag of a struct is one of them."""
    if _is_array_like(value):
        return list((_members(value) or {}).values())
    return value if _is_sequence(value) else None


def _is_array_like(value: object) -> bool:
    return isinstance(value, msgspec.Struct) and value.__struct_config__.array_like


def _is_set(value: object) -> TypeGuard[Set[Any]]:
    return isinstance(value, set | frozenset)


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _is_map(value: object) -> TypeGuard[Mapping[object, Any]]:
    return isinstance(value, Mapping)
