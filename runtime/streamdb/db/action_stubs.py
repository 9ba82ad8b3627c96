"""Actions that the application writes: stubs, generated with their types, to be subclassed.

What an action shows at once and what makes it durable are two functions: `on_mutate` writes to the
collections, and `persist` brings that onto the stream, by whatever way the application has.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, cast

from streamdb.collections.transaction import AsyncTransaction, Transaction
from streamdb.db.action_inputs import ActionInput
from streamdb.db.action_transactions import ActionTransaction, AsyncActionTransaction
from streamdb.errors import StreamDBError
from streamdb.near_miss import no_such

if TYPE_CHECKING:
    from streamdb.db.async_db import AsyncStreamDB
    from streamdb.db.blocking_db import StreamDB

Input = TypeVar("Input")
DB = TypeVar("DB")

_HOOKS: Final = ("on_mutate", "persist")


BlockingDB = TypeVar("BlockingDB", bound="StreamDB")
AsyncDB = TypeVar("AsyncDB", bound="AsyncStreamDB")


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


class BaseStub(Generic[DB, Input]):
    """What both forms of a stub share.

    An instance stands in a class of actions; each database has a copy of its own.
    """

    #: Whether `persist` is ``async def``.
    _awaits = False
    _declared: ActionInput[Any] | None = None
    _db: DB | None = None

    def __init_subclass__(cls) -> None:
        """Check that the functions are what they are called as.

        Raises:
            TypeError: they are not.
        """
        super().__init_subclass__()
        if _is_async(cls.on_mutate):
            raise TypeError(
                f"{cls.__name__}.on_mutate is `async def`, and what it writes shows at once: "
                "make it a plain `def`, and await in `persist`"
            )
        persist: object = vars(cls).get("persist")
        if persist is not None and _is_async(persist) is not cls._awaits:
            word = "an `async def`" if cls._awaits else "a plain `def`"
            raise TypeError(f"{cls.__name__}.persist of this form of database is {word}")

    def on_mutate(self, data: Input, /) -> None:
        """Write what shows at once: plain calls of collections, all of them one transaction.

        If it raises, nothing shows and `persist` is not called. Nothing shows if it is not written.
        """

    @property
    def db(self) -> DB:
        """The database that the action belongs to."""
        if self._db is None:
            raise StreamDBError(
                f"{type(self).__name__} is not part of a database: call it as db.actions..."
            )
        return self._db

    def declare(self, declared: ActionInput[Any]) -> None:
        """Take in which action this is."""
        self._declared = declared

    def bound_to(self, db: Any) -> Self:
        """Return the copy of a database."""
        bound = copy.copy(self)
        bound._db = db
        return bound

    def _begin(self, data: Input) -> str:
        """Check the input, and return the name of the action.

        Raises:
            InvalidInput: it does not fit its schema.
            NotImplementedError: nothing has been written.
        """
        if self._declared is None:
            raise StreamDBError(f"{type(self).__name__} is not part of a class of actions")
        self._declared.check(data)
        name = self._declared.action
        if not _is_written(type(self)):
            stub = type(self).__name__
            own = stub.removesuffix("Stub") if stub.endswith("Stub") else f"Own{stub}"
            form = "Async" if self._awaits else ""
            raise NotImplementedError(
                f"the action {name!r} has no effects in the spec, and nobody has written it:\n\n"
                f"class {own}({stub}):\n"
                f"    def on_mutate(self, data): ...  # writes to self.db, which show at once\n"
                f"    {'async ' * self._awaits}def persist(self, data, tx): ...  # durable\n\n"
                f"class Own{form}Actions({form}Actions):\n"
                f"    {name} = {own}()\n\n"
                f"and pass it to the database: actions=Own{form}Actions"
            )
        return name


class ActionStub(BaseStub[BlockingDB, Input]):
    """An action of a blocking database that the application writes.

    Generated for each action of the spec that has no effects; a subclass has an `on_mutate`, a
    `persist`, or both::

        class Summarize(SummarizeStub):
            def on_mutate(self, data: SummarizeInput, /) -> None:
                self.db.messages.insert(...)  # shows at once

            def persist(self, data: SummarizeInput, tx: ActionTransaction, /) -> None:
                post("/summaries", title=data.title, txid=tx.txid)


        class OwnActions(Actions):
            summarize = Summarize()


        AgentSession(url, actions=OwnActions)
    """

    def persist(self, data: Input, tx: ActionTransaction, /) -> None:
        """Make it durable. It runs on a thread of its own.

        It begins when the writes that it stands on are on the stream. What `on_mutate` wrote shows
        until events with ``tx.txid`` come back, each row until its own, and is what they say from
        then on. What has had none by then goes when this has returned and all is read. When this
        returns, the action is durable; if it raises, what `on_mutate` wrote goes, with the later
        writes that stand on it, and the transaction fails with this cause.

        If it is not written, what `on_mutate` wrote is sent as it is: ``tx.send()``.
        """
        tx.send()

    def __call__(self, data: Input, /) -> Transaction:
        """Carry out the action; it shows when this returns.

        Raises:
            InvalidInput: the input does not fit its schema; nothing was done.
            NotImplementedError: the application has not written the action.
        """
        name = self._begin(data)
        return self.db.perform(
            lambda: self.on_mutate(data), lambda tx: self.persist(data, tx), name=name
        )


class AsyncActionStub(BaseStub[AsyncDB, Input]):
    """An action of an async database that the application writes; see :class:`ActionStub`."""

    _awaits = True

    async def persist(self, data: Input, tx: AsyncActionTransaction, /) -> None:
        """Make it durable. It runs in a task of the database; see :meth:`ActionStub.persist`."""
        await tx.send()

    def __call__(self, data: Input, /) -> AsyncTransaction:
        """Carry out the action; it shows when this returns. See :meth:`ActionStub.__call__`."""
        name = self._begin(data)
        return self.db.perform(
            lambda: self.on_mutate(data), lambda tx: self.persist(data, tx), name=name
        )


def check_stubs(actions: type, declared: Mapping[str, ActionInput[Any]]) -> None:
    """Tell the stubs of a class of actions which actions they are.

    Raises:
        TypeError: the spec has no such action, or the stub is that of another one.
    """
    for name, value in vars(actions).items():
        if not isinstance(value, BaseStub):
            continue
        stub: BaseStub[Any, Any] = cast("Any", value)
        kind = _generated(actions, name)
        if name not in declared or kind is None:
            stubs = [each for each in declared if _generated(actions, each) is not None]
            no_action = no_such("the spec has no stub", name, stubs, listed_as="There are")
            raise TypeError(f"{actions.__name__}: {no_action}")
        if not isinstance(stub, kind):
            raise TypeError(
                f"{actions.__name__}.{name} is a {type(stub).__name__}, and not derived from "
                f"{kind.__name__}"
            )
        stub.declare(declared[name])


def _generated(actions: type, name: str) -> type | None:
    """Return the class of the stub that the classes above have by a name, None for no stub."""
    for base in actions.__mro__[1:]:
        if name in vars(base):
            stub = vars(base)[name]
            return type(cast("object", stub)) if isinstance(stub, BaseStub) else None
    return BaseStub


_FORMS: Final = (BaseStub, ActionStub, AsyncActionStub)


def _is_written(stub: type) -> bool:
    own = (vars(base) for base in stub.__mro__ if base not in _FORMS)
    return any(hook in names for names in own for hook in _HOOKS)
