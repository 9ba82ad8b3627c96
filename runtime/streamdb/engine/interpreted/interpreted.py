"""The executor that walks a tree of operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from streamdb.engine.executor import Changes, Item, Key, Positions
from streamdb.engine.interpreted.order import OrderOperator
from streamdb.engine.interpreted.tree import OperatorTree
from streamdb.engine.plan import Plan
from streamdb.engine.pushing import pushed_down
from streamdb.expr.sources import Source


class Interpreted:
    """Keeps the rows of a plan by operators that look at each other's changes.

    Raises:
        ExpressionError: (any method) the values of a row do not suit an operator.
    """

    def __init__(self, plan: Plan) -> None:
        self._root: Final = self._tree().root(pushed_down(plan).root)
        #: See ``Executor``.
        self.step: Final[Callable[[Mapping[Source, Changes]], Changes]] = self._root.step

    def _tree(self) -> OperatorTree:
        """Return what makes the operators."""
        return OperatorTree()

    @property
    def rows(self) -> Mapping[Key, Item]:
        """See ``Executor``."""
        return self._root.rows

    @property
    def positions(self) -> Positions | None:
        """See ``Executor``."""
        return self._root.positions if isinstance(self._root, OrderOperator) else None

    def load(self) -> None:
        """See ``Executor``."""
        self._root.load()

    def arrival(self, key: Key) -> Any:
        """See ``Executor``."""
        return self._root.arrival(key)

    def moved(self, key: Key) -> bool:
        """See ``Executor``."""
        return self._root.moved(key)
