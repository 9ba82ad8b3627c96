"""Where the schemas of a spec stand, in which file, and which schemas stand inside another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.schema_keywords import HOLDING_A_LIST, HOLDING_A_SCHEMA, HOLDING_BY_NAME
from streamdb.types.faults import pointer_to

#: The spec itself among the paths of files.
SPEC = ""


class SchemaPlace(NamedTuple):
    """Where a schema stands: the path of the file, empty for the spec, and the pointer in it."""

    file: str
    pointer: str

    def inner(self, *steps: str | int) -> SchemaPlace:
        """Return a place inside this one."""
        return SchemaPlace(self.file, self.pointer + pointer_to(steps))


#: Called with a place, what is wrong there, and what to do.
Refuse = Callable[[SchemaPlace, str, str | None], NoReturn]


def subschemas(schema: Mapping[str, Any], place: SchemaPlace) -> Iterator[SchemaPlace]:
    """Yield the places of the schemas directly inside a schema."""
    for keyword, value in schema.items():
        if keyword in HOLDING_A_SCHEMA and may_be_schema(value):
            yield place.inner(keyword)
        elif keyword in HOLDING_A_LIST and is_array(value):
            for index, item in enumerate(value):
                if may_be_schema(item):
                    yield place.inner(keyword, index)
        elif keyword in HOLDING_BY_NAME and is_object(value):
            for name, item in value.items():
                if may_be_schema(item):
                    yield place.inner(keyword, name)


def may_be_schema(schema: Any) -> bool:
    """Return whether a validator would read a value as a schema."""
    return isinstance(schema, dict | bool)


def items_of(value: Any) -> list[Any]:
    """Return the items of an array; what stands in its place is the validator's to refuse."""
    return value if is_array(value) else []


def shown(text: str) -> str:
    """Quote what a spec says, in short.

    >>> shown("#/$defs/A")
    "'#/$defs/A'"
    """
    return repr(cut(text))


def cut(text: str) -> str:
    """Return the first hundred characters."""
    return text if len(text) <= 100 else text[:100] + "…"


def steps_of(pointer: str) -> list[str]:
    """Take a JSON Pointer apart.

    >>> steps_of("/a~1b/0")
    ['a/b', '0']
    """
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
