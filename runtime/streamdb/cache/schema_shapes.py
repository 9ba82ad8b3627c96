"""What a JSON Schema asks for, without descriptions and names of definitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.schema_keywords import (
    ANNOTATIONS,
    HOLDING_A_LIST,
    HOLDING_A_SCHEMA,
    HOLDING_BY_NAME,
)

# Names may be referred to, and a class may fill in what is a default.
_SAYS_NOTHING: Final = (ANNOTATIONS - {"$anchor", "$id", "default"}) | {"x-streamdb-name"}


def shape_of_schema(document: Any, pointer: str) -> str:
    """Write down what the schema at a JSON Pointer asks for, and those that it refers to.

    >>> document = {"$defs": {"A": {"type": "string", "title": "An A"}}, "a": {"$ref": "#/$defs/A"}}
    >>> shape_of_schema(document, "/a")
    "[{'$ref': 1}, {'type': 'string'}]"
    """
    shapes = _Shapes(document)
    shapes.number_of(f"#{pointer}")
    return ascii(list(shapes.gathered()))


class _Shapes:
    """Numbers the schemas of a document by the order in which they are first referred to."""

    def __init__(self, document: Any) -> None:
        self._document: Final = document
        self._numbers: dict[str, int] = {}

    def number_of(self, reference: str) -> int:
        return self._numbers.setdefault(reference, len(self._numbers))

    def gathered(self) -> Iterator[Any]:
        done = 0
        while done < len(self._numbers):
            reference = list(self._numbers)[done]
            yield self._shape(self._find(reference))
            done += 1

    def _find(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            return {"$ref": reference} if reference != "#" else self._document
        found = self._document
        for step in reference[2:].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(name)] if is_array(found) else found[name]
            except (LookupError, TypeError, ValueError):
                return {"$ref": reference}
        return found

    def _shape(self, schema: Any) -> Any:
        if not is_object(schema):
            return schema
        return {
            keyword: self._value(keyword, value)
            for keyword, value in sorted(schema.items())
            if keyword not in _SAYS_NOTHING
        }

    def _value(self, keyword: str, value: Any) -> Any:
        if keyword == "$ref" and isinstance(value, str):
            return self.number_of(value)
        if keyword in HOLDING_BY_NAME and is_object(value):
            return {name: self._shape(inner) for name, inner in sorted(value.items())}
        if keyword in HOLDING_A_LIST and is_array(value):
            return [self._shape(inner) for inner in value]
        if keyword in HOLDING_A_SCHEMA:
            return self._shape(value)
        return value
