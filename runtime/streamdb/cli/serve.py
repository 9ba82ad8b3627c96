"""`streamdb serve`: a Durable Streams server on one SQLite file."""

import sys
from pathlib import Path

import click

from streamdb.cli.exits import Exit, Failed
from streamdb.extras import how_to_install
from streamdb.protocol.names import DEFAULT_PORT


@click.command()
@click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("streams.db"),
    show_default=True,
    help="The data file, made if missing.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--token",
    envvar="STREAMDB_TOKEN",
    show_envvar=True,
    help="Requests then need `Authorization: Bearer TOKEN`. The environment variable keeps it "
    "out of the process list.",
)
@click.option(
    "--long-poll-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a long-poll waits, and an idle SSE connection stays silent.",
)
def serve(db: Path, host: str, port: int, token: str | None, long_poll_timeout: float) -> None:
    """Serve streams from one SQLite file until interrupted."""
    try:
        import streamdb_server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        click.echo(
            f"streamdb: `streamdb serve` needs the server: {how_to_install('server')}", err=True
        )
        sys.exit(2)
    if token == "":
        raise click.UsageError("--token is empty.")
    if token is None and not streamdb_server.is_loopback(host):
        click.echo(
            f"Warning: {host} can be reached from other machines, and without --token anybody "
            "there can read, write and delete streams.",
            err=True,
        )
    options = streamdb_server.Options(token=token, long_poll_timeout=long_poll_timeout)
    try:
        streamdb_server.serve(
            db,
            host=host,
            port=port,
            options=options,
            announce=lambda url: click.echo(f"Serving {db} at {url}"),
        )
    except streamdb_server.DataFileInUse as error:
        raise Failed(
            f"{db}: in use by another process. If that is a server, use the URL that it printed; "
            "otherwise end it first, or name another file by --db.",
            Exit.USAGE,
        ) from error
    except streamdb_server.DataFileError as error:
        raise Failed(str(error), Exit.USAGE) from error
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host}:{port}: {error.strerror}. Choose another --host or --port."
        ) from error
