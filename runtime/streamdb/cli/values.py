"""What is to be written: values from arguments, from a file, or from standard input."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Final, Never

import click

from streamdb.cli.exits import Exit, Failed
from streamdb.cli.json_texts import values_in
from streamdb.protocol import names

_BLOCK: Final = 65536


class JsonText:
    """A JSON value as it was written: numbers keep their digits, and objects their order."""

    __slots__ = ("_text",)

    def __init__(self, text: bytes) -> None:
        self._text = text

    def __json__(self) -> bytes:
        """Return the text; the runtime sends it as it is."""
        return self._text


Value = JsonText | bytes

file_option = click.option(
    "-f",
    "--file",
    type=click.File("rb"),
    help="Take the data from a file; - is standard input.",
)


def is_json(content_type: str) -> bool:
    """Tell whether a stream of this type holds JSON values."""
    return names.media_type(content_type) == names.JSON_MEDIA_TYPE


def given_values(
    arguments: Sequence[str],
    file: BinaryIO | None,
    *,
    of_json: bool,
    in_full_blocks: bool = False,
) -> Iterator[Value]:
    """Return the values of the arguments, or else of the file: a JSON value a line, or bytes.

    Bytes come as soon as they are there; ``in_full_blocks`` cuts the same file the same way always.

    Raises:
        Failed: a value is no JSON. Those before it have been given out.
    """
    if file is not None:
        if arguments:
            raise click.UsageError("give values, or --file, and not both")
        return _lines(file) if of_json else _blocks(file, full=in_full_blocks)
    texts = map(os.fsencode, arguments)
    return _json_arguments(texts) if of_json else iter([text for text in texts if text])


def elements(text: bytes, where: str) -> list[Value]:
    """Return the elements of a JSON array, as they are written.

    Raises:
        Failed: it is none.
    """
    if not isinstance(_parse(text, where), list):
        raise Failed(f"{where} is no JSON array, which --batch asks for", Exit.DATA)
    return [JsonText(one) for one in values_in(text)]


def body_of(
    arguments: Sequence[str], file: BinaryIO | None, content_type: str
) -> list[Value] | bytes | None:
    """Return the first data of a stream, as `Stream.put` takes it; None if there is none."""
    of_json = is_json(content_type)
    values = list(given_values(arguments, file, of_json=of_json))
    if not values:
        return None
    return values if of_json else b"".join(value for value in values if isinstance(value, bytes))


def name_of(file: BinaryIO) -> str:
    """Return the name of a file as messages say it."""
    name = str(getattr(file, "name", "<stdin>"))
    return "standard input" if name == "<stdin>" else name


def _json_arguments(texts: Iterable[bytes]) -> Iterator[Value]:
    for number, text in enumerate(texts, start=1):
        _parse(text, f"value {number}", "; text needs quotes inside those of the shell: '\"text\"'")
        yield JsonText(text.strip())


def _lines(file: BinaryIO) -> Iterator[Value]:
    for number, line in enumerate(_read(file, file.readline), start=1):
        if text := line.strip():
            _parse(line.rstrip(), f"line {number} of {name_of(file)}")
            yield JsonText(text)


def _blocks(file: BinaryIO, *, full: bool) -> Iterator[Value]:
    read = file.read if full else getattr(file, "read1", file.read)
    yield from _read(file, lambda: read(_BLOCK))


def _read(file: BinaryIO, next_part: Callable[[], bytes]) -> Iterator[bytes]:
    try:
        while part := next_part():
            yield part
    except OSError as error:
        raise Failed(f"{name_of(file)}: {error.strerror or error}", Exit.USAGE) from error


def _parse(text: bytes, where: str, hint: str = "") -> Any:
    try:
        return json.loads(text.decode(), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at line {error.lineno} column {error.colno}"
        if error.lineno == 1:
            reason = f"{error.msg} at column {error.colno}"
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} is not UTF-8"
    except (ValueError, RecursionError) as error:
        reason = str(error)
    raise Failed(f"{where} is no JSON: {reason}{hint}", Exit.DATA)


def _refuse_constant(word: str) -> Never:
    raise ValueError(f"{word} is no JSON number")
