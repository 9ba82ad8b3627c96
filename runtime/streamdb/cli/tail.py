"""`streamdb tail`: what comes, as it comes."""

from __future__ import annotations

from typing import Final, Literal

import click

from streamdb.cli.following import follow
from streamdb.cli.options import Connection, stream_command
from streamdb.cli.printing import FORMAT_HELP, FORMATS, Format
from streamdb.cli.terminal import complain
from streamdb.protocol import names

_LIVE: Final = ("auto", names.LONG_POLL, names.SSE)


@stream_command
@click.option(
    "--offset",
    default=names.NOW,
    show_default=True,
    help="Where to begin: an offset that the server gave; -1 is the beginning, now the end.",
)
@click.option(
    "--live",
    type=click.Choice(_LIVE),
    default="auto",
    show_default=True,
    help="How to wait; auto takes sse for JSON and long-poll for the rest.",
)
@click.option(
    "-o",
    "--output",
    # An array would have no end.
    type=click.Choice([form for form in FORMATS if form != "json"]),
    default="auto",
    help=FORMAT_HELP,
)
def tail(
    connection: Connection,
    stream: str,
    offset: str,
    live: Literal["auto", "long-poll", "sse"],
    output: Format,
) -> None:
    """Print what comes to a stream, until it is closed.

    A lost connection is taken up again where it broke. Interrupted, it says the offset to go on
    from.
    """
    with connection.open(stream) as opened:
        reached = follow(opened, output, offset=offset, live=live)
        complain(f"{opened.url} is closed; it ends at offset {reached}")
