"""Whether memory stays flat: a stream of 1 GB is read, and values are produced for two minutes.

Run it in the project's folder: `python -m benchmarks.memory [--bytes N] [--seconds N]`. Each job is
a process of its own, and so is the server. What counts is how much the process has grown from the
first twentieth of the job to any later moment.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.memory.endless import endless_server
from benchmarks.memory.jobs import PRODUCING, READING, until_enough

_WARM_UP: Final = 0.05
_PAGE: Final = 4096
_MEBIBYTE: Final = 1 << 20


def main() -> None:
    """Print a line for every job."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("--bytes", type=int, default=10**9, help="of a stream that is read")
    parser.add_argument("--seconds", type=float, default=120, help="of producing")
    parser.add_argument("--job", help="do this one alone, here; for the command itself")
    parser.add_argument("--server", default="")
    chosen = parser.parse_args()
    if chosen.job:
        _measure(chosen.job, chosen.server, chosen.bytes, chosen.seconds)
        return
    print(f"{'job':20} {'MB':>8} {'s':>6} {'RSS warm':>9} {'highest':>9} {'growth':>8}  MiB")
    for job in (*READING, *PRODUCING):
        with endless_server() as server:
            options = ["--bytes", str(chosen.bytes), "--seconds", str(chosen.seconds)]
            command = [sys.executable, "-m", "benchmarks.memory", *options]
            subprocess.run([*command, "--job", job, "--server", server], check=True)


def _measure(job: str, server: str, size: int, seconds: float) -> None:
    is_reading = job in READING
    enough = until_enough(size, 3600) if is_reading else until_enough(sys.maxsize, seconds)
    warm = highest = done = 0
    began_at = time.monotonic()

    def tell(so_far: int) -> bool:
        nonlocal warm, highest, done
        done = so_far
        part = so_far / size if is_reading else (time.monotonic() - began_at) / seconds
        if part >= _WARM_UP:
            resident = _resident()
            warm = warm or resident
            highest = max(highest, resident)
        return enough(so_far)

    ({**READING, **PRODUCING})[job](server, size, tell)
    took = time.monotonic() - began_at
    figures = (
        f"{warm / _MEBIBYTE:9.1f} {highest / _MEBIBYTE:9.1f} {(highest - warm) / _MEBIBYTE:8.1f}"
    )
    print(f"{job:20} {done / 1e6:8.0f} {took:6.0f} {figures}", flush=True)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


if __name__ == "__main__":
    main()
