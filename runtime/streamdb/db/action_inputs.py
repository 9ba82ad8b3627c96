"""What actions are called with, held to its JSON Schema before the action does anything."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ClassVar, Final, Generic, TypeVar

from streamdb.errors import InvalidInput
from streamdb.state.contract import Contract
from streamdb.state.parsing import parse
from streamdb.state.row_kinds import RowKind, row_kind
from streamdb.types.faults import UNREADABLE, explain

Input = TypeVar("Input")

_MARK: Final = "__checks_input__"  # of methods that check it already


class ActionInput(Generic[Input]):
    """The input of an action, checked before the action does anything.

    Args:
        action: the name of the method.
        input: the class of the input.
        contract: the schema, if it says more than the class.

    >>> from msgspec import Struct
    >>> class Tags(Struct, frozen=True):
    ...     tags: tuple[str, ...]
    >>> unique = {"properties": {"tags": {"uniqueItems": True}}}
    >>> of_tag = ActionInput("tag", Tags, Contract.of(unique))
    >>> of_tag.check(Tags(tags=("a",)))
    >>> of_tag.check(Tags(tags=("a", "a")))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    streamdb.errors.InvalidInput: Tags at /tags: must not hold an item twice (uniqueItems)...
    """

    def __init__(self, action: str, input: type[Input], contract: Contract | None = None) -> None:
        self.action: Final = action
        self.input: Final = input
        self._contract: Final = contract

    def check(self, value: Input) -> None:
        """Check an input as a row is checked when it is written.

        Raises:
            InvalidInput: it does not fit its class, or breaks its schema.
            MissingExtra: the extra ``validate`` is not installed.
        """
        if not self._kind.holds(value):
            raise _other_class(self.action, self.input, value)
        try:
            text = self._kind.write(value)
            self._kind.check(value, text)
            if self._contract is not None:
                self._contract.check(parse(text))
        except (*UNREADABLE, TypeError) as error:
            reason, pointer = explain(error)
            where = f" at {pointer}" if pointer else ""
            message = f"{self.input.__name__}{where}: {reason}"
            raise InvalidInput(message, action=self.action, pointer=pointer) from None

    @cached_property
    def _kind(self) -> RowKind[Input]:
        return row_kind(self.input, self._contract)  # its module may still be loading before


class ChecksInputs:
    """The base of classes of actions: their methods check what they are called with."""

    _inputs: ClassVar[tuple[ActionInput[Any], ...]] = ()

    def __init_subclass__(cls, *, inputs: tuple[ActionInput[Any], ...] = ()) -> None:
        """Take in the inputs, which are checked whoever implements their actions."""
        super().__init_subclass__()
        cls._inputs = (*cls._inputs, *inputs)
        _hold_to_inputs(cls, cls._inputs)


def _hold_to_inputs(actions: type, inputs: Iterable[ActionInput[Any]]) -> None:
    """Make the methods of a class of actions check what they are called with.

    Those that it inherits may be anybody's: a mixin implements an action as a subclass does.
    """
    for declared in inputs:
        method = inspect.getattr_static(actions, declared.action, None)
        if inspect.isfunction(method) and not hasattr(method, _MARK):
            setattr(actions, declared.action, _checking(declared, method))


def _other_class(action: str, input_: type, value: object) -> InvalidInput:
    given = type(value).__name__
    instead = f": {input_.__name__}(...)" if given == "dict" else ""
    return InvalidInput(f"{action} takes {input_.__name__}, not {given}{instead}", action=action)


def _checking(declared: ActionInput[Any], method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def checked(self: object, data: Any, /, *args: Any, **kwargs: Any) -> Any:
        declared.check(data)
        return method(self, data, *args, **kwargs)

    setattr(checked, _MARK, True)
    return checked
