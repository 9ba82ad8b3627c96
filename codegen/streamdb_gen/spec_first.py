"""The command line of `streamdb-gen`, where `generate` may be left out."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from streamdb_gen.terminal import OutputClosed

_NOT_VERBS: Final = frozenset({"-h", "--help", "--version"})


class SpecFirst(click.Group):
    """A group for which `generate` may be left out: `streamdb-gen schema.json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `generate` before what is no command."""
        first = args[0] if args else ""
        if first not in self.commands and first not in _NOT_VERBS:
            self._refuse_misspelt(first)
            args = ["generate", *args]
        return super().parse_args(ctx, args)

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """As click does it. Raises OutputClosed where nobody reads the output."""
        with _output():  # where the option `--help` prints
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> object:
        """As click does it. Raises OutputClosed where nobody reads the output."""
        with _output():
            return super().invoke(ctx)

    def _refuse_misspelt(self, first: str) -> None:
        """Refuse what is no spec and nearly a command."""
        if first.startswith("-") or Path(first).suffix or os.path.lexists(first):
            return
        if near := difflib.get_close_matches(first, self.commands, n=1):
            raise click.UsageError(f"no such command `{first}`; did you mean `{near[0]}`?")


@contextmanager
def _output() -> Generator[None]:
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as error:  # click would make a failure of it
        raise OutputClosed from error
