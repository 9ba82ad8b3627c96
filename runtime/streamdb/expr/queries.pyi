# Written by `python -m tests.runtime.expr.query_stub`, do not edit.
"""What type checkers are told of queries; at run time they are one class, see `query.py`.

A query has slots. Of each, `R` is what functions of rows are given, and `C` what functions of
columns are. A selected value of type `Expr[V, N]` is read as an `N`.
"""

from collections.abc import Callable
from typing import Any, Generic, Literal, ParamSpec, Protocol, Self, TypeAlias, TypeVar, overload

from streamdb.expr.expression import Expr
from streamdb.expr.opaque import Opaque
from streamdb.expr.ordering import Ordered, Ordering
from streamdb.expr.query import QueryRunner
from streamdb.expr.query_tree import QueryNode
from streamdb.expr.sources import Source

R1 = TypeVar("R1")
R2 = TypeVar("R2")
R3 = TypeVar("R3")
R4 = TypeVar("R4")
R5 = TypeVar("R5")
C1 = TypeVar("C1")
C2 = TypeVar("C2")
C3 = TypeVar("C3")
C4 = TypeVar("C4")
C5 = TypeVar("C5")
V1 = TypeVar("V1")
V2 = TypeVar("V2")
V3 = TypeVar("V3")
V4 = TypeVar("V4")
V5 = TypeVar("V5")
N1 = TypeVar("N1")
N2 = TypeVar("N2")
N3 = TypeVar("N3")
N4 = TypeVar("N4")
N5 = TypeVar("N5")
S1 = TypeVar("S1")
S2 = TypeVar("S2")
S3 = TypeVar("S3")
S4 = TypeVar("S4")
S5 = TypeVar("S5")
A1 = TypeVar("A1")
A2 = TypeVar("A2")
A3 = TypeVar("A3")
A4 = TypeVar("A4")
A5 = TypeVar("A5")
A6 = TypeVar("A6")
A7 = TypeVar("A7")
A8 = TypeVar("A8")
Made = TypeVar("Made")
T = TypeVar("T", covariant=True)
A = TypeVar("A", covariant=True)
S = TypeVar("S", covariant=True)
P = ParamSpec("P")

Condition: TypeAlias = Expr[bool, Any]
OrderTerm: TypeAlias = Expr[Ordered, Any] | Ordering
OrderTerms: TypeAlias = OrderTerm | tuple[OrderTerm, ...]

class Selectable(Protocol[A, S]):
    """A column or an expression, or all columns of a slot for its row: `A` is what is read."""

    def __slot_of__(self) -> tuple[A, S]: ...

class Liveable(Protocol[A, S]):
    """A query, a collection or a live query: `A` is what users see of a row, `S` its columns."""

    def __live_of__(self) -> tuple[A, S]: ...

class Query(Generic[T]):
    """What queries of any number of slots have in common; `T` is what users see of a row."""

    @property
    def node(self) -> QueryNode: ...
    @property
    def runner(self) -> QueryRunner | None: ...
    def __live_of__(self) -> tuple[T, Any]: ...
    def distinct(self) -> Self:
        """Keep one row of those that are equal: selected values, or what ``map`` made."""
    def limit(self, count: int) -> Self:
        """Keep so many of the ordered rows; a limit that was there before is replaced."""
    def offset(self, count: int) -> Self:
        """Leave out so many of the ordered rows; an offset that was there before is replaced."""
    def fetch(self) -> list[T]:
        """Return the rows as they are now: of several slots, tuples."""
    def first(self) -> T | None:
        """Return the first row, or None; which one that is follows from the order alone."""
    def one(self) -> T:
        """Return the only row."""
    def explain(self) -> str:
        """Describe how the query is run."""

