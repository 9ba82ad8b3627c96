"""Writing a changed value with the properties that a newer program wrote beyond its class.

They are kept at every depth, as far as it is sure where they belong.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from streamdb.protocol import json_text
from streamdb.protocol.brackets import array_elements, object_members
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.json_parts import (
    elements_of,
    is_array_like,
    is_sequence,
    is_set,
    members_by_name,
    unknown_names,
)
from streamdb.state.parsing import parse
from streamdb.state.unknown_fields import has_unknown
from streamdb.types.faults import Misfit


class Written(NamedTuple):
    """A value, and the plain JSON that it is written as."""

    value: Any
    plain: Any


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

    >>> from msgspec import Struct
    >>> class Note(Struct):
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
        if elements is not None and is_set(before.value):
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
    members_after, members_before = members_by_name(after.value), members_by_name(before.value)
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
    for name in unknown_names(originals.keys(), before.value, members_before):
        merged.setdefault(name, originals[name])
    members = (json_text.encode(name) + b":" + text for name, text in merged.items())
    return b"{" + b",".join(members) + b"}"


def _array_with_unknown(after: Written, before: Written, originals: Sequence[bytes]) -> bytes:
    if is_array_like(before.value):
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
    elements_after, elements_before = elements_of(after.value), elements_of(before.value)
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
    if not is_set(after.value) or after.value.isdisjoint(before.value):
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


def _places(elements: Sequence[Any]) -> Mapping[str, list[int]]:
    """Return where each plain element stands in a sequence, by a text that only equals share."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, element in enumerate(elements):
        places[json.dumps(element, sort_keys=True)].append(place)
    return places


def _is_list_of(written: Written, length: int) -> bool:
    value = written.value
    return is_sequence(value) and len(value) == len(written.plain) == length
