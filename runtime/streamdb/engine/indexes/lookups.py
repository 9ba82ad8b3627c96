"""What conditions ask of a source that an index, or the keys of the rows, can answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from streamdb.engine.never_raising import never_raises
from streamdb.engine.plan import Step, Where
from streamdb.expr.joining import joined_by_and
from streamdb.expr.nodes import ColumnNode, ConstantNode, Node, OperationNode


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The value of a column is one of several, none of which is null or NaN."""

    column: ColumnNode
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The value of a column is between two, or beyond the one that is not None."""

    column: ColumnNode
    low: Any | None
    high: Any | None


Lookup: TypeAlias = AnyOf | Range


def lookups_of(steps: Sequence[Step]) -> tuple[Lookup, ...]:
    """Return what is true of all rows that pass steps, the most telling first.

    Each is true of perhaps more rows than pass. Those of which one is not true need not be looked
    at: no condition would have raised for them.

    >>> from streamdb.expr import UntypedColumns
    >>> from streamdb.expr.shape import row_shape
    >>> m = UntypedColumns()
    >>> conditions = (m.n >= 3) & (m.n < 5), m.role == "user"
    >>> for lookup in lookups_of([Where(one.node, row_shape()) for one in conditions]):
    ...     print(lookup)
    Range(column=ColumnNode(name='n', slot=0), low=3, high=5)

    The second one is not asked of rows that fail the first, which may raise for some. It is here:

    >>> for lookup in lookups_of([Where(one.node, row_shape()) for one in reversed(conditions)]):
    ...     print(lookup)
    AnyOf(column=ColumnNode(name='role', slot=0), values=('user',))
    Range(column=ColumnNode(name='n', slot=0), low=3, high=5)
    """
    found: list[Lookup] = []
    for step in steps:
        if not isinstance(step, Where):
            break
        parts = list(joined_by_and(step.condition))
        raising = [part for part in parts if not never_raises(part, step.shape)]
        by_part = [(part, one) for part in parts if (one := _lookup(part)) is not None]
        for column in dict.fromkeys(one.column for _, one in by_part):
            lookup, answered = _narrowest([pair for pair in by_part if pair[1].column == column])
            if all(any(part is one for one in answered) for part in raising):
                found.append(lookup)
        if raising:
            break  # what comes next is asked only of rows that pass this one
    return tuple(sorted(found, key=lambda one: isinstance(one, Range)))


def _narrowest(lookups: Sequence[tuple[Node, Lookup]]) -> tuple[Lookup, Sequence[Node]]:
    """Return one of those of a column, all of which are true, and the conditions that it answers.

    An end of a range is compared with the values of all rows, as its condition is. So it raises
    where that would; a further end, or one beside a value, is not compared.
    """
    low: Any | None = None
    high: Any | None = None
    answered: list[Node] = []
    for part, one in lookups:
        if isinstance(one, AnyOf):
            return one, [part]
        if (one.low is None or low is None) and (one.high is None or high is None):
            low = one.low if low is None else low
            high = one.high if high is None else high
            answered.append(part)
    return Range(lookups[0][1].column, low, high), answered


def _lookup(condition: Node) -> Lookup | None:
    """Return what a single condition asks of a column, if it compares it with constants."""
    match condition:
        case OperationNode(sign, (ColumnNode() as column, *constants)):
            pass
        case OperationNode(sign, (ConstantNode() as constant, ColumnNode() as column)):
            sign, constants = _TURNED.get(sign, ""), [constant]
        case _:
            return None
    make = _LOOKUPS.get(sign)
    values: list[Any] = [one.value for one in constants if isinstance(one, ConstantNode)]
    if make is None or len(values) != len(constants):
        return None
    if sign == "in":
        [choices] = values
        values = [choice for choice in choices if choice is not None]
    return make(column, values) if all(map(_is_value, values)) else None


def _is_value(value: Any) -> bool:
    """Tell whether something is equal to itself, which null, NaN and what refuses it are not."""
    try:
        return value is not None and bool(value == value)
    except ArithmeticError:  # a decimal that signals
        return False


_LOOKUPS: Final[Mapping[str, Callable[[ColumnNode, Sequence[Any]], Lookup]]] = {
    "==": lambda column, values: AnyOf(column, tuple(values)),
    "in": lambda column, values: AnyOf(column, tuple(values)),
    "<": lambda column, values: Range(column, None, values[0]),
    "<=": lambda column, values: Range(column, None, values[0]),
    ">": lambda column, values: Range(column, values[0], None),
    ">=": lambda column, values: Range(column, values[0], None),
    "between": lambda column, values: Range(column, values[0], values[1]),
}
#: What a comparison is called when its sides are exchanged.
_TURNED: Final[Mapping[str, str]] = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
