"""`streamdb head`: what a stream says of itself."""

from __future__ import annotations

from streamdb.cli.info import say_object, say_table
from streamdb.cli.options import Connection, as_json, stream_command


@stream_command
@as_json
def head(connection: Connection, stream: str, as_json: bool) -> None:
    """Show the end of a stream, its content type, and whether and when it ends."""
    with connection.open(stream) as opened:
        (say_object if as_json else say_table)(opened.url, opened.head())
