"""`streamdb append`: values at the end of a stream."""

from __future__ import annotations

import json
import sys
from typing import BinaryIO

import click

import streamdb
from streamdb.cli.exits import Exit, Failed
from streamdb.cli.options import Connection, as_json, stream_command
from streamdb.cli.producing import Stored, Units, produce
from streamdb.cli.terminal import say
from streamdb.cli.values import (
    Value,
    elements,
    file_option,
    given_values,
    is_json,
    name_of,
)
from streamdb.protocol.names import MAX_PRODUCER_INTEGER


@stream_command
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@file_option
@click.option(
    "--batch",
    is_flag=True,
    help="The data is one JSON array; store its elements, all in one request.",
)
@click.option(
    "--seq",
    metavar="TEXT",
    help="Send all in one request with this Stream-Seq, which must be above the last one.",
)
@click.option(
    "--producer-id",
    metavar="NAME",
    help="Number the values, each in a request of its own: the same data under the same NAME, sent "
    "again, is stored once, and what is missing of it is added. The server compares the numbers "
    "and not the data: other data needs another NAME, or a higher --epoch.",
)
@click.option(
    "--epoch",
    type=click.IntRange(0, MAX_PRODUCER_INTEGER),
    help="The epoch of --producer-id; a higher one begins the numbers anew, for other data, and "
    "shuts out who still writes under a lower one.  [default: 0]",
)
@as_json
def append(
    connection: Connection,
    stream: str,
    values: tuple[str, ...],
    file: BinaryIO | None,
    batch: bool,
    seq: str | None,
    producer_id: str | None,
    epoch: int | None,
    as_json: bool,
) -> None:
    """Append values.

    On a JSON stream each VALUE is a JSON text, and a file holds one a line. On other streams they
    are text, and bytes. Without VALUE and --file, standard input is read, and sent as it comes.

    VALUEs go in one request: all or none. What is read goes in as many as it takes, each repeated
    until it is answered, and is stored once. Write -- before a VALUE that begins with a minus.
    """
    if producer_id is not None and (batch or seq is not None):
        raise click.UsageError("--producer-id goes with neither --batch nor --seq")
    if epoch is not None and producer_id is None:
        raise click.UsageError("--epoch belongs to --producer-id")
    if file is None and not values:
        file = sys.stdin.buffer
    with connection.open(stream) as opened:
        of_json = is_json(opened.head(doing="append").content_type)
        found = (
            _elements(values, file, of_json=of_json)
            if batch
            else given_values(values, file, of_json=of_json, in_full_blocks=producer_id is not None)
        )
        units = Units(of_json)
        if producer_id is not None:
            stored = produce(_numbering(opened, producer_id, epoch or 0), found, units)
        elif file is None or batch or seq is not None:
            stored = _together(opened, list(found), seq, units)
        else:
            stored = produce(opened.producer(), found, units)
        _tell(opened.url, stored, units, as_json=as_json)


def _elements(arguments: tuple[str, ...], file: BinaryIO | None, *, of_json: bool) -> list[Value]:
    if not of_json:
        raise click.UsageError("--batch is for JSON streams")
    if file is not None and not arguments:
        return elements(file.read(), name_of(file))
    if file is not None or len(arguments) != 1:
        raise click.UsageError("--batch takes one VALUE, or a file")
    return elements(arguments[0].encode(errors="surrogateescape"), "the value")


def _together(
    stream: streamdb.Stream, values: list[Value], seq: str | None, units: Units
) -> Stored:
    if not values:
        raise Failed("append: there is nothing to append", Exit.DATA)
    appended = stream.append_many(values, seq=seq)
    return Stored(units.of(values), appended.offset)


def _numbering(stream: streamdb.Stream, producer_id: str, epoch: int) -> streamdb.Producer:
    # One value a batch: how many come together would depend on the moment, and a number stands for
    # the same data in every run. One after the other: an answer that a later one overtook would not
    # be counted.
    try:
        return stream.producer(producer_id, epoch=epoch, max_batch_items=1, max_in_flight=1)
    except ValueError as error:
        raise click.UsageError(f"--producer-id: {error}") from error


def _tell(url: str, stored: Stored, units: Units, *, as_json: bool) -> None:
    if as_json:
        told = {
            "url": url,
            units.name: stored.size,
            "offset": stored.offset,
            "repeated": stored.repeated,
        }
        say(json.dumps(told))
        return
    before = (
        f"; the server took {units.say(stored.repeated)} for a repetition of an earlier run, "
        "and did not store it again"
        if stored.repeated
        else ""
    )
    say(f"appended {units.say(stored.size)}{stored.where}{before}")