class Queryable(Generic[R1, C1]):
    """What a query of one slot can begin at: a collection, a live query, or such a query."""

    def as_query(self) -> Query1[R1, C1]:
        """Return the query for all rows."""
    def __live_of__(self) -> tuple[R1, C1]: ...
    def where(self, condition: Callable[[C1], Condition]) -> Query1[R1, C1]:
        """Keep the rows of which a condition is true, so not those where it is unknown."""
    def filter(self, function: Callable[[R1], bool]) -> Query1[R1, C1]:
        """Keep the rows for which a function of the rows of all slots returns true."""
    def map(self, function: Callable[[R1], Made]) -> Query1[Made, Opaque[Made]]:
        """Put what a function makes of the rows of all slots in place of them."""
    def order_by(self, terms: Callable[[C1], OrderTerms]) -> Query1[R1, C1]:
        """Order the rows by one or several things; rows alike in all are ordered by their key."""
    def union(self, *others: Queryable[R1, C1]) -> Query1[R1, C1]:
        """Take the rows of this and of others, which have the same columns; equal ones stay."""
    @overload
    def select(self, columns: Callable[[C1], Selectable[A1, S1]], /) -> Query1[A1, S1]:
        """Put values in place of rows: ``select(columns)``, or ``select(make, columns)``."""
    @overload
    def select(
        self, columns: Callable[[C1], tuple[Selectable[A1, S1], Selectable[A2, S2]]], /
    ) -> Query2[A1, A2, S1, S2]: ...
    @overload
    def select(
        self,
        columns: Callable[[C1], tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3]]],
        /,
    ) -> Query3[A1, A2, A3, S1, S2, S3]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1],
            tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3], Selectable[A4, S4]],
        ],
        /,
    ) -> Query4[A1, A2, A3, A4, S1, S2, S3, S4]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1],
            tuple[
                Selectable[A1, S1],
                Selectable[A2, S2],
                Selectable[A3, S3],
                Selectable[A4, S4],
                Selectable[A5, S5],
            ],
        ],
        /,
    ) -> Query5[A1, A2, A3, A4, A5, S1, S2, S3, S4, S5]: ...
    @overload
    def select(
        self, make: Callable[[A1], Made], columns: Callable[[C1], Selectable[A1, Any]], /
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2], Made],
        columns: Callable[[C1], tuple[Selectable[A1, Any], Selectable[A2, Any]]],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3], Made],
        columns: Callable[
            [C1], tuple[Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any]]
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4], Made],
        columns: Callable[
            [C1],
            tuple[
                Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any], Selectable[A4, Any]
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5], Made],
        columns: Callable[
            [C1],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6], Made],
        columns: Callable[
            [C1],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7], Made],
        columns: Callable[
            [C1],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7, A8], Made],
        columns: Callable[
            [C1],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
                Selectable[A8, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def join(
        self,
        other: Queryable[R2, C2],
        on: Callable[[C1, C2], Condition],
        how: Literal["inner"] = ...,
    ) -> Query2[R1, R2, C1, C2]:
        """Put rows of both side by side where ``on`` is true of them."""
    @overload
    def join(
        self, other: Queryable[R2, C2], on: Callable[[C1, C2], Condition], how: Literal["left"]
    ) -> Query2[R1, R2 | None, C1, C2]: ...
    @overload
    def join(
        self, other: Queryable[R2, C2], on: Callable[[C1, C2], Condition], how: Literal["right"]
    ) -> Query2[R1 | None, R2, C1, C2]: ...
    @overload
    def join(
        self, other: Queryable[R2, C2], on: Callable[[C1, C2], Condition], how: Literal["full"]
    ) -> Query2[R1 | None, R2 | None, C1, C2]: ...
    @overload
    def join(
        self,
        other: Query2[R2, R3, C2, C3],
        on: Callable[[C1, C2, C3], Condition],
        how: Literal["inner"] = ...,
    ) -> Query3[R1, R2, R3, C1, C2, C3]: ...
    @overload
    def join(
        self,
        other: Query2[R2, R3, C2, C3],
        on: Callable[[C1, C2, C3], Condition],
        how: Literal["left"],
    ) -> Query3[R1, R2 | None, R3 | None, C1, C2, C3]: ...
    @overload
    def join(
        self,
        other: Query2[R2, R3, C2, C3],
        on: Callable[[C1, C2, C3], Condition],
        how: Literal["right"],
    ) -> Query3[R1 | None, R2, R3, C1, C2, C3]: ...
    @overload
    def join(
        self,
        other: Query2[R2, R3, C2, C3],
        on: Callable[[C1, C2, C3], Condition],
        how: Literal["full"],
    ) -> Query3[R1 | None, R2 | None, R3 | None, C1, C2, C3]: ...
    @overload
    def join(
        self,
        other: Query3[R2, R3, R4, C2, C3, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["inner"] = ...,
    ) -> Query4[R1, R2, R3, R4, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Query3[R2, R3, R4, C2, C3, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["left"],
    ) -> Query4[R1, R2 | None, R3 | None, R4 | None, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Query3[R2, R3, R4, C2, C3, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["right"],
    ) -> Query4[R1 | None, R2, R3, R4, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Query3[R2, R3, R4, C2, C3, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["full"],
    ) -> Query4[R1 | None, R2 | None, R3 | None, R4 | None, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Query4[R2, R3, R4, R5, C2, C3, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["inner"] = ...,
    ) -> Query5[R1, R2, R3, R4, R5, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Query4[R2, R3, R4, R5, C2, C3, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["left"],
    ) -> Query5[R1, R2 | None, R3 | None, R4 | None, R5 | None, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Query4[R2, R3, R4, R5, C2, C3, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["right"],
    ) -> Query5[R1 | None, R2, R3, R4, R5, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Query4[R2, R3, R4, R5, C2, C3, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["full"],
    ) -> Query5[R1 | None, R2 | None, R3 | None, R4 | None, R5 | None, C1, C2, C3, C4, C5]: ...
    @overload
    def group_by(self, keys: Callable[[C1], Expr[V1, N1]]) -> Grouped1[[C1], V1, N1]:
        """Put the rows together of which the keys are equal; go on with ``agg``."""
    @overload
    def group_by(
        self, keys: Callable[[C1], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Grouped2[[C1], V1, V2, N1, N2]: ...
    @overload
    def group_by(
        self, keys: Callable[[C1], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]]
    ) -> Grouped3[[C1], V1, V2, V3, N1, N2, N3]: ...
    @overload
    def agg(self, values: Callable[[C1], Expr[V1, N1]]) -> Query1[N1, Expr[V1, N1]]:
        """Make one row of all rows, however many: aggregates, or what is computed of them."""
    @overload
    def agg(
        self, values: Callable[[C1], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Query2[N1, N2, Expr[V1, N1], Expr[V2, N2]]: ...
    @overload
    def agg(
        self, values: Callable[[C1], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]]
    ) -> Query3[N1, N2, N3, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]: ...
    @overload
    def agg(
        self, values: Callable[[C1], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]]
    ) -> Query4[N1, N2, N3, N4, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]: ...
    @overload
    def agg(
        self,
        values: Callable[
            [C1], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]]
        ],
    ) -> Query5[
        N1, N2, N3, N4, N5, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]
    ]: ...
    def fetch(self) -> list[R1]:
        """Return the rows as they are now: of several slots, tuples."""
    def first(self) -> R1 | None:
        """Return the first row, or None; which one that is follows from the order alone."""
    def one(self) -> R1:
        """Return the only row."""
    def explain(self) -> str:
        """Describe how the query is run."""

class Query1(Query[R1], Queryable[R1, C1]):
    def __live_of__(self) -> tuple[R1, C1]: ...
    def having(self, condition: Callable[[C1], Condition]) -> Self:
        """Keep the groups of which a condition is true; it takes the columns that ``agg`` made."""

class Query2(Query[tuple[R1, R2]], Generic[R1, R2, C1, C2]):
    def __live_of__(self) -> tuple[tuple[R1, R2], Opaque[tuple[R1, R2]]]: ...
    def where(self, condition: Callable[[C1, C2], Condition]) -> Self:
        """Keep the rows of which a condition is true, so not those where it is unknown."""
    def filter(self, function: Callable[[R1, R2], bool]) -> Self:
        """Keep the rows for which a function of the rows of all slots returns true."""
    def map(self, function: Callable[[R1, R2], Made]) -> Query1[Made, Opaque[Made]]:
        """Put what a function makes of the rows of all slots in place of them."""
    def order_by(self, terms: Callable[[C1, C2], OrderTerms]) -> Self:
        """Order the rows by one or several things; rows alike in all are ordered by their key."""
    def union(self, *others: Query2[R1, R2, C1, C2]) -> Self:
        """Take the rows of this and of others, which have the same columns; equal ones stay."""
    @overload
    def select(self, columns: Callable[[C1, C2], Selectable[A1, S1]], /) -> Query1[A1, S1]:
        """Put values in place of rows: ``select(columns)``, or ``select(make, columns)``."""
    @overload
    def select(
        self, columns: Callable[[C1, C2], tuple[Selectable[A1, S1], Selectable[A2, S2]]], /
    ) -> Query2[A1, A2, S1, S2]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2], tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3]]
        ],
        /,
    ) -> Query3[A1, A2, A3, S1, S2, S3]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2],
            tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3], Selectable[A4, S4]],
        ],
        /,
    ) -> Query4[A1, A2, A3, A4, S1, S2, S3, S4]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2],
            tuple[
                Selectable[A1, S1],
                Selectable[A2, S2],
                Selectable[A3, S3],
                Selectable[A4, S4],
                Selectable[A5, S5],
            ],
        ],
        /,
    ) -> Query5[A1, A2, A3, A4, A5, S1, S2, S3, S4, S5]: ...
    @overload
    def select(
        self, make: Callable[[A1], Made], columns: Callable[[C1, C2], Selectable[A1, Any]], /
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2], Made],
        columns: Callable[[C1, C2], tuple[Selectable[A1, Any], Selectable[A2, Any]]],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3], Made],
        columns: Callable[
            [C1, C2], tuple[Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any]]
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4], Made],
        columns: Callable[
            [C1, C2],
            tuple[
                Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any], Selectable[A4, Any]
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5], Made],
        columns: Callable[
            [C1, C2],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6], Made],
        columns: Callable[
            [C1, C2],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7], Made],
        columns: Callable[
            [C1, C2],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7, A8], Made],
        columns: Callable[
            [C1, C2],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
                Selectable[A8, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def join(
        self,
        other: Queryable[R3, C3],
        on: Callable[[C1, C2, C3], Condition],
        how: Literal["inner"] = ...,
    ) -> Query3[R1, R2, R3, C1, C2, C3]:
        """Put rows of both side by side where ``on`` is true of them."""
    @overload
    def join(
        self, other: Queryable[R3, C3], on: Callable[[C1, C2, C3], Condition], how: Literal["left"]
    ) -> Query3[R1, R2, R3 | None, C1, C2, C3]: ...
    @overload
    def join(
        self, other: Queryable[R3, C3], on: Callable[[C1, C2, C3], Condition], how: Literal["right"]
    ) -> Query3[R1 | None, R2 | None, R3, C1, C2, C3]: ...
    @overload
    def join(
        self, other: Queryable[R3, C3], on: Callable[[C1, C2, C3], Condition], how: Literal["full"]
    ) -> Query3[R1 | None, R2 | None, R3 | None, C1, C2, C3]: ...
    @overload
    def join(
        self,
        other: Query2[R3, R4, C3, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["inner"] = ...,
    ) -> Query4[R1, R2, R3, R4, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Query2[R3, R4, C3, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["left"],
    ) -> Query4[R1, R2, R3 | None, R4 | None, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Query2[R3, R4, C3, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["right"],
    ) -> Query4[R1 | None, R2 | None, R3, R4, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Query2[R3, R4, C3, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["full"],
    ) -> Query4[R1 | None, R2 | None, R3 | None, R4 | None, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Query3[R3, R4, R5, C3, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["inner"] = ...,
    ) -> Query5[R1, R2, R3, R4, R5, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Query3[R3, R4, R5, C3, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["left"],
    ) -> Query5[R1, R2, R3 | None, R4 | None, R5 | None, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Query3[R3, R4, R5, C3, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["right"],
    ) -> Query5[R1 | None, R2 | None, R3, R4, R5, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Query3[R3, R4, R5, C3, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["full"],
    ) -> Query5[R1 | None, R2 | None, R3 | None, R4 | None, R5 | None, C1, C2, C3, C4, C5]: ...
    @overload
    def group_by(self, keys: Callable[[C1, C2], Expr[V1, N1]]) -> Grouped1[[C1, C2], V1, N1]:
        """Put the rows together of which the keys are equal; go on with ``agg``."""
    @overload
    def group_by(
        self, keys: Callable[[C1, C2], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Grouped2[[C1, C2], V1, V2, N1, N2]: ...
    @overload
    def group_by(
        self, keys: Callable[[C1, C2], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]]
    ) -> Grouped3[[C1, C2], V1, V2, V3, N1, N2, N3]: ...
    @overload
    def agg(self, values: Callable[[C1, C2], Expr[V1, N1]]) -> Query1[N1, Expr[V1, N1]]:
        """Make one row of all rows, however many: aggregates, or what is computed of them."""
    @overload
    def agg(
        self, values: Callable[[C1, C2], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Query2[N1, N2, Expr[V1, N1], Expr[V2, N2]]: ...
    @overload
    def agg(
        self, values: Callable[[C1, C2], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]]
    ) -> Query3[N1, N2, N3, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]: ...
    @overload
    def agg(
        self,
        values: Callable[[C1, C2], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]],
    ) -> Query4[N1, N2, N3, N4, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]: ...
    @overload
    def agg(
        self,
        values: Callable[
            [C1, C2], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]]
        ],
    ) -> Query5[
        N1, N2, N3, N4, N5, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]
    ]: ...
    def having(self, condition: Callable[[C1, C2], Condition]) -> Self:
        """Keep the groups of which a condition is true; it takes the columns that ``agg`` made."""

class Query3(Query[tuple[R1, R2, R3]], Generic[R1, R2, R3, C1, C2, C3]):
    def __live_of__(self) -> tuple[tuple[R1, R2, R3], Opaque[tuple[R1, R2, R3]]]: ...
    def where(self, condition: Callable[[C1, C2, C3], Condition]) -> Self:
        """Keep the rows of which a condition is true, so not those where it is unknown."""
    def filter(self, function: Callable[[R1, R2, R3], bool]) -> Self:
        """Keep the rows for which a function of the rows of all slots returns true."""
    def map(self, function: Callable[[R1, R2, R3], Made]) -> Query1[Made, Opaque[Made]]:
        """Put what a function makes of the rows of all slots in place of them."""
    def order_by(self, terms: Callable[[C1, C2, C3], OrderTerms]) -> Self:
        """Order the rows by one or several things; rows alike in all are ordered by their key."""
    def union(self, *others: Query3[R1, R2, R3, C1, C2, C3]) -> Self:
        """Take the rows of this and of others, which have the same columns; equal ones stay."""
    @overload
    def select(self, columns: Callable[[C1, C2, C3], Selectable[A1, S1]], /) -> Query1[A1, S1]:
        """Put values in place of rows: ``select(columns)``, or ``select(make, columns)``."""
    @overload
    def select(
        self, columns: Callable[[C1, C2, C3], tuple[Selectable[A1, S1], Selectable[A2, S2]]], /
    ) -> Query2[A1, A2, S1, S2]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2, C3], tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3]]
        ],
        /,
    ) -> Query3[A1, A2, A3, S1, S2, S3]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2, C3],
            tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3], Selectable[A4, S4]],
        ],
        /,
    ) -> Query4[A1, A2, A3, A4, S1, S2, S3, S4]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2, C3],
            tuple[
                Selectable[A1, S1],
                Selectable[A2, S2],
                Selectable[A3, S3],
                Selectable[A4, S4],
                Selectable[A5, S5],
            ],
        ],
        /,
    ) -> Query5[A1, A2, A3, A4, A5, S1, S2, S3, S4, S5]: ...
    @overload
    def select(
        self, make: Callable[[A1], Made], columns: Callable[[C1, C2, C3], Selectable[A1, Any]], /
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2], Made],
        columns: Callable[[C1, C2, C3], tuple[Selectable[A1, Any], Selectable[A2, Any]]],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3], Made],
        columns: Callable[
            [C1, C2, C3], tuple[Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any]]
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4], Made],
        columns: Callable[
            [C1, C2, C3],
            tuple[
                Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any], Selectable[A4, Any]
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5], Made],
        columns: Callable[
            [C1, C2, C3],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6], Made],
        columns: Callable[
            [C1, C2, C3],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7], Made],
        columns: Callable[
            [C1, C2, C3],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7, A8], Made],
        columns: Callable[
            [C1, C2, C3],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
                Selectable[A8, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def join(
        self,
        other: Queryable[R4, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["inner"] = ...,
    ) -> Query4[R1, R2, R3, R4, C1, C2, C3, C4]:
        """Put rows of both side by side where ``on`` is true of them."""
    @overload
    def join(
        self,
        other: Queryable[R4, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["left"],
    ) -> Query4[R1, R2, R3, R4 | None, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Queryable[R4, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["right"],
    ) -> Query4[R1 | None, R2 | None, R3 | None, R4, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Queryable[R4, C4],
        on: Callable[[C1, C2, C3, C4], Condition],
        how: Literal["full"],
    ) -> Query4[R1 | None, R2 | None, R3 | None, R4 | None, C1, C2, C3, C4]: ...
    @overload
    def join(
        self,
        other: Query2[R4, R5, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["inner"] = ...,
    ) -> Query5[R1, R2, R3, R4, R5, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Query2[R4, R5, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["left"],
    ) -> Query5[R1, R2, R3, R4 | None, R5 | None, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Query2[R4, R5, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["right"],
    ) -> Query5[R1 | None, R2 | None, R3 | None, R4, R5, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Query2[R4, R5, C4, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["full"],
    ) -> Query5[R1 | None, R2 | None, R3 | None, R4 | None, R5 | None, C1, C2, C3, C4, C5]: ...
    @overload
    def group_by(
        self, keys: Callable[[C1, C2, C3], Expr[V1, N1]]
    ) -> Grouped1[[C1, C2, C3], V1, N1]:
        """Put the rows together of which the keys are equal; go on with ``agg``."""
    @overload
    def group_by(
        self, keys: Callable[[C1, C2, C3], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Grouped2[[C1, C2, C3], V1, V2, N1, N2]: ...
    @overload
    def group_by(
        self, keys: Callable[[C1, C2, C3], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]]
    ) -> Grouped3[[C1, C2, C3], V1, V2, V3, N1, N2, N3]: ...
    @overload
    def agg(self, values: Callable[[C1, C2, C3], Expr[V1, N1]]) -> Query1[N1, Expr[V1, N1]]:
        """Make one row of all rows, however many: aggregates, or what is computed of them."""
    @overload
    def agg(
        self, values: Callable[[C1, C2, C3], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Query2[N1, N2, Expr[V1, N1], Expr[V2, N2]]: ...
    @overload
    def agg(
        self, values: Callable[[C1, C2, C3], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]]
    ) -> Query3[N1, N2, N3, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]: ...
    @overload
    def agg(
        self,
        values: Callable[
            [C1, C2, C3], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]
        ],
    ) -> Query4[N1, N2, N3, N4, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]: ...
    @overload
    def agg(
        self,
        values: Callable[
            [C1, C2, C3],
            tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]],
        ],
    ) -> Query5[
        N1, N2, N3, N4, N5, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]
    ]: ...
    def having(self, condition: Callable[[C1, C2, C3], Condition]) -> Self:
        """Keep the groups of which a condition is true; it takes the columns that ``agg`` made."""

class Query4(Query[tuple[R1, R2, R3, R4]], Generic[R1, R2, R3, R4, C1, C2, C3, C4]):
    def __live_of__(self) -> tuple[tuple[R1, R2, R3, R4], Opaque[tuple[R1, R2, R3, R4]]]: ...
    def where(self, condition: Callable[[C1, C2, C3, C4], Condition]) -> Self:
        """Keep the rows of which a condition is true, so not those where it is unknown."""
    def filter(self, function: Callable[[R1, R2, R3, R4], bool]) -> Self:
        """Keep the rows for which a function of the rows of all slots returns true."""
    def map(self, function: Callable[[R1, R2, R3, R4], Made]) -> Query1[Made, Opaque[Made]]:
        """Put what a function makes of the rows of all slots in place of them."""
    def order_by(self, terms: Callable[[C1, C2, C3, C4], OrderTerms]) -> Self:
        """Order the rows by one or several things; rows alike in all are ordered by their key."""
    def union(self, *others: Query4[R1, R2, R3, R4, C1, C2, C3, C4]) -> Self:
        """Take the rows of this and of others, which have the same columns; equal ones stay."""
    @overload
    def select(self, columns: Callable[[C1, C2, C3, C4], Selectable[A1, S1]], /) -> Query1[A1, S1]:
        """Put values in place of rows: ``select(columns)``, or ``select(make, columns)``."""
    @overload
    def select(
        self, columns: Callable[[C1, C2, C3, C4], tuple[Selectable[A1, S1], Selectable[A2, S2]]], /
    ) -> Query2[A1, A2, S1, S2]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2, C3, C4], tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3]]
        ],
        /,
    ) -> Query3[A1, A2, A3, S1, S2, S3]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2, C3, C4],
            tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3], Selectable[A4, S4]],
        ],
        /,
    ) -> Query4[A1, A2, A3, A4, S1, S2, S3, S4]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2, C3, C4],
            tuple[
                Selectable[A1, S1],
                Selectable[A2, S2],
                Selectable[A3, S3],
                Selectable[A4, S4],
                Selectable[A5, S5],
            ],
        ],
        /,
    ) -> Query5[A1, A2, A3, A4, A5, S1, S2, S3, S4, S5]: ...
    @overload
    def select(
        self,
        make: Callable[[A1], Made],
        columns: Callable[[C1, C2, C3, C4], Selectable[A1, Any]],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2], Made],
        columns: Callable[[C1, C2, C3, C4], tuple[Selectable[A1, Any], Selectable[A2, Any]]],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3], Made],
        columns: Callable[
            [C1, C2, C3, C4], tuple[Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any]]
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4], Made],
        columns: Callable[
            [C1, C2, C3, C4],
            tuple[
                Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any], Selectable[A4, Any]
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5], Made],
        columns: Callable[
            [C1, C2, C3, C4],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6], Made],
        columns: Callable[
            [C1, C2, C3, C4],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7], Made],
        columns: Callable[
            [C1, C2, C3, C4],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7, A8], Made],
        columns: Callable[
            [C1, C2, C3, C4],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
                Selectable[A8, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def join(
        self,
        other: Queryable[R5, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["inner"] = ...,
    ) -> Query5[R1, R2, R3, R4, R5, C1, C2, C3, C4, C5]:
        """Put rows of both side by side where ``on`` is true of them."""
    @overload
    def join(
        self,
        other: Queryable[R5, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["left"],
    ) -> Query5[R1, R2, R3, R4, R5 | None, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Queryable[R5, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["right"],
    ) -> Query5[R1 | None, R2 | None, R3 | None, R4 | None, R5, C1, C2, C3, C4, C5]: ...
    @overload
    def join(
        self,
        other: Queryable[R5, C5],
        on: Callable[[C1, C2, C3, C4, C5], Condition],
        how: Literal["full"],
    ) -> Query5[R1 | None, R2 | None, R3 | None, R4 | None, R5 | None, C1, C2, C3, C4, C5]: ...
    @overload
    def group_by(
        self, keys: Callable[[C1, C2, C3, C4], Expr[V1, N1]]
    ) -> Grouped1[[C1, C2, C3, C4], V1, N1]:
        """Put the rows together of which the keys are equal; go on with ``agg``."""
    @overload
    def group_by(
        self, keys: Callable[[C1, C2, C3, C4], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Grouped2[[C1, C2, C3, C4], V1, V2, N1, N2]: ...
    @overload
    def group_by(
        self, keys: Callable[[C1, C2, C3, C4], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]]
    ) -> Grouped3[[C1, C2, C3, C4], V1, V2, V3, N1, N2, N3]: ...
    @overload
    def agg(self, values: Callable[[C1, C2, C3, C4], Expr[V1, N1]]) -> Query1[N1, Expr[V1, N1]]:
        """Make one row of all rows, however many: aggregates, or what is computed of them."""
    @overload
    def agg(
        self, values: Callable[[C1, C2, C3, C4], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Query2[N1, N2, Expr[V1, N1], Expr[V2, N2]]: ...
    @overload
    def agg(
        self, values: Callable[[C1, C2, C3, C4], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]]
    ) -> Query3[N1, N2, N3, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]: ...
    @overload
    def agg(
        self,
        values: Callable[
            [C1, C2, C3, C4], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]
        ],
    ) -> Query4[N1, N2, N3, N4, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]: ...
    @overload
    def agg(
        self,
        values: Callable[
            [C1, C2, C3, C4],
            tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]],
        ],
    ) -> Query5[
        N1, N2, N3, N4, N5, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]
    ]: ...
    def having(self, condition: Callable[[C1, C2, C3, C4], Condition]) -> Self:
        """Keep the groups of which a condition is true; it takes the columns that ``agg`` made."""

class Query5(Query[tuple[R1, R2, R3, R4, R5]], Generic[R1, R2, R3, R4, R5, C1, C2, C3, C4, C5]):
    def __live_of__(
        self,
    ) -> tuple[tuple[R1, R2, R3, R4, R5], Opaque[tuple[R1, R2, R3, R4, R5]]]: ...
    def where(self, condition: Callable[[C1, C2, C3, C4, C5], Condition]) -> Self:
        """Keep the rows of which a condition is true, so not those where it is unknown."""
    def filter(self, function: Callable[[R1, R2, R3, R4, R5], bool]) -> Self:
        """Keep the rows for which a function of the rows of all slots returns true."""
    def map(self, function: Callable[[R1, R2, R3, R4, R5], Made]) -> Query1[Made, Opaque[Made]]:
        """Put what a function makes of the rows of all slots in place of them."""
    def order_by(self, terms: Callable[[C1, C2, C3, C4, C5], OrderTerms]) -> Self:
        """Order the rows by one or several things; rows alike in all are ordered by their key."""
    def union(self, *others: Query5[R1, R2, R3, R4, R5, C1, C2, C3, C4, C5]) -> Self:
        """Take the rows of this and of others, which have the same columns; equal ones stay."""
    @overload
    def select(
        self, columns: Callable[[C1, C2, C3, C4, C5], Selectable[A1, S1]], /
    ) -> Query1[A1, S1]:
        """Put values in place of rows: ``select(columns)``, or ``select(make, columns)``."""
    @overload
    def select(
        self,
        columns: Callable[[C1, C2, C3, C4, C5], tuple[Selectable[A1, S1], Selectable[A2, S2]]],
        /,
    ) -> Query2[A1, A2, S1, S2]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2, C3, C4, C5], tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3]]
        ],
        /,
    ) -> Query3[A1, A2, A3, S1, S2, S3]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2, C3, C4, C5],
            tuple[Selectable[A1, S1], Selectable[A2, S2], Selectable[A3, S3], Selectable[A4, S4]],
        ],
        /,
    ) -> Query4[A1, A2, A3, A4, S1, S2, S3, S4]: ...
    @overload
    def select(
        self,
        columns: Callable[
            [C1, C2, C3, C4, C5],
            tuple[
                Selectable[A1, S1],
                Selectable[A2, S2],
                Selectable[A3, S3],
                Selectable[A4, S4],
                Selectable[A5, S5],
            ],
        ],
        /,
    ) -> Query5[A1, A2, A3, A4, A5, S1, S2, S3, S4, S5]: ...
    @overload
    def select(
        self,
        make: Callable[[A1], Made],
        columns: Callable[[C1, C2, C3, C4, C5], Selectable[A1, Any]],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2], Made],
        columns: Callable[[C1, C2, C3, C4, C5], tuple[Selectable[A1, Any], Selectable[A2, Any]]],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3], Made],
        columns: Callable[
            [C1, C2, C3, C4, C5],
            tuple[Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any]],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4], Made],
        columns: Callable[
            [C1, C2, C3, C4, C5],
            tuple[
                Selectable[A1, Any], Selectable[A2, Any], Selectable[A3, Any], Selectable[A4, Any]
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5], Made],
        columns: Callable[
            [C1, C2, C3, C4, C5],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6], Made],
        columns: Callable[
            [C1, C2, C3, C4, C5],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7], Made],
        columns: Callable[
            [C1, C2, C3, C4, C5],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def select(
        self,
        make: Callable[[A1, A2, A3, A4, A5, A6, A7, A8], Made],
        columns: Callable[
            [C1, C2, C3, C4, C5],
            tuple[
                Selectable[A1, Any],
                Selectable[A2, Any],
                Selectable[A3, Any],
                Selectable[A4, Any],
                Selectable[A5, Any],
                Selectable[A6, Any],
                Selectable[A7, Any],
                Selectable[A8, Any],
            ],
        ],
        /,
    ) -> Query1[Made, Opaque[Made]]: ...
    @overload
    def group_by(
        self, keys: Callable[[C1, C2, C3, C4, C5], Expr[V1, N1]]
    ) -> Grouped1[[C1, C2, C3, C4, C5], V1, N1]:
        """Put the rows together of which the keys are equal; go on with ``agg``."""
    @overload
    def group_by(
        self, keys: Callable[[C1, C2, C3, C4, C5], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Grouped2[[C1, C2, C3, C4, C5], V1, V2, N1, N2]: ...
    @overload
    def group_by(
        self, keys: Callable[[C1, C2, C3, C4, C5], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]]
    ) -> Grouped3[[C1, C2, C3, C4, C5], V1, V2, V3, N1, N2, N3]: ...
    @overload
    def agg(self, values: Callable[[C1, C2, C3, C4, C5], Expr[V1, N1]]) -> Query1[N1, Expr[V1, N1]]:
        """Make one row of all rows, however many: aggregates, or what is computed of them."""
    @overload
    def agg(
        self, values: Callable[[C1, C2, C3, C4, C5], tuple[Expr[V1, N1], Expr[V2, N2]]]
    ) -> Query2[N1, N2, Expr[V1, N1], Expr[V2, N2]]: ...
    @overload
    def agg(
        self,
        values: Callable[[C1, C2, C3, C4, C5], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]],
    ) -> Query3[N1, N2, N3, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]: ...
    @overload
    def agg(
        self,
        values: Callable[
            [C1, C2, C3, C4, C5], tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]
        ],
    ) -> Query4[N1, N2, N3, N4, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]: ...
    @overload
    def agg(
        self,
        values: Callable[
            [C1, C2, C3, C4, C5],
            tuple[Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]],
        ],
    ) -> Query5[
        N1, N2, N3, N4, N5, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]
    ]: ...
    def having(self, condition: Callable[[C1, C2, C3, C4, C5], Condition]) -> Self:
        """Keep the groups of which a condition is true; it takes the columns that ``agg`` made."""

