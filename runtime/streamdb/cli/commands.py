"""The command group: one module a verb."""

import click

from streamdb.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def streamdb() -> None:
    """Work with Durable Streams."""


streamdb.add_command(serve)
