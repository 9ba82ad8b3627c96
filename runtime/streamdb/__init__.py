"""Durable Streams with typed, live, in-memory collections.

The public names of the runtime; generated packages import from here and nowhere else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from streamdb.public_names import HOMES

if TYPE_CHECKING:
    from msgspec import UNSET, UnsetType

    from streamdb.abi import require_abi
    from streamdb.collections.change_iteration import AsyncChanges, BlockingChanges
    from streamdb.collections.changes import Change, ChangeKind, Changes
    from streamdb.collections.collection import AsyncCollection, Collection
    from streamdb.collections.row_meta import MetaColumns, RowMeta
    from streamdb.collections.row_writer import AsyncRowWriter, RowWriter
    from streamdb.collections.subscription import Subscription
    from streamdb.collections.transaction import AsyncTransaction, Transaction, TransactionStatus
    from streamdb.db.action_inputs import ActionInput
    from streamdb.db.action_stubs import ActionStub, AsyncActionStub
    from streamdb.db.action_transactions import ActionTransaction, AsyncActionTransaction
    from streamdb.db.actions import ActionsBase, AsyncActionsBase
    from streamdb.db.async_db import AsyncStreamDB
    from streamdb.db.blocking_db import StreamDB
    from streamdb.db.declaration import DeclaredCollection, collection
    from streamdb.db.manual import AsyncManualTransaction, ManualTransaction
    from streamdb.db.metrics import Metrics
    from streamdb.db.options import DatabaseOptions, InvalidEvent
    from streamdb.db.outbox import Outbox, OutboxEntry, OutboxWrite
    from streamdb.db.paced import AsyncPaced, Paced
    from streamdb.db.rhythms import Debounce, InTurn, Throttle, debounce, in_turn, throttle
    from streamdb.db.status import Status
    from streamdb.engine.live import AsyncLiveQuery, LiveQuery
    from streamdb.engine.local import AsyncLocalCollection, LocalCollection
    from streamdb.errors import (
        AbiMismatch,
        AccessDenied,
        BadAddress,
        BadHeader,
        BadRequest,
        BufferFull,
        CacheError,
        CacheInUse,
        ConditionTimeout,
        ConnectionFailed,
        ContentTypeConflict,
        ContractBroken,
        DatabaseClosed,
        DuplicateKey,
        ExpressionError,
        ForkedProcess,
        HandleClosed,
        InvalidEventError,
        InvalidInput,
        InvalidRow,
        MissingExtra,
        MissingKey,
        NotAStateStream,
        NotConnected,
        NotOneRow,
        NotReached,
        NotSupported,
        PayloadTooLarge,
        ProducerFailed,
        ProducerFenced,
        ProducerGap,
        QueryClosed,
        RateLimited,
        RolledBack,
        RowChanged,
        SchemaError,
        SequenceConflict,
        SpecError,
        StreamClosed,
        StreamDBError,
        StreamError,
        StreamExists,
        StreamGone,
        StreamNotFound,
        StreamParseError,
        StreamTimeout,
        TransactionFailed,
        TransactionKept,
        TransactionUnresolved,
        TxidTimeout,
        UnexpectedStatus,
        UnknownCollection,
        UnknownColumn,
        UnknownTransaction,
        WaitTimeout,
        WouldDeadlock,
        WriterFailed,
    )
    from streamdb.expr import (
        Column,
        Columns,
        Condition,
        Expr,
        NullableColumn,
        UntypedColumns,
        case,
        fn,
    )
    from streamdb.expr.opaque import Opaque
    from streamdb.expr.queries import (
        Query,
        Query1,
        Query2,
        Query3,
        Query4,
        Query5,
        Queryable,
    )
    from streamdb.protocol.exchange import Batch
    from streamdb.protocol.results import Appended, StreamInfo
    from streamdb.protocol.retry import RetryPolicy
    from streamdb.state.contract import Contract
    from streamdb.state.events import ChangeEvent, EventConstructors
    from streamdb.state.materialized import MaterializedState
    from streamdb.state.schema import CollectionSchema, StateSchema
    from streamdb.state.stream_event import StreamEvent
    from streamdb.streams.async_producer import AsyncProducer
    from streamdb.streams.async_stream import AsyncStream
    from streamdb.streams.blocking_producer import Producer
    from streamdb.streams.blocking_stream import Stream
    from streamdb.streams.options import StreamOptions
    from streamdb.streams.wire import Retry
    from streamdb.types.any_of import AnyOf
    from streamdb.types.extensible import Extensible
    from streamdb.types.maybe import Maybe
    from streamdb.types.number import Number
else:

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for (see `public_names`)."""
        if (home := HOMES.get(name)) is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value = getattr(import_module(home), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *HOMES})


