"""The command group, one module a verb, and what becomes of their errors."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click

from streamdb import __version__
from streamdb.cli.append import append
from streamdb.cli.close import close
from streamdb.cli.create import create
from streamdb.cli.delete import delete
from streamdb.cli.exits import EXIT_CODES, Exit, Failed, code_of
from streamdb.cli.fork import fork
from streamdb.cli.head import head
from streamdb.cli.read import read
from streamdb.cli.serve import serve
from streamdb.cli.tail import tail
from streamdb.cli.terminal import OutputClosed, complain, give_output_up
from streamdb.errors import AccessDenied, StreamDBError


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error is one line."""
    for output in (sys.stdout, sys.stderr):
        if callable(reconfigure := getattr(output, "reconfigure", None)):
            reconfigure(errors="backslashreplace")
    try:
        code = streamdb.main(list(arguments), "streamdb", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "streamdb"
        complain(f"{error.format_message().rstrip('.')}; see {command} --help")
        return Exit.USAGE
    except Failed as error:
        complain(error.message)
        return error.code
    except click.ClickException as error:
        complain(error.format_message())
        return error.exit_code
    except click.Abort:
        complain("interrupted")
        return Exit.INTERRUPTED
    except StreamDBError as error:
        hint = "; set STREAM_AUTH, or give --auth" if isinstance(error, AccessDenied) else ""
        complain(f"{error}{hint}")
        return code_of(error)
    except OutputClosed:
        give_output_up()
        return Exit.FINE
    except OSError as error:
        give_output_up()
        complain(str(error))
        return Exit.USAGE
    except Exception:  # noqa: BLE001 - the last resort: a fault of ours, told as such
        traceback.print_exc()
        complain(
            f"this is a fault of streamdb {__version__}, not of yours; please report it with the "
            "lines above"
        )
        return Exit.FAULT
    return int(code or 0)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="streamdb")
@click.pass_context
def streamdb(context: click.Context) -> None:
    """Work with Durable Streams."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in (create, append, read, tail, head, fork, close, delete, serve):
    streamdb.add_command(_command)
