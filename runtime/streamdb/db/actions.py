"""The bases of generated actions."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Generic, TypeVar

from streamdb.db.action_inputs import ActionInput, hold_to_inputs, refuse_dicts

DB = TypeVar("DB")


class _Actions(Generic[DB]):
    _inputs: ClassVar[tuple[ActionInput[Any], ...]] = ()

    def __init_subclass__(cls, *, inputs: tuple[ActionInput[Any], ...] = ()) -> None:
        """Take in the inputs that are to be checked, whoever implements their actions."""
        super().__init_subclass__()
        cls._inputs = (*cls._inputs, *inputs)
        hold_to_inputs(cls, cls._inputs)
        refuse_dicts(cls)

    def __init__(self, db: DB) -> None:
        self._db: Final = db

    def _not_implemented(self, name: str) -> NotImplementedError:
        return NotImplementedError(
            f"the action {name!r} has no effects in the spec: subclass {type(self).__name__}, "
            f"implement it there, and pass the subclass as actions=... to the database"
        )


def are_actions(value: object) -> bool:
    """Tell whether a value is the actions of a generated database."""
    return isinstance(value, _Actions)


class ActionsBase(_Actions[DB]):
    """What the actions of a blocking database derive from."""


class AsyncActionsBase(_Actions[DB]):
    """What the actions of an async database derive from."""
