"""`streamdb close`: no more data."""

from __future__ import annotations

import json
from typing import BinaryIO

import click

from streamdb.cli.options import Connection, as_json, stream_command
from streamdb.cli.terminal import say
from streamdb.cli.values import file_option, given_values, is_json


@stream_command
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@file_option
@as_json
def close(
    connection: Connection,
    stream: str,
    values: tuple[str, ...],
    file: BinaryIO | None,
    as_json: bool,
) -> None:
    """Close a stream for good, with last VALUEs in the same request if given.

    On a JSON stream each VALUE is a JSON text, and a file holds one a line. Readers see the end.
    """
    with connection.open(stream) as opened:
        last = []
        if values or file is not None:
            of_json = is_json(opened.head(doing="close").content_type)
            last = list(given_values(values, file, of_json=of_json))
        closed = opened.close_stream(*last)
        if as_json:
            say(json.dumps({"url": opened.url, "offset": closed.offset}))
        else:
            say(f"closed {opened.url} (it ends at offset {closed.offset})")
