"""The client behind the conformance runner of the Durable Streams project.

The runner starts this program, writes a command a line and reads an answer a line. It wants the
path of an executable without arguments: `client-adapter` and `client-adapter-async` beside this
file, with the environment of this project on PATH. By hand::

    python tests/conformance/client_adapter.py [--async]
"""

import json
import sys
from typing import TextIO

from adapter.modes import Async, Blocking, Mode
from adapter.session import Session


async def serve(mode: Mode, answers: TextIO) -> None:
    """Answer every line until the runner says `shutdown` or its end of the pipe is closed."""
    session = Session(mode)
    try:
        while not session.is_over and (line := await mode.read_line()):
            if line.strip():
                answer = await session.answer(line)
                # In ASCII: the runner takes U+2028 for the end of a line.
                print(json.dumps(answer), file=answers, flush=True)
    finally:
        await session.reset()


def main() -> None:
    """Serve one runner."""
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr] # of a file
    # Any other line would be taken for an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    mode = Async() if "--async" in sys.argv[1:] else Blocking()
    mode.run(serve(mode, answers))


if __name__ == "__main__":
    main()
