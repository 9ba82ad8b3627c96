"""What can be wrong with an expression. All of it is a mistake in the program, not in the data."""

from __future__ import annotations

from streamdb.errors import StreamDBError


class ExpressionError(StreamDBError, TypeError):
    """An expression that makes no sense, or a function that returned no expression."""


class UnknownColumn(ExpressionError, AttributeError):
    """A column that the row type does not have; the message lists those that it has."""
