"""`streamdb create`: a new stream."""

from __future__ import annotations

from typing import BinaryIO

import click

from streamdb.cli.info import say_object, summary
from streamdb.cli.options import Connection, as_json, stream_command
from streamdb.cli.terminal import say
from streamdb.cli.values import body_of, file_option
from streamdb.protocol import names


@stream_command
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@file_option
@click.option(
    "--content-type",
    default=names.JSON_MEDIA_TYPE,
    show_default=True,
    metavar="TYPE",
    help="What the stream holds.",
)
@click.option(
    "--ttl",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help="The stream ends when it was not used for so long.",
)
@click.option(
    "--expires-at", metavar="INSTANT", help="When it ends, for instance 2030-01-31T12:00:00Z."
)
@click.option("--closed", is_flag=True, help="Close it at once, behind its data.")
@as_json
def create(
    connection: Connection,
    stream: str,
    values: tuple[str, ...],
    file: BinaryIO | None,
    content_type: str,
    ttl: int | None,
    expires_at: str | None,
    closed: bool,
    as_json: bool,
) -> None:
    """Create a stream, with first VALUEs if given.

    On a JSON stream each VALUE is a JSON text, and a file holds one a line. A stream that exists
    with the same configuration is left as it is, with nothing added.
    """
    if ttl is not None and expires_at is not None:
        raise click.UsageError("give --ttl, or --expires-at, and not both")
    body = body_of(values, file, content_type)
    with connection.open(stream) as opened:
        info = opened.put(
            content_type=content_type,
            ttl_seconds=ttl,
            expires_at=expires_at,
            closed=closed,
            body=body,
        )
        if as_json:
            say_object(opened.url, info, created=info.created)
        elif info.created:
            say(f"created {opened.url} {summary(info)}")
        elif info.created is None:
            say(
                f"{opened.url} exists, just so {summary(info)}; an answer was lost: whether this "
                "command created it is unknown"
            )
        else:
            say(f"{opened.url} exists already, with the same configuration {summary(info)}")
