"""Lists, maps and objects inside of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set, Sized
from typing import TYPE_CHECKING, Any, TypeVar, overload

from streamdb.errors import ExpressionError
from streamdb.expr.item_condition import ITEM, ItemCondition
from streamdb.expr.surface.operand import Anything, N, Operand, V, is_operand

if TYPE_CHECKING:
    from streamdb.expr.expression import Condition, Expr

T = TypeVar("T")


class text_has_no_items:  # noqa: N801 (checkers print the name: it is the message)
    """What an index of a text is to type checkers: no expression. Has no values."""


class lists_have_indices:  # noqa: N801 (as above)
    """What a key of a list is to type checkers: no expression. Has no values."""


class Lists(Operand[V, N]):
    """What may be asked of lists, sets, maps, and objects inside of rows."""

    __slots__ = ()

    @overload
    def __getitem__(self: Lists[Anything, Any], key: int | str, /) -> Expr[Any, Any]: ...
    # Meant to catch texts, of all sequences.
    @overload
    def __getitem__(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
        self: Lists[str, Any], key: int | str, /
    ) -> text_has_no_items: ...
    @overload
    def __getitem__(self: Lists[Sequence[T | None], Any], key: int, /) -> Expr[T, T | None]: ...
    @overload
    def __getitem__(self: Lists[Mapping[str, T | None], Any], key: str, /) -> Expr[T, T | None]: ...
    @overload
    def __getitem__(  # pyright: ignore[reportOverlappingOverload]  (as above)
        self: Lists[Sequence[Any], Any], key: str, /
    ) -> lists_have_indices: ...
    @overload
    def __getitem__(self: Lists[Any, Any], key: str, /) -> Expr[Any, Any]: ...
    def __getitem__(self, key: object, /) -> Any:
        """Return what is under a key or at an index, negative from the end; null if nothing is.

        Objects have their attributes under the names they have in Python.

        Raises:
            ExpressionError: it is no key and no index.
        """
        if not isinstance(key, int | str):
            raise ExpressionError(f"`{self!r}[{key!r}]`: a path is made of names and of indices")
        return self._apply("item", key)

    @overload
    def length(self: Lists[Sized, Sized]) -> Expr[int, int]: ...
    @overload
    def length(self: Lists[Sized, Any]) -> Expr[int, int | None]: ...
    def length(self) -> Any:
        """Return the number of characters of a text, or of items of a list, a set or a map."""
        return self._apply("length")

    @overload
    def contains(self: Lists[str, Any], part: Expr[str, Any] | str, /) -> Condition: ...
    @overload
    def contains(
        self: Lists[Sequence[T] | Set[T], Any], part: Expr[T, Any] | T, /
    ) -> Condition: ...
    def contains(self, part: object, /) -> Any:
        """Ask whether a text has another one in it, or a list an item."""
        return self._apply("contains", part)

    def exists(
        self: Lists[Sequence[T] | Set[T], Any],
        condition: Callable[[Expr[T, T]], Expr[bool, Any]] | None = None,
        /,
    ) -> Condition:
        """Ask whether a list has an item, or one of which a condition is true.

        The condition is a function of the item alone, as in ``m.tags.exists(lambda t: t > "m")``.

        Raises:
            ExpressionError: it is not.
        """
        if condition is None:
            return self._apply("is_not_empty")
        return self._apply("exists", self._condition("exists", condition))

    def for_all(
        self: Lists[Sequence[T] | Set[T], Any],
        condition: Callable[[Expr[T, T]], Expr[bool, Any]],
        /,
    ) -> Condition:
        """Ask whether a condition is true of every item, as it is of none at all.

        Raises:
            ExpressionError: the condition is no function of the item alone.
        """
        return self._apply("for_all", self._condition("for_all", condition))

    def _condition(self, method: str, function: object) -> ItemCondition:
        if not callable(function):
            raise ExpressionError(
                f"`{self!r}.{method}({function!r})`: {method} takes a function of an item; write "
                f"`.{method}(lambda item: item == {function!r})`, or `.contains(...)`"
            )
        found = function(self._expression(ITEM))
        if not is_operand(found):
            raise ExpressionError(
                f"`{self!r}.{method}(...)` takes a function of an item to a condition, as in "
                f'`.{method}(lambda item: item == "x")`; this one returned {found!r}'
            )
        return ItemCondition(found.node)
