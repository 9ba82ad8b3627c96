"""What an exception is called in the answers of an adapter."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from adapter.modes import OutOfTime

from streamdb import (
    ConnectionFailed,
    ProducerFailed,
    SequenceConflict,
    StreamClosed,
    StreamError,
    StreamParseError,
    StreamTimeout,
)


class NotSupportedHere(Exception):
    """The adapter has no such command."""


class BadJson(Exception):
    """What should be JSON is not."""


_CODES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (NotSupportedHere, "NOT_SUPPORTED"),
    (StreamClosed, "STREAM_CLOSED"),
    (SequenceConflict, "SEQUENCE_CONFLICT"),
    (StreamParseError, "PARSE_ERROR"),
    (BadJson, "PARSE_ERROR"),
    (StreamTimeout, "TIMEOUT"),
    (OutOfTime, "TIMEOUT"),
)
_CODES_OF_STATUS: Final = {404: "NOT_FOUND", 409: "CONFLICT", 400: "INVALID_OFFSET"}


def failure(command: str, error: Exception) -> dict[str, Any]:
    """Make the answer to a command that failed."""
    cause = _cause(error)
    status = cause.status if isinstance(cause, StreamError) else None
    found: dict[str, Any] = {
        "type": "error",
        "success": False,
        "commandType": command,
        "errorCode": code_of(cause),
        "message": str(cause) or type(cause).__name__,
    }
    return found if status is None else {**found, "status": status}


def code_of(error: BaseException) -> str:
    """Return the code of an exception."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    if isinstance(error, StreamError) and error.status is not None:
        return _CODES_OF_STATUS.get(error.status, "UNEXPECTED_STATUS")
    if isinstance(error, ConnectionFailed):
        return "NETWORK_ERROR"
    if isinstance(error, ValueError | TypeError | msgspec.ValidationError):
        return "INVALID_ARGUMENT"
    return "INTERNAL_ERROR"


def _cause(error: BaseException) -> BaseException:
    """A producer tells what it could not write; what the runner asks for is why."""
    wraps = isinstance(error, ProducerFailed) or type(error) is StreamError
    if wraps and error.__cause__ is not None:
        return _cause(error.__cause__)
    return error
