"""`streamdb delete`: a stream and all it holds."""

from __future__ import annotations

from streamdb.cli.options import Connection, stream_command
from streamdb.cli.terminal import say


@stream_command
def delete(connection: Connection, stream: str) -> None:
    """Delete a stream and all it holds."""
    with connection.open(stream) as opened:
        opened.delete()
        say(f"deleted {opened.url}")
