"""How much CPU generating and checking 300 models takes, beside datamodel-code-generator alone.

Run it in the project's folder: `python -m benchmarks.codegen [ROUNDS]`. Each command is a process
of its own, start-up included; they take turns, and the medians of user and system time count. A
round before the first leaves behind the bytecode that installed packages have.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.codegen.models_300 import MODELS, models_spec

_ROUNDS: Final = 5
_BASE: Final = "datamodel-code-generator"


def main() -> None:
    """Print a table."""
    rounds = _rounds()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands, environment = _commands(folder), _environment(folder)
        seconds: dict[str, list[float]] = {what: [] for what in commands}
        for _ in range(1 + rounds):
            for what, command in commands.items():
                seconds[what].append(_cpu_seconds(command, environment))
    seconds = {what: measured[1:] for what, measured in seconds.items()}
    base = statistics.median(seconds[_BASE])
    print(f"{MODELS} models, medians of {rounds} rounds, CPU seconds of the whole process")
    for what, measured in seconds.items():
        median = statistics.median(measured)
        print(f"{what:42} {median:6.2f} s   {median / base:5.2f} of {_BASE}")


def _rounds() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.codegen",
        description=f"CPU time of generating and checking {MODELS} models, beside {_BASE}.",
    )
    parser.add_argument("rounds", nargs="?", type=int, default=_ROUNDS, help="default: %(default)s")
    given: int = parser.parse_args().rounds
    if given < 1:
        parser.error("at least one round is needed")
    return given


def _commands(folder: Path) -> dict[str, list[str]]:
    spec, definitions = folder / "models.json", folder / "definitions.json"
    document = models_spec()
    spec.write_text(json.dumps(document), encoding="utf-8")
    definitions.write_text(json.dumps({"$defs": document["$defs"]}), encoding="utf-8")
    ours = [sys.executable, "-m", "streamdb_gen"]
    return {
        "streamdb-gen generate (every file anew)": [
            *("sh", "-c", 'rm -rf "$1" && shift && exec "$@"', "sh", str(folder / "models")),
            *ours,
            str(spec),
        ],
        "streamdb-gen check": [*ours, "check", str(spec)],
        "streamdb-gen lint": [*ours, "lint", str(spec)],
        "streamdb-gen generate --target typescript": [*ours, str(spec), "--target", "typescript"],
        _BASE: [
            *(sys.executable, "-m", "datamodel_code_generator", "--input", str(definitions)),
            *("--input-file-type", "jsonschema", "--output", str(folder / "models.py")),
            *("--output-model-type", "msgspec.Struct"),
        ],
    }


def _environment(folder: Path) -> dict[str, str]:
    """What processes are started with: bytecode is kept in the folder."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def _cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{command} failed:\n{done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
