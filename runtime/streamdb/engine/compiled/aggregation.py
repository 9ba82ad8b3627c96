"""What rows that come and go do to the accumulators of their group, as generated functions.

What is known of an aggregate is written out: whether nulls count, and whether the order matters. A
row is read once for all aggregates. Where another row takes its place, those alone are told whose
values differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from streamdb.engine.compiled.entries import compiled_entry_of
from streamdb.engine.compiled.expressions import DEEPEST, Expressions, depth
from streamdb.engine.compiled.functions import slot_sources
from streamdb.engine.compiled.source_code import SourceCode
from streamdb.engine.executor import Item
from streamdb.engine.interpreted.aggregation import (
    FAULTS,
    Accumulators,
    AggregateFunctions,
    Answer,
    hand_on,
    operand,
    place_of,
)
from streamdb.engine.plan import Group
from streamdb.engine.row_forms import group_shape
from streamdb.engine.row_functions import NAIVE
from streamdb.engine.same import same_value
from streamdb.expr.aggregates import keeps_nulls
from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import AggregateNode, ConstantNode, Node, SlotNode
from streamdb.expr.shape import Shape

#: What costs less than a call.
_INLINE: Final[Mapping[tuple[str, str], str]] = {
    ("count", "add"): "number += 1",
    ("count", "remove"): "number -= 1",
    ("count", "result"): "number",
}


def generated_answer(node: Group) -> Answer:
    """Return the function that asks each accumulator, and makes a row of the keys and answers."""
    code, every = SourceCode(), _asked(node)
    keys = [code.local() for _ in node.keys]
    answers = [code.local() for _ in every]
    if keys:
        code.line(f"{_tuple(keys)} = keys")
    _begin(code, every)
    for one, variable in zip(every, answers, strict=True):
        code.line(f"number = {one.number}")
        code.line(f"{variable} = {one.call('result')}")
    _end(code, every)
    slots = [*keys, *answers]
    values = _evaluate(code, node.values, group_shape(node), slots, _tuple(slots))
    code.indent("if before is not None:")
    before = [code.local() for _ in (*keys, *values)]
    code.line(f"{_tuple(before)} = before")
    same = code.bind(same_value)
    parts = zip(before[len(keys) :], values, strict=True)  # the keys are what they were
    are_same = [f"({old} is {new} or {same}({old}, {new}))" for old, new in parts]
    code.indent(f"if {' and '.join(are_same) or 'True'}:")
    code.line("return before")
    code.dedent(2)
    code.line(f"return {_tuple([*keys, *values])}")
    answer: Answer = code.function("keys", "accumulators", "before")
    return answer


class GeneratedTelling:
    """Tells of a row, which is read once, all that look at it."""

    def __init__(self, node: Group) -> None:
        #: See ``Telling``.
        self.enter: Final = _telling("add", node)
        self.leave: Final = _telling("remove", node)
        self.replace: Final = _replacing(node)


def _telling(method: str, node: Group) -> Callable[[Accumulators, Item, Any], None]:
    """Return the function that calls a method of each accumulator with what a row is to it."""
    code, every = SourceCode(), _asked(node)
    parts = _read(code, every, node.input.shape, "row", "arrival")
    _begin(code, every)
    for one, (value, place) in zip(every, parts, strict=True):
        if one.skips_nulls:
            code.indent(f"if {value} is not None:")
        code.line(f"number = {one.number}")
        code.line(one.call(method, value, place))
        if one.skips_nulls:
            code.dedent()
    _end(code, every)
    tell: Callable[[Accumulators, Item, Any], None] = code.function(
        "accumulators", "row", "arrival"
    )
    return tell


def _replacing(node: Group) -> Callable[[Accumulators, Item, Any, Item, Any], bool]:
    """Return the function that tells accumulators what differs between two rows."""
    code, every = SourceCode(), _asked(node)
    asked = [one for one in every if not one.is_constant]
    before = _read(code, asked, node.input.shape, "old", "arrived")
    after = _read(code, asked, node.input.shape, "new", "arrival")
    same = code.bind(same_value)
    code.line("differs = False")
    _begin(code, every)
    for one, (old, old_place), (new, place) in zip(asked, before, after, strict=True):
        code.line(f"number = {one.number}")
        differs = f"{old} is not {new} and not {same}({old}, {new})"
        if one.place_of is not None:
            moves = f"{old_place} != {place} and not {one.name}.stays({old_place}, {place})"
            if one.skips_nulls:
                moves = f"{new} is not None and {moves}"
            differs = f"({differs}) or ({moves})"
        code.indent(f"if {differs}:")
        code.line("differs = True")
        if one.skips_nulls:
            code.indent(f"if {old} is None:")
            code.line(one.call("add", new, place))
            code.dedent()
            code.indent(f"elif {new} is None:")
            code.line(one.call("remove", old, old_place))
            code.dedent()
            code.indent("else:")
        code.line(one.call("replace", old, old_place, new, place))
        code.dedent(2 if one.skips_nulls else 1)
    _end(code, every)
    code.line("return differs")
    parameters = "accumulators", "old", "arrived", "new", "arrival"
    replace: Callable[[Accumulators, Item, Any, Item, Any], bool] = code.function(*parameters)
    return replace


class _Asked:
    """What is known of one aggregate.

    Attributes:
        number: which one it is.
        node: the aggregate.
        name: the variable of its accumulator.
        operand: what is asked of each row.
        place_of: see ``place_of``.
        is_constant: whether all rows are alike to it.
        skips_nulls: whether there may be rows that do not count.
    """

    def __init__(self, number: int, node: AggregateNode, shape: Shape) -> None:
        self.number: Final = number
        self.node: Final = node
        self.name: Final = f"a{number}"
        self.operand: Final = operand(node)
        self.place_of: Final = place_of(node, shape, compiled_entry_of)
        constant = isinstance(self.operand, ConstantNode)
        self.is_constant: Final = constant and self.place_of is None
        self.skips_nulls: Final = node.operand is not None and not keeps_nulls(node)

    def call(self, method: str, *arguments: str) -> str:
        """Return the source of a call of its accumulator."""
        call = f"{method}({', '.join(arguments)})"
        return f"{self.name}.{_INLINE.get((self.node.aggregate, method), call)}"


def _asked(node: Group) -> list[_Asked]:
    return [_Asked(number, one, node.input.shape) for number, one in enumerate(node.aggregates)]


def _read(
    code: SourceCode, asked: Sequence[_Asked], shape: Shape, row: str, arrival: str
) -> list[tuple[str, str]]:
    """Read a row, and return for each aggregate the sources of its value and of its place."""
    operands = [one.operand for one in asked]
    values = _evaluate(code, operands, shape, slot_sources(row, shape), row)
    places = list[str]()
    for one in asked:
        if one.place_of is None or not one.node.by:
            places.append(arrival)  # those that do not look at it take anything
        else:
            places.append(code.local())
            code.line(f"{places[-1]} = {code.bind(one.place_of)}({arrival}, {row})")
    return list(zip(values, places, strict=True))


def _evaluate(
    code: SourceCode, nodes: Sequence[Node], shape: Shape, slots: Sequence[str], row: str
) -> list[str]:
    """Evaluate expressions of a row, and return the sources of their values."""
    values = [slots[n.slot] if isinstance(n, SlotNode) else code.local() for n in nodes]
    others = [n for n, node in enumerate(nodes) if not isinstance(node, SlotNode)]
    if not others:
        return values
    expressions = Expressions(code, shape, slots)
    code.indent("try:")
    for n in others:
        if depth(nodes[n]) > DEEPEST:
            code.line(f"{values[n]} = {code.bind(evaluator(nodes[n], shape))}({row})")
        else:
            code.line(f"{values[n]} = {expressions.value(nodes[n])}")
    code.dedent()
    code.indent("except (TypeError, ValueError, ArithmeticError):")
    code.line(f"{code.bind(NAIVE.values_of(nodes, shape))}({row})")  # says what is wrong
    code.line("raise")
    code.dedent()
    return values


def _tuple(sources: Sequence[str]) -> str:
    return f"({''.join(f'{source}, ' for source in sources)})"


def _begin(code: SourceCode, every: Sequence[_Asked]) -> None:
    """Begin to call accumulators."""
    if every:
        code.line(f"{_tuple([one.name for one in every])} = accumulators")
    code.line("number = 0")
    code.indent("try:")
    code.line("pass")


def _end(code: SourceCode, every: Sequence[_Asked]) -> None:
    """Say to which of them a value does not suit."""
    nodes = [one.node for one in every]
    code.dedent()
    code.indent(f"except {code.bind(FAULTS)} as error:")
    code.line(f"{code.bind(hand_on)}({code.bind(nodes)}[number], error)")
    code.dedent()


#: Generated.
GENERATED_AGGREGATES: Final = AggregateFunctions(generated_answer, GeneratedTelling)
