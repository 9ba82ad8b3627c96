"""What the caller adds to every HTTP request: headers and query parameters, fixed or functions."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from streamdb.errors import BadAddress, BadHeader
from streamdb.protocol import names
from streamdb.streams.loop_thread import on_shared_loop_thread
from streamdb.streams.wire import Headers, Params, Retry, Value, WireFailure


class Additions(NamedTuple):
    """What to add to one request."""

    headers: dict[str, str]
    params: dict[str, str]

    def query(
        self, of_address: Iterable[tuple[str, str]], of_protocol: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        """All parameters of a request, in one order, so that caches see one URL (QUERY-2).

        >>> Additions({}, {"tenant": "b"}).query([("tenant", "a"), ("x", "1")], {"offset": "-1"})
        [('offset', '-1'), ('tenant', 'b'), ('x', '1')]
        """
        others = [(name, value) for name, value in of_address if name not in self.params]
        return sorted([*others, *self.params.items(), *of_protocol.items()])


@dataclass(frozen=True, slots=True)
class Given:
    """The caller's headers and parameters; functions are asked for every request (CLIENT-11).

    Attributes:
        passing: exceptions of a function that may pass, as when a token service cannot be reached:
            the request counts as not answered and is repeated. Every other one ends the call.
    """

    headers: Headers
    params: Params
    passing: tuple[type[Exception], ...] = (OSError,)

    def amended(self, by: Retry) -> Given:
        """The same with other values for some names.

        Raises:
            BadAddress: a parameter belongs to the protocol.
        """
        check_params(by.params)
        others = {name.lower() for name in by.headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in others}
        return Given({**kept, **by.headers}, {**self.params, **by.params}, self.passing)

    def ask(self) -> Additions:
        """Ask all functions, here and now.

        Raises:
            BadHeader, BadAddress: a header, or a parameter, cannot be sent.
            WireFailure: a function failed in a way that may pass.
        """
        return Additions(
            {name: self._text(_HEADER, name, value) for name, value in self.headers.items()},
            {name: self._text(_PARAMETER, name, value) for name, value in self.params.items()},
        )

    async def ask_async(self) -> Additions:
        """Ask all functions, async ones too. Raises as :meth:`ask`.

        A plain function is called on the event loop, as asyncio users expect. Blocking databases
        share a loop of ours, though, and their functions may well block: there it runs in a worker
        thread, with the context variables of this task.
        """
        return Additions(
            {n: await self._text_async(_HEADER, n, value) for n, value in self.headers.items()},
            {n: await self._text_async(_PARAMETER, n, value) for n, value in self.params.items()},
        )

    def _text(self, kind: _Kind, name: str, value: Value) -> str:
        text: object = value
        if callable(value):
            try:
                text = value()
            except Exception as error:
                raise self._failure(kind, name, error) from error
            if inspect.isawaitable(text):
                if inspect.iscoroutine(text):
                    text.close()
                raise kind.error(f"{kind} {name!r} is an async function: use AsyncStream for it")
        return kind.checked(name, text)

    async def _text_async(self, kind: _Kind, name: str, value: Value) -> str:
        text: object = value
        if callable(value):
            try:
                if on_shared_loop_thread() and not inspect.iscoroutinefunction(value):
                    text = await asyncio.to_thread(_call, value)
                else:
                    text = value()
                if inspect.isawaitable(text):
                    text = await text
            except Exception as error:
                raise self._failure(kind, name, error) from error
        return kind.checked(name, text)

    def _failure(self, kind: _Kind, name: str, error: Exception) -> Exception:
        # The text of the exception stays out: it may quote what was to be kept secret.
        told = f"{kind} {name!r}: its function failed with {type(error).__name__}"
        return WireFailure(told) if isinstance(error, self.passing) else kind.error(told)


def _call(function: Callable[[], object]) -> object:
    try:
        return function()
    except StopIteration as stop:  # no future can hold one, and who awaits it would wait for ever
        raise RuntimeError("the function raised StopIteration") from stop


def check_params(params: Params) -> None:
    """Refuse parameters that belong to the protocol.

    Raises:
        BadAddress: one of them does.
    """
    if reserved := sorted(names.RESERVED_PARAMS.intersection(params)):
        raise BadAddress(f"the parameter {reserved[0]!r} belongs to the protocol: leave it out")


# Checked here because the libraries below quote the value of a header that they refuse, and a
# secret read from a file with its line end is the usual one.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?")


@dataclass(frozen=True, slots=True)
class _Kind:
    word: str
    error: type[Exception]
    name: re.Pattern[str]
    value: re.Pattern[str]
    problem: str

    def __str__(self) -> str:
        return self.word

    def checked(self, name: str, value: object) -> str:
        if not self.name.fullmatch(name):
            raise self.error(f"{name!r} is no name of a {self}")
        if not isinstance(value, str):
            raise self.error(f"{self} {name!r}: its value is {type(value).__name__} and not text")
        if not self.value.fullmatch(value):
            raise self.error(f"{self} {name!r}: its value holds {self.problem}")
        return value


_HEADER: Final = _Kind(
    "header",
    BadHeader,
    _TOKEN,
    _HEADER_VALUE,
    "a line end, a space at an end, or something else that is not printable ASCII; "
    "strip or encode it",
)
# Anything can be sent as a parameter, percent-encoded, but for half a character.
_PARAMETER: Final = _Kind(
    "parameter",
    BadAddress,
    re.compile(r"[^\ud800-\udfff]+", re.DOTALL),
    re.compile(r"[^\ud800-\udfff]*", re.DOTALL),
    "a lone surrogate, which has no UTF-8",
)
