"""Keys of a plan, as users see them and as its rows have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from streamdb.engine.executor import Key
from streamdb.engine.plan import Distinct, Edge, Filter, Group, Join, Order, PlanNode, Scan, Where
from streamdb.engine.plan import Union as UnionOf
from streamdb.engine.row_forms import key_of_values

#: The key of a group of nulls. Users see it as None, save in the pairs of a join.
_NULL: Final = key_of_values((None,))


def key_parser(node: PlanNode) -> Callable[[Key], Any]:
    """Return what makes users' keys of those of a plan: a source's own, in pairs and branches."""
    match node:
        case Scan(source):
            return source.parse_key
        case Order():
            return key_parser(node.input.node)
        case Group() | Distinct():
            return lambda key: None if key == _NULL else key
        case Join():
            left, right = key_parser(node.left.node), key_parser(node.right.node)
            if left is right is str:
                return _same_tuple
            return _over_pairs(left, right)
        case UnionOf(branches):
            return _over_branches([key_parser(branch.node) for branch in branches])


def key_finder(node: PlanNode) -> Callable[[Any], Key]:
    """Return the inverse: it gives something that is no key of the plan for what cannot be one."""
    match node:
        case Scan(source):
            return source.key_of
        case Order():
            return key_finder(node.input.node)
        case Group() | Distinct():
            return lambda key: _NULL if key is None else key
        case Join():
            return _if_pair(_over_pairs(key_finder(node.left.node), key_finder(node.right.node)))
        case UnionOf(branches):
            find = _over_branches([key_finder(branch.node) for branch in branches])
            numbers = range(len(branches))
            return _if_pair(
                lambda key: find(key) if type(key[0]) is int and key[0] in numbers else None
            )


def key_column(edge: Edge) -> str | None:
    """Return the column that holds the key, if rows are those of a source as they are."""
    if not all(isinstance(step, Where | Filter) for step in edge.steps):
        return None
    match edge.node:
        case Scan(source):
            return source.key_column
        case Order(ordered, then=then) if all(isinstance(step, Where | Filter) for step in then):
            return key_column(ordered)
        case _:
            return None


#: Returns a tuple itself. Pairs of texts need no more, and a change of a join makes a key of each.
_same_tuple: Final[Callable[[Any], Any]] = tuple


def _over_pairs(
    left: Callable[[Any], Any], right: Callable[[Any], Any]
) -> Callable[[Any], tuple[Any, Any]]:
    def both(key: Any) -> tuple[Any, Any]:
        one, other = key
        return (
            None if one is None else _in_pair(left(one)),
            None if other is None else _in_pair(right(other)),
        )

    return both


def _in_pair(key: Any) -> Any:
    """Return a key as it is in a pair: None says there that a row is missing."""
    return _NULL if key is None else key


def _over_branches(branches: list[Callable[[Any], Any]]) -> Callable[[Any], tuple[int, Any]]:
    def within(key: Any) -> tuple[int, Any]:
        number, inner = _parts(key)
        return number, branches[int(number)](inner)

    return within


def _if_pair(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def if_pair(key: Any) -> Any:
        return function(key) if isinstance(key, tuple) and len(_parts(key)) == 2 else None

    return if_pair


def _parts(key: Any) -> tuple[Any, ...]:
    """Return a key that is a tuple as what checkers know as one."""
    parts: tuple[Any, ...] = key
    return parts