__version__ = "0.1.0"

__all__ = [
    "UNSET",
    "AbiMismatch",
    "AccessDenied",
    "ActionInput",
    "ActionStub",
    "ActionTransaction",
    "ActionsBase",
    "AnyOf",
    "Appended",
    "AsyncActionStub",
    "AsyncActionTransaction",
    "AsyncActionsBase",
    "AsyncChanges",
    "AsyncCollection",
    "AsyncLiveQuery",
    "AsyncLocalCollection",
    "AsyncManualTransaction",
    "AsyncPaced",
    "AsyncProducer",
    "AsyncRowWriter",
    "AsyncStream",
    "AsyncStreamDB",
    "AsyncTransaction",
    "BadAddress",
    "BadHeader",
    "BadRequest",
    "Batch",
    "BlockingChanges",
    "BufferFull",
    "CacheError",
    "CacheInUse",
    "Change",
    "ChangeEvent",
    "ChangeKind",
    "Changes",
    "Collection",
    "CollectionSchema",
    "Column",
    "Columns",
    "Condition",
    "ConditionTimeout",
    "ConnectionFailed",
    "ContentTypeConflict",
    "Contract",
    "ContractBroken",
    "DatabaseClosed",
    "DatabaseOptions",
    "Debounce",
    "DeclaredCollection",
    "DuplicateKey",
    "EventConstructors",
    "Expr",
    "ExpressionError",
    "Extensible",
    "ForkedProcess",
    "HandleClosed",
    "InTurn",
    "InvalidEvent",
    "InvalidEventError",
    "InvalidInput",
    "InvalidRow",
    "LiveQuery",
    "LocalCollection",
    "ManualTransaction",
    "MaterializedState",
    "Maybe",
    "MetaColumns",
    "Metrics",
    "MissingExtra",
    "MissingKey",
    "NotAStateStream",
    "NotConnected",
    "NotOneRow",
    "NotReached",
    "NotSupported",
    "NullableColumn",
    "Number",
    "Opaque",
    "Outbox",
    "OutboxEntry",
    "OutboxWrite",
    "Paced",
    "PayloadTooLarge",
    "Producer",
    "ProducerFailed",
    "ProducerFenced",
    "ProducerGap",
    "Query",
    "Query1",
    "Query2",
    "Query3",
    "Query4",
    "Query5",
    "QueryClosed",
    "Queryable",
    "RateLimited",
    "Retry",
    "RetryPolicy",
    "RolledBack",
    "RowChanged",
    "RowMeta",
    "RowWriter",
    "SchemaError",
    "SequenceConflict",
    "SpecError",
    "StateSchema",
    "Status",
    "Stream",
    "StreamClosed",
    "StreamDB",
    "StreamDBError",
    "StreamError",
    "StreamEvent",
    "StreamExists",
    "StreamGone",
    "StreamInfo",
    "StreamNotFound",
    "StreamOptions",
    "StreamParseError",
    "StreamTimeout",
    "Subscription",
    "Throttle",
    "Transaction",
    "TransactionFailed",
    "TransactionKept",
    "TransactionStatus",
    "TransactionUnresolved",
    "TxidTimeout",
    "UnexpectedStatus",
    "UnknownCollection",
    "UnknownColumn",
    "UnknownTransaction",
    "UnsetType",
    "UntypedColumns",
    "WaitTimeout",
    "WouldDeadlock",
    "WriterFailed",
    "case",
    "collection",
    "debounce",
    "fn",
    "in_turn",
    "require_abi",
    "throttle",
]
