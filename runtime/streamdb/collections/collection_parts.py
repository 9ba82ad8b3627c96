"""What a database hands to each of its collections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from streamdb.collections.batch_limits import BatchLimits
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.origin import Origin
from streamdb.collections.row_meta import MetaRows
from streamdb.collections.row_writer import Batches
from streamdb.collections.snapshots import Snapshots
from streamdb.collections.table import Table
from streamdb.collections.transaction import CheckMayWait
from streamdb.collections.writer import Writer
from streamdb.expr.query import QueryRunner
from streamdb.query_functions import check_may_wait
from streamdb.state.schema import CollectionSchema

Tx = TypeVar("Tx")


@dataclass(frozen=True, slots=True)
class CollectionParts(Generic[Tx]):
    """What a database hands to each of its collections.

    Attributes:
        schema: the declaration.
        table: the rows.
        lock: held by commits, and by reads that touch more than one row.
        snapshots: tell what the caller sees.
        writer: takes the writes.
        deliver: runs a user's callback where callbacks of this database run.
        check_started: raises if nothing has connected the database yet.
        check_goes_on: raises if there will be no commit: the database is closed, or has failed.
        runner: runs queries that begin at the collection.
        origin: what changes the rows, for those who follow them.
        batches: begins a writer's batches of rows.
        check_may_wait: raises where a wait would never end.
        metas: makes rows of what is known of rows.
        resolve_by: has a function resolve the conflicts of a collection.
    """

    schema: CollectionSchema[Any, Any]
    table: Table
    lock: CommitLock
    snapshots: Snapshots
    writer: Writer[Tx]
    deliver: Callable[[Callable[[], object]], None]
    check_started: Callable[[], None]
    check_goes_on: Callable[[], None]
    runner: QueryRunner | None = None
    origin: Origin | None = None
    batches: Callable[[CollectionSchema[Any, Any], BatchLimits], Batches[Any]] | None = None
    check_may_wait: CheckMayWait = check_may_wait
    metas: Callable[[], MetaRows] | None = None
    resolve_by: Callable[[CollectionSchema[Any, Any], Callable[..., Any] | None], None] | None = (
        None
    )
