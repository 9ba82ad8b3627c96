"""What the commands print: results to standard output, complaints to standard error."""

from __future__ import annotations

import os
import sys
from typing import Final, TextIO

import click

from streamdb_gen.findings import escape_unprintable
from streamdb_gen.problems import Problem


class OutputClosed(Exception):
    """Whoever reads standard output has enough of it."""


_DIFF_COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}


def show(text: str) -> None:
    """Print one line to standard output; characters that a terminal acts on are escaped."""
    _echo(_safe(text), sys.stdout)


def show_raw(text: str) -> None:
    """Print a whole text that is safe already."""
    click.echo(text, nl=False)


def show_diff(diff: str) -> None:
    """Print a unified diff, in colours on a terminal."""
    for line in diff.splitlines():
        colour = None if line.startswith(("+++", "---")) else _DIFF_COLOURS.get(line[:1])
        _echo(_safe(line), sys.stdout, colour)


def complain(problem: Problem) -> None:
    """Print a problem to standard error."""
    _echo(f"streamdb-gen: {_safe(problem.message)}", sys.stderr, "red")
    if problem.hint:
        _echo(f"  {_safe(problem.hint)}", sys.stderr)


def complain_raw(text: str) -> None:
    """Print a whole text that is safe already to standard error."""
    click.echo(text, nl=False, err=True)


def give_output_up() -> None:
    """Let nothing more be written to standard output, not even when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _echo(text: str, stream: TextIO, colour: str | None = None) -> None:
    coloured = colour and stream.isatty() and not os.environ.get("NO_COLOR")
    click.echo(click.style(text, fg=colour) if coloured else text, file=stream)


def _safe(text: str) -> str:
    return "\n".join(map(escape_unprintable, text.split("\n")))
