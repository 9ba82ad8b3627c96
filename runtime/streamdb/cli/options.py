"""What the commands on streams share: the argument STREAM, and how to reach a server."""

from __future__ import annotations

import functools
import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import click

import streamdb
from streamdb.cli.addresses import DEFAULT_ROOT, resolve
from streamdb.cli.exits import EXIT_CODES
from streamdb.cli.terminal import OutputClosed

_LONGEST_SECONDS: Final = 1_000_000  # some days; systems cannot wait much longer at once
# Enough for a hiccup. Who waits for a command wants to hear soon that nobody is there.
_TRIES: Final = 3

Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach the streams of a command."""

    root: str
    headers: Mapping[str, str]
    timeout: float
    auth: str | None

    def open(self, stream: str) -> streamdb.Stream:
        """Make a handle on the stream that an argument names; nothing is sent yet."""
        address = resolve(stream, self.root)
        if address.startswith("embedded:"):
            if self.headers:
                raise click.UsageError("--header: a stream in a file is sent no headers")
            headers: Mapping[str, str] = {}
        else:
            headers = self.headers if self.auth is None else self._with_auth(self.auth)
        retry = streamdb.RetryPolicy(attempts=_TRIES, initial=0.1, multiplier=2.0)
        return streamdb.Stream(address, headers=headers, timeout=self.timeout, retry=retry)

    def _with_auth(self, auth: str) -> Mapping[str, str]:
        if any(name.lower() == "authorization" for name in self.headers):
            return self.headers
        return {"Authorization": auth, **self.headers}


def stream_command(command: Command) -> click.Command:
    """Make a command with the argument STREAM; its function gets a `Connection` first."""

    @functools.wraps(command)
    def connecting(
        *, url: str, auth: str | None, header: tuple[str, ...], timeout: float, **options: Any
    ) -> None:
        connection = Connection(
            root=url, headers=_headers(header), timeout=timeout, auth=auth or None
        )
        try:
            command(connection, **options)
            sys.stdout.flush()
        except BrokenPipeError as error:  # click would make a failure of it
            raise OutputClosed from error

    decorated: Command = connecting
    for decorate in reversed((click.argument("stream"), *_connection_options)):
        decorated = decorate(decorated)
    return click.command(epilog=f"{_STREAMS}\n\n{EXIT_CODES}")(decorated)


class _Seconds(click.FloatRange):
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):  # which is in every range
            self.fail("nan is no number of seconds", param, ctx)
        return seconds


as_json = click.option("--json", "as_json", is_flag=True, help="Say it as a JSON object.")

_STREAMS: Final = (
    "STREAM is a name on the server of --url, or a full address: http(s)://HOST/PATH, or "
    "embedded:FILE#NAME for a stream in a local file."
)

_connection_options: Final = (
    click.option(
        "--url",
        envvar="STREAM_URL",
        show_envvar=True,
        default=DEFAULT_ROOT,
        show_default=True,
        metavar="ROOT",
        help="The server of streams that are given by name; embedded:FILE for a local file.",
    ),
    click.option(
        "--auth",
        envvar="STREAM_AUTH",
        show_envvar=True,
        metavar="VALUE",
        help="The Authorization header, for instance 'Bearer TOKEN'. The environment variable "
        "keeps it out of the process list.",
    ),
    click.option(
        "--header",
        multiple=True,
        metavar="NAME:VALUE",
        help="A header for every request; may be given several times.",
    ),
    click.option(
        "--timeout",
        type=_Seconds(min=0, min_open=True, max=_LONGEST_SECONDS),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for a connection, and for an answer.",
    ),
)


_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")


def _headers(given: tuple[str, ...]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for one in given:
        name, colon, value = one.partition(":")
        if not colon:  # not quoted: it may be a secret
            raise click.UsageError("--header: there is no colon; write NAME:VALUE")
        if not _HEADER_NAME.fullmatch(name.strip()):
            raise click.UsageError("--header: there is no header's name before the colon")
        headers[name.strip()] = value.strip()
    return headers
