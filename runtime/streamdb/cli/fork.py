"""`streamdb fork`: a stream that shares the beginning of another one."""

from __future__ import annotations

import click

from streamdb.cli.addresses import is_full, resolve, root_of
from streamdb.cli.info import say_object, summary
from streamdb.cli.options import Connection, as_json, stream_command
from streamdb.cli.terminal import say


def _refuse_offset(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:  # what `read` and `tail` call it
        raise click.UsageError("No such option: --offset. Did you mean --at?", context)


@stream_command
@click.argument("new")
@click.option(
    "--at",
    metavar="OFFSET",
    help="Where the fork leaves STREAM: an offset that the server gave; otherwise its end.",
)
@click.option("--offset", hidden=True, expose_value=False, callback=_refuse_offset)
@click.option(
    "--sub-offset",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="So many values, or bytes of a stream that is not JSON, beyond --at.",
)
@as_json
def fork(
    connection: Connection, stream: str, new: str, at: str | None, sub_offset: int, as_json: bool
) -> None:
    """Create the stream NEW with the beginning of STREAM; from there on each goes its own way.

    NEW is a name beside STREAM, or a full address on the same server.
    """
    if sub_offset and at is None:
        raise click.UsageError("--sub-offset counts from --at, which is missing")
    source = resolve(stream, connection.root)
    target = (
        new
        if is_full(new)
        else resolve(new, root_of(source) if is_full(stream) else connection.root)
    )
    with (
        connection.open(source) as opened,
        opened.fork(target, at=at, sub_offset=sub_offset) as made,
    ):
        info = made.head()
        if as_json:
            say_object(made.url, info, forked_from=opened.url)
        else:
            say(f"{made.url} is a fork of {opened.url} {summary(info)}")
