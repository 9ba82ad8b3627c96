"""The text of a spec file and of those that it refers to: read, or refused with the place."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from streamdb.errors import SpecError
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.json_places import JsonPlace, json_places, line_and_column

# The limits of the compiler, which reads the same files.
_MOST_NESTING: Final = 100
_LONGEST_NUMBER: Final = 1000
_LONGEST_NAME: Final = 100  # in messages

_LINT: Final = "`streamdb-gen lint` tells all that is wrong with a spec"
_WAYS_ON: Final[Mapping[int, str]] = {
    errno.ENOENT: "check the path; it starts in the working directory of the process",
    errno.EISDIR: "name the file in it",
    errno.EACCES: "let the user of this process read it",
}


@dataclass(frozen=True, slots=True)
class SpecText:
    """A file of JSON: its name in errors, its text, and what it says."""

    file: str
    text: str
    value: Any

    def fault(self, pointer: str, reason: str, hint: str | None = None) -> SpecError:
        """Make the error of what is wrong at a JSON Pointer, or at the nearest place around it."""
        places = {place.pointer: place for place in json_places(self.text) if not place.is_key}
        at = pointer
        while at and at not in places:
            at = at.rpartition("/")[0]
        start = places[at].start if at in places else 0
        return _fault(self.file, self.text, start, pointer, reason, hint or _LINT)


def read_spec_text(path: Path) -> SpecText:
    """Read a file of strict JSON (RFC 8259).

    Raises:
        SpecError: it cannot be read, or is not that.
    """
    file = str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        code = error.errno or 0
        reason = f"cannot be read: {os.strerror(code) if code else error}"
        raise SpecError(reason, file=file, hint=_WAYS_ON.get(code)) from error
    except ValueError as error:  # a null character, or one that no name of a file can hold
        raise SpecError(f"cannot be read: {error}", file=file, hint="check the path") from None
    text = _decoded(data, file)
    return SpecText(file, text, _parsed(text, file))


def _decoded(data: bytes, file: str) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        hint = "save the file as UTF-8"
        raise _fault(file, before, len(before), "", "this is not UTF-8", hint) from None
    if text.startswith("\ufeff"):
        reason = "the file starts with a byte order mark"
        raise _fault(file, text, 0, "", reason, "save it as UTF-8 without one")
    if not text.strip(" \t\n\r"):
        raise _fault(file, text, 0, "", "the file is empty", "write one JSON object")
    return text


class _Refused(ValueError):
    """Something that the standard library would read; ``token`` is its text, if it is known."""

    def __init__(self, reason: str, token: str | None = None) -> None:
        super().__init__(reason)
        self.token = token


def _parsed(text: str, file: str) -> Any:
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_repetition,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise _fault(file, text, error.pos, "", reason, _LINT) from None
    except _Refused as error:
        place = _repeated(text) if error.token is None else _of_token(text, error.token)
        start, pointer = (place.start, place.pointer) if place is not None else (0, "")
        raise _fault(file, text, start, pointer, f"not JSON: {error}", _LINT) from None
    except RecursionError:
        raise _too_deep(text, file) from None
    if _is_nested_deeper(value, _MOST_NESTING):
        raise _too_deep(text, file)
    return value


def _without_repetition(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in found if names.count(name) > 1)
        raise _Refused(f"the member {twice[:_LONGEST_NAME]!r} is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise _Refused(f"{name} is no value", name)


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _Refused(f"a number of more than {_LONGEST_NUMBER} characters", text)
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if len(text) > _LONGEST_NUMBER or value in (float("inf"), float("-inf")):
        raise _Refused("a number that 64 bits of floating point cannot hold", text)
    return value


def _of_token(text: str, token: str) -> JsonPlace | None:
    return next((place for place in json_places(text) if place.text == token), None)


def _repeated(text: str) -> JsonPlace | None:
    """Return the second key of two that are the same."""
    seen: set[str] = set()
    for place in json_places(text):
        if place.is_key:
            if place.pointer in seen:
                return place
            seen.add(place.pointer)
    return None


def _is_nested_deeper(value: Any, limit: int) -> bool:
    level = _containers([value])
    for _ in range(limit):
        level = [inner for one in level for inner in _containers(one)]
    return bool(level)


def _containers(values: Any) -> list[Any]:
    inside: Iterable[Any] = values.values() if is_object(values) else values
    return [value for value in inside if is_object(value) or is_array(value)]


def _too_deep(text: str, file: str) -> SpecError:
    opened = (place for place in json_places(text) if place.text in ("[", "{"))
    deep = next((place for place in opened if place.depth >= _MOST_NESTING), None)
    start, pointer = (deep.start, deep.pointer) if deep is not None else (0, "")
    reason = f"values are nested too deeply: more than {_MOST_NESTING} levels"
    return _fault(file, text, start, pointer, reason, "move inner schemas to `$defs`")


def _fault(file: str, text: str, start: int, pointer: str, reason: str, hint: str) -> SpecError:
    line, column = line_and_column(text, start)
    return SpecError(reason, file=file, line=line, column=column, pointer=pointer, hint=hint)
