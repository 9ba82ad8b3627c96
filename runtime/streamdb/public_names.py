"""Which module each public name of the package is from.

`import streamdb` imports none of them: what a program uses is imported when it is first asked for.
So `streamdb --help` loads no HTTP client, and a program that only reads streams no databases. Type
checkers see the plain imports in `streamdb/__init__.py`; a test holds both lists together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "msgspec": (
        "UNSET",
        "UnsetType",
    ),
    "streamdb.abi": ("require_abi",),
    "streamdb.collections.changes": (
        "Change",
        "ChangeKind",
        "Changes",
    ),
    "streamdb.collections.collection": (
        "AsyncChanges",
        "AsyncCollection",
        "BlockingChanges",
        "Collection",
        "RowMeta",
        "Subscription",
    ),
    "streamdb.collections.transaction": (
        "AsyncTransaction",
        "Transaction",
        "TransactionStatus",
    ),
    "streamdb.db.action_inputs": ("ActionInput",),
    "streamdb.db.actions": (
        "ActionsBase",
        "AsyncActionsBase",
    ),
    "streamdb.db.async_db": ("AsyncStreamDB",),
    "streamdb.db.blocking_db": ("StreamDB",),
    "streamdb.db.declaration": (
        "DeclaredCollection",
        "collection",
    ),
    "streamdb.db.options": (
        "DatabaseOptions",
        "InvalidEvent",
    ),
    "streamdb.db.state": ("Metrics",),
    "streamdb.db.status": ("Status",),
    "streamdb.errors": (
        "AbiMismatch",
        "AccessDenied",
        "BadAddress",
        "BadHeader",
        "BadRequest",
        "BufferFull",
        "CacheError",
        "CacheInUse",
        "ConditionTimeout",
        "ConnectionFailed",
        "NotReached",
        "ContentTypeConflict",
        "ContractBroken",
        "DatabaseClosed",
        "DuplicateKey",
        "ExpressionError",
        "ForkedProcess",
        "HandleClosed",
        "InvalidEventError",
        "InvalidInput",
        "InvalidRow",
        "MissingExtra",
        "MissingKey",
        "NotAStateStream",
        "NotConnected",
        "NotSupported",
        "PayloadTooLarge",
        "ProducerFailed",
        "ProducerFenced",
        "ProducerGap",
        "RateLimited",
        "SchemaError",
        "SequenceConflict",
        "SpecError",
        "StreamClosed",
        "StreamDBError",
        "StreamError",
        "StreamExists",
        "StreamGone",
        "StreamNotFound",
        "StreamParseError",
        "StreamTimeout",
        "TransactionFailed",
        "TransactionUnresolved",
        "TxidTimeout",
        "UnexpectedStatus",
        "UnknownCollection",
        "UnknownColumn",
        "WouldDeadlock",
    ),
    "streamdb.expr": (
        "Column",
        "Columns",
        "Condition",
        "Expr",
        "NullableColumn",
        "UntypedColumns",
    ),
    "streamdb.protocol.calling": (
        "Appended",
        "StreamInfo",
    ),
    "streamdb.protocol.exchange": ("Batch",),
    "streamdb.protocol.retry": ("RetryPolicy",),
    "streamdb.state.contract": ("Contract",),
    "streamdb.state.events": (
        "ChangeEvent",
        "EventConstructors",
    ),
    "streamdb.state.materialized": ("MaterializedState",),
    "streamdb.state.schema": (
        "CollectionSchema",
        "StateSchema",
    ),
    "streamdb.state.stream_event": ("StreamEvent",),
    "streamdb.streams.async_producer": ("AsyncProducer",),
    "streamdb.streams.async_stream": ("AsyncStream",),
    "streamdb.streams.blocking_producer": ("Producer",),
    "streamdb.streams.blocking_stream": ("Stream",),
    "streamdb.streams.options": ("StreamOptions",),
    "streamdb.streams.wire": ("Retry",),
    "streamdb.types.any_of": ("AnyOf",),
    "streamdb.types.extensible": ("Extensible",),
    "streamdb.types.maybe": ("Maybe",),
    "streamdb.types.number": ("Number",),
}

HOMES: Final[Mapping[str, str]] = {name: home for home, names in _NAMES.items() for name in names}
