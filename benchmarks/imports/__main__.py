"""What importing a generated package costs: processor time beyond that of an empty interpreter.

Run it in the project's folder: `python -m benchmarks.imports [ROUNDS]`. Every import is made by a
process of its own, and the least of all rounds counts, for nothing makes a process faster than it
is. Modules are compiled in the first round and kept in a folder of the benchmark's, as they are for
everybody but who forbids Python to write bytecode.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parents[2] / "generated_examples" / "agent_session"
_PROGRAMS: Final = {
    "pass": "an empty interpreter",
    "import msgspec": "",
    "import asyncio": "",
    "import agent_session": "",
    "from agent_session import AgentSession, AsyncAgentSession, Message, events": "",
}


def main() -> None:
    """Print a line for every program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=15, help="default: %(default)s")
    rounds: int = parser.parse_args().rounds
    least = dict.fromkeys(_PROGRAMS, float("inf"))
    with tempfile.TemporaryDirectory() as bytecode:
        for _ in range(1 + rounds):
            for program in _PROGRAMS:
                least[program] = min(least[program], _seconds(program, bytecode))
    empty = least["pass"]
    for program, note in _PROGRAMS.items():
        print(f"{1000 * (least[program] - empty):7.1f} ms  {note or program}")
    print(f"beyond the {1000 * empty:.1f} ms of processor time of an empty interpreter")


def _seconds(program: str, bytecode: str) -> float:
    environment = {**os.environ, "PYTHONPATH": str(_FOLDER), "PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
