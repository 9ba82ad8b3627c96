"""A run of where, filter, map and select as generated functions, for a load and for a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from streamdb.engine.compiled.expressions import DEEPEST, Expressions, depth
from streamdb.engine.compiled.functions import slot_sources
from streamdb.engine.compiled.source_code import SourceCode
from streamdb.engine.executor import Changes, Item, Key
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.interpreted.steps import OneRow, rows_to_load
from streamdb.engine.plan import Edge, Filter, Map, Select, Step, Where
from streamdb.engine.row_forms import not_none
from streamdb.engine.same import same, same_value
from streamdb.expr.conditions import test_of
from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import Node
from streamdb.expr.shape import Shape
from streamdb.expr.sources import Source

Load = Callable[[Mapping[Key, Item], dict[Key, Item]], None]
Follow = Callable[[Changes, dict[Key, Item], Callable[[Key], bool]], Changes]


class CompiledSteps:
    """What ``StepsOperator`` does, by functions that are written for the steps.

    Args:
        input: what the rows come from.
        edge: tells the steps, one at least, and what comes out.
    """

    def __init__(self, input: Operator, edge: Edge) -> None:
        self.rows: Final[dict[Key, Item]] = {}
        self._input: Final = input
        self._rows_to_load: Final = rows_to_load(input, edge)
        self._load: Final = load_of(edge.steps)
        self._follow: Final = follow_of(edge.steps)
        self.arrival: Final = input.arrival
        self.moved: Final = input.moved

    def load(self) -> None:
        """Send all rows through the steps."""
        self._input.load()
        self._load(self._rows_to_load(), self.rows)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Send the changed rows through the steps."""
        changed = self._input.step(changes)
        return self._follow(changed, self.rows, self.moved) if changed else changed


def load_of(steps: Sequence[Step]) -> Load:
    """Return the function that puts what becomes of all rows into an empty dictionary."""
    code = SourceCode()
    code.indent("for key, row in before.items():")
    code.line(f"after[key] = {_written(code, steps, steps[0].shape).item}")
    load: Load = code.function("before", "after")
    return load


def sender_of(steps: Sequence[Step], shape: Shape) -> OneRow:
    """Return the function that sends one row through steps; None is left of it if they drop it.

    Args:
        steps: perhaps none.
        shape: of the row.
    """
    code = SourceCode()
    code.line(f"return {_written(code, steps, shape).item}")
    code.dedent(code.depth - 1)
    code.line("return None")
    send: OneRow = code.function("key", "row")
    return send


def follow_of(steps: Sequence[Step]) -> Follow:
    """Return the function that takes changes of what comes in, and returns those of what comes out.

    What came out before is looked up and never computed again.
    """
    code = SourceCode()
    code.line("changes = []")
    code.indent("for key, was, row in before:")
    is_same = f"row is not None and {code.bind(same)}(was, row)"
    code.indent(f"if {is_same if steps[0].shape.is_tuple else 'was is row'}:")
    code.line("old = after.get(key)")  # it stands elsewhere now: functions make the same of it
    code.indent("if old is not None and has_moved(key):")
    code.line("changes.append((key, old, old))")
    code.dedent()
    code.line("continue")
    code.dedent()
    code.indent("if row is not None:")
    depth = code.depth
    written = _written(code, steps, steps[0].shape)
    code.line("old = after.get(key)")
    code.indent(f"if old is None or {written.differs_from('old')}:")
    code.line(f"after[key] = new = {written.item}")
    code.line("changes.append((key, old, new))")
    code.dedent()
    code.indent("elif has_moved(key):")
    code.line("changes.append((key, old, old))")
    code.dedent()
    code.line("continue")
    code.dedent(code.depth - depth + 1)
    code.line("old = after.pop(key, None)")  # it has gone, or the steps have dropped it
    code.indent("if old is not None:")
    code.line("changes.append((key, old, None))")
    code.dedent(2)
    code.line("return changes")
    follow: Follow = code.function("before", "after", "has_moved")
    return follow


def _written(code: SourceCode, steps: Sequence[Step], shape: Shape) -> StepWriter:
    """Write the steps of one row, and return what knows what has become of it."""
    row = StepWriter(code, "row", slot_sources("row", shape), is_tuple=shape.is_tuple)
    for step in steps:
        row.write(step)
    return row


class StepWriter:
    """Knows in which variables the slots of the row are as the steps go on.

    Args:
        code: where steps are written.
        item: the source of the row.
        slots: the source of each of its slots.
        key: the source of its key.
        is_tuple: whether it is the tuple of its slots.

    Attributes:
        item: the source of the row as it is behind the steps that are written.
    """

    def __init__(
        self,
        code: SourceCode,
        item: str,
        slots: Sequence[str],
        key: str = "key",
        *,
        is_tuple: bool,
    ) -> None:
        self._code: Final = code
        self._key: Final = key
        self.item = item
        self._slots = slots
        self._is_tuple = is_tuple

    def differs_from(self, old: str) -> str:
        """Return the source of whether the row is another one than an old one that is there."""
        if not self._is_tuple:
            return f"{old} is not {self.item}"
        same, one = self._code.bind(same_value), self._code.local()
        differences = (
            f"(({one} := {old}[{number}]) is not {slot} and not {same}({one}, {slot}))"
            for number, slot in enumerate(self._slots)
        )
        return f"({' or '.join(differences)})"

    def write(self, step: Step) -> None:
        """Write one step; what follows it is done with the rows that it keeps."""
        match step:
            case Where(condition, shape):
                self.keep(condition, shape)
            case Filter(function):
                self._code.indent(f"if {self._call(function)}:")
            case Map(function):
                self._make(self._call(function))
            case Select(values, make, shape):
                slots = [
                    self._expression(value, Expressions.value, evaluator(value, shape), shape)
                    for value in values
                ]
                if make is None:
                    self._slots, self.item = slots, f"({''.join(f'{slot}, ' for slot in slots)})"
                    self._is_tuple = True
                else:
                    self._make(f"{self._code.bind(make)}({', '.join(slots)})")

    def keep(self, condition: Node, shape: Shape) -> None:
        """Write a condition; what follows it is done with the rows of which it is true."""
        test = test_of(condition, shape)
        is_true = self._expression(condition, Expressions.is_true, test, shape)
        self._code.indent(f"if {is_true}:")

    def _expression(
        self,
        node: Node,
        write: Callable[[Expressions, Node], str],
        slowly: Callable[[Item], Any],
        shape: Shape,
    ) -> str:
        """Evaluate an expression and return the variable; what is wrong is said by the slow way."""
        result = self._code.local()
        slow = f"{self._code.bind(slowly)}({self.item})"
        if depth(node) > DEEPEST:
            self._code.line(f"{result} = {slow}")
            return result
        self._code.indent("try:")
        self._code.line(f"{result} = {write(Expressions(self._code, shape, self._slots), node)}")
        self._code.dedent()
        self._code.indent("except (TypeError, ValueError, ArithmeticError):")
        self._code.line(slow)
        self._code.line("raise")
        self._code.dedent()
        return result

    def _call(self, function: Callable[..., Any]) -> str:
        return f"{self._code.bind(function)}({', '.join(self._slots)})"

    def _make(self, source: str) -> None:
        self.item = self._code.local()
        self._slots = [self.item]
        self._is_tuple = False
        self._code.line(f"{self.item} = {source}")
        self._code.indent(f"if {self.item} is None:")
        self._code.line(f"{self._code.bind(not_none)}(None, {self._key})")
        self._code.dedent()
