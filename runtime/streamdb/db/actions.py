"""The bases of generated actions."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

from streamdb.db.action_inputs import ActionInput, ChecksInputs
from streamdb.db.action_stubs import BaseStub, check_stubs

DB = TypeVar("DB")


class _Actions(ChecksInputs, Generic[DB]):
    def __init_subclass__(cls, *, inputs: tuple[ActionInput[Any], ...] = ()) -> None:
        """Take in the inputs, and the stubs.

        Raises:
            TypeError: a stub is given where the spec has no such action.
        """
        super().__init_subclass__(inputs=inputs)
        check_stubs(cls, {declared.action: declared for declared in cls._inputs})

    def __init__(self, db: DB) -> None:
        self._db: Final = db
        for declared in self._inputs:
            stub: object = getattr(type(self), declared.action, None)
            if isinstance(stub, BaseStub):
                setattr(self, declared.action, stub.bound_to(db))


class ActionsBase(_Actions[DB]):
    """What the actions of a blocking database derive from."""


class AsyncActionsBase(_Actions[DB]):
    """What the actions of an async database derive from."""
