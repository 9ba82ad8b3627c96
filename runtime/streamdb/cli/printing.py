"""How what was read is printed."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from typing import Final, Literal, get_args

import streamdb
from streamdb.cli.exits import Exit, Failed
from streamdb.cli.json_texts import laid_out, values_in
from streamdb.cli.values import is_json

Format = Literal["auto", "jsonl", "pretty", "json", "raw", "batches"]

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
_OF_JSON: Final = frozenset({"jsonl", "pretty", "json"})

FORMAT_HELP: Final = """\
jsonl: a JSON value a line, and what JSON streams get; pretty: JSON values with indents; raw: the \
bytes as they are, and what other streams get; batches: a JSON object a line for each batch, with \
the offset behind it.  [default: auto]"""


class Printer:
    """Prints batches to standard output, in one format."""

    def __init__(self, stream: streamdb.Stream, form: Format) -> None:
        self._stream = stream
        self._form = form
        self._out = sys.stdout.buffer
        self._escapes = sys.stdout.isatty()
        self._is_begun = False

    def print(self, batch: streamdb.Batch) -> None:
        """Print a batch; what reads our output has it when this returns."""
        for piece in self._pieces(batch):
            self._out.write(piece)
        self._out.flush()

    def end(self) -> None:
        """Print what stands behind the last batch."""
        if self._form == "json":
            self._out.write(b"\n]\n" if self._is_begun else b"[]\n")
            self._out.flush()

    def _pieces(self, batch: streamdb.Batch) -> Iterator[bytes]:
        of_json = is_json(batch.content_type)
        form = self._form
        if form == "auto":
            form = "jsonl" if of_json else "raw"
        if form in _OF_JSON and not of_json:
            raise Failed(
                f"read: a stream of {batch.content_type} holds no JSON values; --output raw",
                Exit.USAGE,
            )
        if form == "raw":
            # Pages of JSON are texts of their own, which may not run into each other.
            yield b"".join(part + b"\n" for part in batch.parts) if of_json else batch.data
        elif form == "batches":
            yield self._shown(_whole(batch, self._values(batch) if of_json else None)) + b"\n"
        else:
            for text in self._values(batch, 2 if form == "pretty" else None):
                if form == "json":
                    yield b",\n" if self._is_begun else b"[\n"
                    self._is_begun = True
                    yield self._shown(text)
                else:
                    yield self._shown(text) + b"\n"

    def _values(self, batch: streamdb.Batch, indent: int | None = None) -> list[bytes]:
        try:
            return [laid_out(text, indent) for part in batch.parts for text in values_in(part)]
        except (ValueError, RecursionError):
            self._stream.items(batch)  # raises, and says where
            raise

    def _shown(self, text: bytes) -> bytes:
        return _escaped(text) if self._escapes else text


def _whole(batch: streamdb.Batch, values: list[bytes] | None) -> bytes:
    head = {"offset": batch.offset, "up_to_date": batch.up_to_date, "closed": batch.closed}
    text = json.dumps(head, separators=(",", ":")).encode()
    data = (
        b'"values":[' + b",".join(values) + b"]"
        if values is not None
        else b'"base64":"' + base64.b64encode(batch.data) + b'"'
    )
    return text.removesuffix(b"}") + b"," + data + b"}"


def _escaped(text: bytes) -> bytes:
    r"""Write control characters, which a terminal would act on, as JSON escapes.

    >>> _escaped('"\x9b2J\x7f"'.encode())
    b'"\\u009b2J\\u007f"'
    """
    return "".join(
        f"\\u{ord(one):04x}" if "\x7f" <= one <= "\x9f" else one
        for one in text.decode("utf-8", "replace")
    ).encode()
