"""Names beyond ASCII in dataclasses and typed dicts, and tags, which msgspec would not find.

It compares names in UTF-8 (0.22), and for these takes the UTF-8 that Python keeps beside a text
once somebody asked for it. Before that, a property of such a name counts as undeclared, and is
dropped; a tag counts as another one, or as missing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, cast, get_args, get_type_hints, is_typeddict

import msgspec

from streamdb.types.extensible import record_of


def make_names_known(kind: Any) -> None:
    """Ask for the names in a type, and in all types that it is made of."""
    seen: set[int] = set()
    ahead = [kind]
    while ahead:
        kind = ahead.pop()
        if id(kind) in seen:
            continue
        seen.add(id(kind))
        record = record_of(kind)
        if record is not None:
            make_tag_known(record)
            ahead += [field.type for field in msgspec.structs.fields(record)]
        elif is_typeddict(kind):
            _ask_for(kind.__annotations__)
            ahead += get_type_hints(kind, include_extras=True).values()
        elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
            _ask_for(field.name for field in dataclasses.fields(cast("Any", kind)))
            ahead += get_type_hints(kind, include_extras=True).values()
        else:
            ahead += get_args(kind)


def make_tag_known(kind: type[msgspec.Struct]) -> None:
    """Ask for the name and the value of a struct's own tag."""
    config = kind.__struct_config__
    _ask_for(text for text in (config.tag_field, config.tag) if isinstance(text, str))


def _ask_for(names: Iterable[str]) -> None:
    for name in names:
        if not name.isascii():
            msgspec.json.encode(name)  # its UTF-8 stays with the text
