"""Small sources in memory, and the oracle as what runs queries that begin at them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from msgspec import Struct

from streamdb.engine.naive import evaluate
from streamdb.engine.planning import plan_of
from streamdb.expr import Column, Columns, NullableColumn
from streamdb.expr.queries import Query1, query_of
from streamdb.expr.query_tree import QueryNode
from streamdb.expr.shape import Slot
from streamdb.expr.sources import Indexes
from streamdb.state.row_kinds import row_kind


class Memory:
    """A source whose rows have their key in ``id``."""

    key_column = "id"

    def __init__(self, name: str, columns: type[Columns[Any]], *rows: Any) -> None:
        self.name = name
        kinds = row_kind(type(rows[0]), None).kinds
        self.slot = Slot(name, columns, attrgetter, kinds=kinds)
        self.rows: Mapping[str, Any] = {row.id: row for row in rows}
        self.table = self
        self.indexes: Indexes | None = None

    def arrival(self, key: str) -> int:
        return [*self.rows].index(key)

    def moved(self, key: str) -> bool:
        return False  # nothing ever does

    def key_of(self, value: Any) -> Any:
        return value

    def parse_key(self, key: Any) -> Any:
        return key


class Oracle:
    """Runs queries by the naive evaluator."""

    def fetch(self, query: QueryNode, /) -> list[Any]:
        plan = plan_of(query)
        items = [row.item for row in evaluate(plan.root)]
        is_wrapped = plan.shape.is_tuple and len(plan.shape.slots) == 1
        return [item[0] for item in items] if is_wrapped else items

    def explain(self, query: QueryNode, /) -> str:
        return f"naive, {len(query.shape.slots)} slots"


class Message(Struct, frozen=True):
    id: str
    user_id: str | None = "ada"
    tokens: int = 1
    content: str = ""


class MessageColumns(Columns[Message]):
    id: Column[str]
    user_id: NullableColumn[str]
    tokens: Column[int]
    content: Column[str]


class User(Struct, frozen=True):
    id: str
    name: str
    boss: str | None = None


class UserColumns(Columns[User]):
    id: Column[str]
    name: Column[str]
    boss: NullableColumn[str]


MESSAGES = [
    Message("m1", "ada", 3, "one"),
    Message("m2", "bob", 1, "two"),
    Message("m3", "ada", 2, "three"),
    Message("m4", None, 5, "four"),
    Message("m5", "eve", 4, "five"),
]
USERS = [User("ada", "Ada"), User("bob", "Bob", "ada"), User("cyd", "Cyd", "bob")]


def messages(*rows: Message) -> Query1[Message, MessageColumns]:
    """Return a query for messages: those above, if none are given."""
    return query_of(Memory("messages", MessageColumns, *(rows or MESSAGES)), Oracle())


def users(*rows: User) -> Query1[User, UserColumns]:
    """Return a query for users: those above, if none are given."""
    return query_of(Memory("users", UserColumns, *(rows or USERS)), Oracle())
