"""The names that queries have for type checkers, which read ``queries.pyi`` instead of this file.

At run time there is one class, for a query of any number of slots.
"""

from __future__ import annotations

from streamdb.expr.query import Grouped, Query, query_of
from streamdb.expr.queryable import Queryable

Query1 = Query2 = Query3 = Query4 = Query5 = Query
Grouped1 = Grouped2 = Grouped3 = Grouped

__all__ = [
    "Grouped1",
    "Grouped2",
    "Grouped3",
    "Query",
    "Query1",
    "Query2",
    "Query3",
    "Query4",
    "Query5",
    "Queryable",
    "query_of",
]
