"""Random expressions of a kind, over the slots of a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from random import Random
from typing import Any, Final, TypeAlias

from tests.runtime.engine.oracle.schemas import VALUES, Kind

from streamdb.expr.joining import both
from streamdb.expr.nodes import ColumnNode, ConstantNode, Node, OperationNode, OrderTerm, SlotNode
from streamdb.expr.operators import OPERATORS

#: What a slot holds: a row with columns of these kinds, or a value.
SlotKind: TypeAlias = Mapping[str, Kind] | Kind
SlotKinds: TypeAlias = tuple[SlotKind, ...]

SCALARS: Final[tuple[Kind, ...]] = ("int", "number", "text", "bool")

# An operator, the kinds of its operands, and the kind of what it gives; "same" is one kind for all.
_SIGNATURES: Final[Sequence[tuple[str, tuple[str, ...], Kind]]] = (
    *((sign, ("same", "same"), "bool") for sign in ("==", "!=", "<", "<=", ">", ">=")),
    *((sign, ("number", "int"), "bool") for sign in ("==", "!=", "<", "<=", ">", ">=")),
    ("between", ("same", "same", "same"), "bool"),
    ("is_null", ("same",), "bool"),
    ("is_not_null", ("same",), "bool"),
    ("&", ("bool", "bool"), "bool"),
    ("|", ("bool", "bool"), "bool"),
    ("~", ("bool",), "bool"),
    *((sign, ("int", "int"), "int") for sign in ("+", "-", "//", "%")),
    *((sign, ("number", "int"), "number") for sign in ("+", "-", "*", "/")),
    ("negative", ("int",), "int"),
    ("negative", ("number",), "number"),
    ("abs", ("number",), "number"),
    ("+", ("text", "text"), "text"),
    ("lower", ("text",), "text"),
    ("upper", ("text",), "text"),
    ("trim", ("text",), "text"),
    ("like", ("text", "text"), "bool"),
    ("ilike", ("text", "text"), "bool"),
    ("starts_with", ("text", "text"), "bool"),
    ("ends_with", ("text", "text"), "bool"),
    ("length", ("text",), "int"),
    *(("if_null", (kind, kind), kind) for kind in SCALARS),
    *(("case", ("bool", kind, kind), kind) for kind in SCALARS),
)
_BY_RESULT: Final = {
    kind: [row for row in _SIGNATURES if row[2] == kind and row[0] in OPERATORS] for kind in SCALARS
}


class Expressions:
    """Makes random expressions of the slots of a query."""

    def __init__(self, random: Random, slots: SlotKinds) -> None:
        self._random: Final = random
        self.leaves: Final[dict[Kind, list[Node]]] = {kind: [] for kind in (*SCALARS, "opaque")}
        for number, slot in enumerate(slots):
            if isinstance(slot, str):
                self.leaves[slot].append(SlotNode(number))
            else:
                self.leaves["opaque"].append(SlotNode(number))
                for name, kind in slot.items():
                    self.leaves[kind].append(ColumnNode(name, number))

    def any(self, kinds: Sequence[Kind] = SCALARS) -> tuple[Node, Kind]:
        """Return an expression of any of those kinds that there is something of."""
        present = [kind for kind in kinds if self.leaves[kind]] or ["bool"]
        kind: Kind = self._random.choice(present)
        return self.of(kind), kind

    def of(self, kind: Kind, depth: int = 2) -> Node:
        """Return an expression of a kind: as a rule a column."""
        random, leaves = self._random, self.leaves[kind]
        if kind == "opaque" or depth == 0 or random.random() < 0.6:
            if leaves and (kind == "opaque" or random.random() < 0.85):
                return random.choice(leaves)
            return ConstantNode(random.choice(VALUES.get(kind, (None,))))
        if kind == "bool" and random.random() < 0.1:
            return self._choice()
        rows = _BY_RESULT[kind]
        if not rows:
            return self.of(kind, 0)
        operator, kinds, _ = random.choice(rows)
        same = self.any()[1]
        operands = [
            self.of(same if one == "same" else one, depth - 1)  # type: ignore[arg-type]  # a Kind
            for one in kinds
        ]
        return OperationNode(operator, tuple(operands))

    def condition(self) -> Node:
        """Return a condition that says something of the rows, if there is anything to say."""
        if self._random.random() < 0.3 and (compared := self._compared()) is not None:
            return compared
        node = self.of("bool", 3)
        for _ in range(5):
            if not isinstance(node, ConstantNode):
                break
            node = self.of("bool", 3)
        return node

    def _compared(self) -> Node | None:
        """Compare columns with constants, as those conditions do that indexes answer."""
        columns = [
            (leaf, kind)
            for kind in ("int", "number", "text")
            for leaf in self.leaves[kind]
            if isinstance(leaf, ColumnNode)
        ]
        if not columns:
            return None
        random = self._random
        parts: list[Node] = []
        for column, kind in random.choices(columns, k=random.choice((1, 1, 2))):
            values = [ConstantNode(value) for value in random.choices(VALUES[kind], k=2)]
            sign = random.choice(("==", "==", "<", "<=", ">", ">=", "between", "in"))
            if sign == "in":
                choices = ConstantNode(tuple(value.value for value in values))
                parts.append(OperationNode(sign, (column, choices)))
            elif sign == "between":
                parts.append(OperationNode(sign, (column, *values)))
            else:
                operands = (column, values[0]) if random.random() < 0.8 else (values[0], column)
                parts.append(OperationNode(sign, operands))
        return reduce(both, parts)

    def terms(self, at_least: int = 0) -> tuple[OrderTerm, ...]:
        """Return what to order by."""
        random = self._random
        flags = (False, True)
        return tuple(
            OrderTerm(self.any()[0], random.choice(flags), random.choice(flags))
            for _ in range(random.choice((at_least, 1, 1, 2, 3)))
        )

    def _choice(self) -> Node:
        node, kind = self.any()
        choices: list[Any] = self._random.choices((None, *VALUES[kind]), k=3)
        operator = self._random.choice([name for name in ("in", "not_in") if name in OPERATORS])
        return OperationNode(operator, (node, ConstantNode(tuple(choices))))