class Grouped1(Generic[P, V1, N1]):
    @overload
    def agg(self, values: Callable[P, Expr[V2, N2]]) -> Query2[N1, N2, Expr[V1, N1], Expr[V2, N2]]:
        """Make one row of each group: its keys, and aggregates or what is computed of them."""
    @overload
    def agg(
        self, values: Callable[P, tuple[Expr[V2, N2], Expr[V3, N3]]]
    ) -> Query3[N1, N2, N3, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]: ...
    @overload
    def agg(
        self, values: Callable[P, tuple[Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]]
    ) -> Query4[N1, N2, N3, N4, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]: ...
    @overload
    def agg(
        self, values: Callable[P, tuple[Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]]]
    ) -> Query5[
        N1, N2, N3, N4, N5, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]
    ]: ...

class Grouped2(Generic[P, V1, V2, N1, N2]):
    @overload
    def agg(
        self, values: Callable[P, Expr[V3, N3]]
    ) -> Query3[N1, N2, N3, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3]]:
        """Make one row of each group: its keys, and aggregates or what is computed of them."""
    @overload
    def agg(
        self, values: Callable[P, tuple[Expr[V3, N3], Expr[V4, N4]]]
    ) -> Query4[N1, N2, N3, N4, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]: ...
    @overload
    def agg(
        self, values: Callable[P, tuple[Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]]]
    ) -> Query5[
        N1, N2, N3, N4, N5, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]
    ]: ...

class Grouped3(Generic[P, V1, V2, V3, N1, N2, N3]):
    @overload
    def agg(
        self, values: Callable[P, Expr[V4, N4]]
    ) -> Query4[N1, N2, N3, N4, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4]]:
        """Make one row of each group: its keys, and aggregates or what is computed of them."""
    @overload
    def agg(
        self, values: Callable[P, tuple[Expr[V4, N4], Expr[V5, N5]]]
    ) -> Query5[
        N1, N2, N3, N4, N5, Expr[V1, N1], Expr[V2, N2], Expr[V3, N3], Expr[V4, N4], Expr[V5, N5]
    ]: ...

def query_of(source: Source, runner: QueryRunner | None) -> Query1[Any, Any]: ...
