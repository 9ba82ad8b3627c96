"""Typed columns and the expressions built on them: what is asked of a row, not how.

>>> from __future__ import annotations
>>> from msgspec import Struct
>>> class Message(Struct, frozen=True):
...     role: str
...     tokens: int | None = None
>>> class MessageColumns(Columns[Message]):
...     role: Column[str]
...     tokens: NullableColumn[int]
>>> is_long = predicate(MessageColumns, lambda m: (m.role == "user") & (m.tokens > 100))
>>> is_long(Message("user", 101)), is_long(Message("user", 99)), is_long(Message("user"))
(True, False, False)

From the ground up: ``operators`` is the table of what can be asked, ``nodes`` the tree it is asked
in, ``expression`` and ``surface`` the typed surface that builds the tree, ``columns`` the names it
starts from, ``evaluate`` and ``meaning`` what it means, ``conditions`` the way from a user's
function to a test of rows.
"""

from streamdb.errors import ExpressionError, UnknownColumn
from streamdb.expr import fn
from streamdb.expr.cases import case
from streamdb.expr.columns import Columns, UntypedColumns, columns_of
from streamdb.expr.conditions import predicate
from streamdb.expr.expression import Column, Condition, Expr, NullableColumn

__all__ = [
    "Column",
    "Columns",
    "Condition",
    "Expr",
    "ExpressionError",
    "NullableColumn",
    "UnknownColumn",
    "UntypedColumns",
    "case",
    "columns_of",
    "fn",
    "predicate",
]
