"""Reading batches and printing them, with the offset kept for whoever goes on."""

from __future__ import annotations

import shlex
from typing import Literal

import streamdb
from streamdb.cli.exits import Exit, Failed
from streamdb.cli.interrupts import Interrupts
from streamdb.cli.printing import Format, Printer


def follow(
    stream: streamdb.Stream,
    output: Format,
    *,
    offset: str,
    live: Literal[False, "auto", "long-poll", "sse"],
) -> str:
    """Print from an offset to the end, and return the offset of that.

    Raises:
        Failed: interrupted; the message says where to go on.
    """
    printer = Printer(stream, output)
    try:
        with Interrupts() as interrupts:
            for batch in stream.read(offset=offset, live=live):
                with interrupts.step:
                    printer.print(batch)
                    offset = batch.offset
    except KeyboardInterrupt:
        raise Failed(
            f"interrupted; go on with --offset {shlex.quote(offset)}", Exit.INTERRUPTED
        ) from None
    printer.end()
    return offset
