"""What the commands say: results on standard output, all else on standard error."""

from __future__ import annotations

import os
import sys

import click


class OutputClosed(Exception):
    """Whoever reads standard output has enough of it."""


def say(text: str) -> None:
    """Print a line of a result."""
    click.echo(printable(text))


def complain(text: str) -> None:
    """Print a line to standard error, under the name of the command."""
    click.echo(f"streamdb: {printable(text)}", err=True)


def printable(text: str) -> str:
    r"""Escape what a terminal would act on: servers choose offsets, and quote what they like.

    >>> printable("offset \x1b[2J")
    'offset \\x1b[2J'
    """
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def give_output_up() -> None:
    """Let nothing more be written to standard output, not even when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
