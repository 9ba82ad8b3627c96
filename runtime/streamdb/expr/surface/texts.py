"""Text: patterns, parts, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from streamdb.errors import ExpressionError
from streamdb.expr.meaning.text import like_pattern, regular_expression, with_backslashes
from streamdb.expr.surface.operand import N, Operand, V

if TYPE_CHECKING:
    from streamdb.expr.expression import Condition, Expr


T = TypeVar("T")


class Texts(Operand[V, N]):
    """What may be asked of text. ``+`` puts texts together."""

    __slots__ = ()

    @overload
    def lower(self: Texts[str, str]) -> Expr[str, str]: ...
    @overload
    def lower(self: Texts[str, Any]) -> Expr[str, str | None]: ...
    def lower(self) -> Any:
        """Return the text in lower case."""
        return self._apply("lower")

    @overload
    def upper(self: Texts[str, str]) -> Expr[str, str]: ...
    @overload
    def upper(self: Texts[str, Any]) -> Expr[str, str | None]: ...
    def upper(self) -> Any:
        """Return the text in upper case."""
        return self._apply("upper")

    @overload
    def trim(self: Texts[str, str]) -> Expr[str, str]: ...
    @overload
    def trim(self: Texts[str, Any]) -> Expr[str, str | None]: ...
    def trim(self) -> Any:
        """Return the text without white space on both sides."""
        return self._apply("trim")

    @overload
    def concat(self: Texts[str, str], *others: Expr[str, str] | str) -> Expr[str, str]: ...
    @overload
    def concat(self: Texts[str, Any], *others: Expr[str, Any] | str) -> Expr[str, str | None]: ...
    def concat(self, *others: object) -> Any:
        """Put texts together, as ``+`` does: null if one is null."""
        result: Any = self
        for other in others:
            result = result + other
        return result

    def starts_with(self: Texts[str, Any], prefix: Expr[str, Any] | str, /) -> Condition:
        """Ask whether the text begins so."""
        return self._apply("starts_with", prefix)

    def ends_with(self: Texts[str, Any], suffix: Expr[str, Any] | str, /) -> Condition:
        """Ask whether the text ends so."""
        return self._apply("ends_with", suffix)

    def like(
        self: Texts[str, Any], pattern: Expr[str, Any] | str, /, *, escape: str = "\\"
    ) -> Condition:
        r"""Ask whether the whole text fits a pattern: ``%`` is any text, ``_`` any character.

        Args:
            pattern: what the text must be like.
            escape: the character that takes the one behind it literally. Only the pattern of a
                plain text may have another one.

        Raises:
            ExpressionError: the pattern ends with the escape.

        >>> from streamdb.expr import UntypedColumns
        >>> UntypedColumns().discount.like("100!%", escape="!")
        discount.like('100\\%')
        """
        return self._apply("like", _pattern(pattern, escape))

    def ilike(
        self: Texts[str, Any], pattern: Expr[str, Any] | str, /, *, escape: str = "\\"
    ) -> Condition:
        """Ask the same as ``like``, with no difference between upper and lower case."""
        return self._apply("ilike", _pattern(pattern, escape))

    def matches(self: Texts[str, Any], pattern: Expr[str, Any] | str, /) -> Condition:
        """Ask whether a regular expression of Python fits somewhere in the text.

        Raises:
            ExpressionError: the pattern is no regular expression.
        """
        if isinstance(pattern, str):
            _checked(regular_expression, pattern)
        return self._apply("matches", pattern)


def _pattern(pattern: Expr[str, Any] | str, escape: str) -> Expr[str, Any] | str:
    if isinstance(pattern, str):
        written = pattern if escape == "\\" else _checked(with_backslashes, pattern, escape)
        _checked(like_pattern, written)
        return written
    if escape != "\\":
        raise ExpressionError(
            f"`{pattern!r}` is a pattern that is in the rows: its escape is the backslash, and "
            f"cannot be {escape!r}"
        )
    return pattern


def _checked(function: Callable[..., T], *arguments: str) -> T:
    try:
        return function(*arguments)
    except ValueError as error:
        raise ExpressionError(str(error)) from error
