"""The main job, run as `make demo` runs it."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "generated_examples/agent_session"
DEMO = EXAMPLE / "demo.py"


def start(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(DEMO)],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def processes_of(folder: Path) -> list[str]:
    """Command lines of processes that were started under ``folder`` as their TMPDIR."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"TMPDIR={folder}".encode() in (process / "environ").read_bytes().split(b"\0"):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(command.decode("utf-8", "replace"))
        except OSError:
            continue  # gone, or not ours
    return found


def test_it_ends_by_itself_with_one_state_everywhere(tmp_path: Path) -> None:
    demo = start(tmp_path)
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, output
    digests = re.search(r"^same state +yes \(digests ([\w, ]+)\)$", output, re.MULTILINE)
    assert digests is not None, output
    assert len(digests[1].split(", ")) == 4
    assert len(set(digests[1].split(", "))) == 1
    resumed = re.search(r"resumed from its cache: (\d+) events were not read again, 0", output)
    assert resumed is not None, output
    assert int(resumed[1]) > 50
    assert "messages grown from chunks equal the final ones: yes" in output
    assert "m2 | Linux" in output  # the real output of a real command
    assert "tool call-4 approved by maria" in output
    assert "tool call-5 denied by maria" in output
    assert re.search("^decisions +4, made by maria in another process", output, re.MULTILINE)
    assert "each showed there before it was on the stream: yes" in output
    denied = "taken back (maria says: that is between us)"
    assert f"everybody': 2 messages, 3 while maria decided, 2 after: {denied}" in output
    assert "maria': 2 messages, 3 while maria decided, 3 after: it is on the stream" in output
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "TERM"])
@pytest.mark.parametrize("moment", range(3))
def test_it_ends_cleanly_when_interrupted(
    number: signal.Signals, moment: int, tmp_path: Path
) -> None:
    demo = start(tmp_path)
    assert demo.stdout is not None
    demo.stdout.readline()  # it has begun
    time.sleep(random.uniform(moment, moment + 1))  # any moment will do: the promise has none
    demo.send_signal(number)
    output, _ = demo.communicate(timeout=30)
    assert demo.returncode == 130, output
    assert output.endswith("interrupted; every process of the demo has left\n")
    assert "Traceback" not in output
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_its_processes_leave_when_it_is_killed(tmp_path: Path) -> None:
    demo = start(tmp_path)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "call-3 running" in line:
            break
    demo.kill()
    demo.communicate(timeout=30)  # the follower holds the pipe: its end is everybody's
    deadline = time.monotonic() + 20
    while (left := processes_of(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


@pytest.mark.parametrize("target", ["python", "typescript"])
def test_the_committed_packages_are_current(target: str) -> None:
    spec = str(EXAMPLE / "schema.json")
    command = [sys.executable, "-m", "streamdb_gen", "check", spec, "--target", target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
