"""What rows are compared by, as generated functions."""

from __future__ import annotations

from collections.abc import Sequence

from streamdb.engine.compiled.expressions import DEEPEST, Expressions, depth
from streamdb.engine.compiled.functions import slot_sources
from streamdb.engine.compiled.source_code import SourceCode
from streamdb.engine.key_order import key_order
from streamdb.engine.sort_keys import EntryOf, entry_of, inverted, marks_of
from streamdb.expr.nodes import OrderTerm
from streamdb.expr.shape import Shape


def compiled_entry_of(terms: Sequence[OrderTerm], shape: Shape, keys_are_text: bool) -> EntryOf:
    """Return what :func:`~streamdb.engine.sort_keys.entry_of` does, only faster.

    >>> from streamdb.expr.nodes import ColumnNode
    >>> from streamdb.expr.shape import row_shape
    >>> from types import SimpleNamespace
    >>> entry = compiled_entry_of([OrderTerm(ColumnNode("n"), descending=True)], row_shape(), True)
    >>> entry("key", SimpleNamespace(n=2))
    (-2, 'key')
    """
    slowly = entry_of(terms, shape, keys_are_text)
    if any(depth(term.node) > DEEPEST for term in terms):
        return slowly
    code = SourceCode()
    expressions = Expressions(code, shape, slot_sources("row", shape))
    invert = code.bind(inverted)
    parts = list[str]()
    code.indent("try:")
    for term in terms:
        part = code.local()
        null, nan = map(code.bind, marks_of(term))
        code.line(f"{part} = {expressions.value(term.node)}")
        code.indent(f"if {part} is None:")
        code.line(f"{part} = {null}")
        code.dedent()
        code.indent(f"elif {part} != {part}:")
        code.line(f"{part} = {nan}")
        code.dedent()
        if term.descending:
            code.indent("else:")
            code.line(f"{part} = {invert}({part})")
            code.dedent()
        parts.append(part)
    tie = "key" if keys_are_text else f"{code.bind(key_order)}(key), key"
    code.line(f"return ({''.join(f'{part}, ' for part in parts)}{tie},)")
    code.dedent()
    code.indent("except (TypeError, ValueError, ArithmeticError):")
    code.line(f"{code.bind(slowly)}(key, row)")  # says what is wrong
    code.line("raise")
    code.dedent()
    entry: EntryOf = code.function("key", "row")
    return entry
