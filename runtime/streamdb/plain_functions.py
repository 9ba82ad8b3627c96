"""Callbacks are plain functions: nobody awaits what an ``async def`` gives."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable


def check_takes(function: Callable[..., object], taker: str, *arguments: str) -> None:
    """Do nothing if a function can be called with these arguments, by position.

    >>> two = lambda base, theirs: "ours"
    >>> check_takes(two, "on_conflict", "base", "theirs", "ours")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    TypeError: on_conflict calls its function with (base, theirs, ours): too many positional...

    Raises:
        TypeError: it cannot.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # one that is not written in Python may not tell
    try:
        signature.bind(*arguments)
    except TypeError as error:
        called = ", ".join(arguments)
        raise TypeError(f"{taker} calls its function with ({called}): {error}") from None


def refuse_async(function: object, taker: str, instead: str) -> None:
    """Do nothing if a callback does its work when it is called.

    Args:
        function: what a user gave; partials and objects with ``__call__`` included.
        taker: what it was given to, for the message.
        instead: what to do.

    >>> async def show(changes): ...
    >>> refuse_async(print, "subscribe", "use changes()")
    >>> refuse_async(show, "subscribe", "use changes()")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    TypeError: subscribe calls a plain function, and `show` is `async def`, which ...: use changes()

    Raises:
        TypeError: it is ``async def``, or cannot be called at all.
    """
    if not callable(function):
        raise TypeError(f"{taker} takes a function, not {type(function).__name__}")
    inner: object = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    called = inspect.getattr_static(type(inner), "__call__", None)
    if any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one)
        for one in (inner, called)
    ):
        name = getattr(inner, "__name__", type(inner).__name__)
        raise TypeError(
            f"{taker} calls a plain function, and `{name}` is `async def`, which would never run: "
            f"{instead}"
        )
