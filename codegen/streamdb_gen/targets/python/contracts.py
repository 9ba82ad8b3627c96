"""The JSON Schema of a row or an input, in the words of generated code."""

from __future__ import annotations

from streamdb_gen.rendering.literals import lit
from streamdb_gen.rendering.marked import Code, code, join


def contract_of(pointer: str, beyond_type: tuple[str, ...]) -> Code:
    """The `Contract` of the schema at a place of `schema.json`."""
    if not beyond_type:
        return code("Contract(__name__, {})", lit(pointer))
    words = code("({},)" if len(beyond_type) == 1 else "({})", join(", ", map(lit, beyond_type)))
    return code("Contract(__name__, {}, beyond_type={})", lit(pointer), words)
