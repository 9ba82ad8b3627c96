"""`streamdb read`: what a stream holds."""

from __future__ import annotations

import click

from streamdb.cli.following import follow
from streamdb.cli.options import Connection, stream_command
from streamdb.cli.printing import FORMAT_HELP, FORMATS, Format
from streamdb.protocol import names


@stream_command
@click.option(
    "--offset",
    default=names.BEGINNING,
    show_default=True,
    help="Where to begin: an offset that the server gave; -1 is the beginning, now the end.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(FORMATS),
    default="auto",
    help=f"json: one JSON array; {FORMAT_HELP}",
)
def read(connection: Connection, stream: str, offset: str, output: Format) -> None:
    """Print what a stream holds, from an offset to its end of this moment."""
    with connection.open(stream) as opened:
        follow(opened, output, offset=offset, live=False)
