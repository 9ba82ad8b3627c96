"""A run of where, filter, map and select as generated functions, for a load and for a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from streamdb.engine.compiled.expressions import DEEPEST, Expressions, depth
from streamdb.engine.compiled.functions import slot_sources
from streamdb.engine.compiled.source_code import SourceCode
from streamdb.engine.executor import Changes, Item, Key
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.interpreted.steps import OneRow
from streamdb.engine.plan import Edge, Filter, Map, Select, Step, Where
from streamdb.engine.row_forms import not_none
from streamdb.engine.same import same
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
        self._load: Final = load_of(edge.steps)
        self._follow: Final = follow_of(edge.steps)
        self.arrival: Final = input.arrival
        self.moved: Final = input.moved

    def load(self) -> None:
        """Send all rows through the steps."""
        self._input.load()
        self._load(self._input.rows, self.rows)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Send the changed rows through the steps."""
        changed = self._input.step(changes)
        return self._follow(changed, self.rows, self.moved) if changed else changed


def load_of(steps: Sequence[Step]) -> Load:
    """Return the function that puts what becomes of all rows into an empty dictionary."""
    code = SourceCode()
    code.indent("for key, row in before.items():")
    _write(code, steps, "after[key] = {}")
    load: Load = code.function("before", "after")
    return load


def sender_of(steps: Sequence[Step]) -> OneRow:
    """Return the function that sends one row through steps; None is left of it if they drop it."""
    code = SourceCode()
    _write(code, steps, "return {}")
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
    code.line("new = None")
    code.indent("if row is not None:")
    _write(code, steps, "new = {}")
    code.dedent()
    code.indent("if new is None:")
    code.line("old = after.pop(key, None)")
    code.indent("if old is not None:")
    code.line("changes.append((key, old, None))")
    code.dedent(2)
    code.indent("else:")
    code.line("old = after.get(key)")
    code.indent(f"if old is None or {_differ(code, steps)}:")
    code.line("after[key] = new")
    code.line("changes.append((key, old, new))")
    code.dedent()
    code.indent("elif has_moved(key):")
    code.line("changes.append((key, old, old))")
    code.dedent(3)
    code.line("return changes")
    follow: Follow = code.function("before", "after", "has_moved")
    return follow


def _differ(code: SourceCode, steps: Sequence[Step]) -> str:
    """Return the source that compares what came out before with what comes out now."""
    made = [step for step in steps if isinstance(step, Map | Select)]
    is_tuple = steps[-1].shape.is_tuple
    if made:
        is_tuple = isinstance(made[-1], Select) and made[-1].make is None
    return f"not {code.bind(same)}(old, new)" if is_tuple else "old is not new"


def _write(code: SourceCode, steps: Sequence[Step], result: str) -> None:
    """Write the steps of one row, and then what is done with what they make of it."""
    writer = StepWriter(code, "row", slot_sources("row", steps[0].shape))
    before = code.depth
    for step in steps:
        writer.write(step)
    code.line(result.format(writer.item))
    code.dedent(code.depth - before)


class StepWriter:
    """Knows in which variables the slots of the row are as the steps go on.

    Args:
        code: where steps are written.
        item: the source of the row.
        slots: the source of each of its slots.
        key: the source of its key.

    Attributes:
        item: the source of the row as it is behind the steps that are written.
    """

    def __init__(self, code: SourceCode, item: str, slots: Sequence[str], key: str = "key") -> None:
        self._code: Final = code
        self._key: Final = key
        self.item = item
        self._slots = slots

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
        self._code.line(f"{self.item} = {source}")
        self._code.indent(f"if {self.item} is None:")
        self._code.line(f"{self._code.bind(not_none)}(None, {self._key})")
        self._code.dedent()
