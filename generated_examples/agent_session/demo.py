"""The main job: a session between two live processes and a late joiner, on the embedded server.

    python generated_examples/agent_session/demo.py

Compiles the schema, starts an agent whose tool calls run real commands and stream their output,
and a follower in another process that shows the session live and decides on approvals. Then the
agent publishes summaries: each shows in its process at once, and is taken back if the follower
denies it. At last a late joiner catches up, leaves, and comes back from its cache. Prints figures
of what happened, and ends by itself within a minute.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GRACE_SECONDS = 8.0
LIMIT_SECONDS = 55


class DemoFailed(Exception):
    """A process of the demo ended early or said something else than expected."""


class Child:
    """A process of the demo: reports in JSON lines, leaves when its input ends."""

    def __init__(self, script: str, *arguments: str, screen: IO[str] | None = None) -> None:
        self.name = script.removesuffix(".py")
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=screen,
            text=True,
            start_new_session=True,  # Ctrl-C is for the demo alone; it lets the others leave
        )

    def report(self) -> dict[str, Any]:
        """Wait for its next report."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise DemoFailed(f"the {self.name} ended early, with code {self._process.wait()}")
        message: dict[str, Any] = json.loads(line)
        return message

    def tell(self, **message: Any) -> None:
        """Send it a line."""
        assert self._process.stdin is not None
        print(json.dumps(message), file=self._process.stdin, flush=True)

    def stop(self) -> None:
        """End its input and wait; what does not leave by itself is made to."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it may have left already
            process.stdin.close()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with the commands that it runs
            process.wait()
        process.stdout.close()


@contextmanager
def running(script: str, *arguments: str) -> Generator[Child]:
    """Run a process of the demo; it is gone when the block is left, however it is left."""
    # What the follower shows is its standard error, for its standard output is for reports.
    child = Child(script, *arguments, screen=sys.stdout)
    try:
        yield child
    finally:
        child.stop()


def compile_schema() -> None:
    """Compile the schema with the command that users run."""
    command = ["streamdb-gen", str(HERE.relative_to(ROOT) / "schema.json")]
    print("$", *command, flush=True)
    subprocess.run(
        [sys.executable, "-m", "streamdb_gen", command[1]],
        cwd=ROOT,
        check=True,
        start_new_session=True,
    )


def run_session(file: Path) -> None:
    """Run the session and print what happened."""
    with running("agent.py", str(file), str(ROOT)) as agent:
        url = agent.report()["url"]
        print(f"the agent serves {url}\n", flush=True)
        with running("follower.py", url) as follower:
            written = agent.report()
            follower.tell(last_txid=written["last_txid"])
            followed = follower.report()
        joined, came_back = (join(url, written["last_txid"], file) for _ in range(2))
    print_figures(written, followed, joined, came_back, file.stat().st_size)


def join(url: str, last_txid: str, file: Path) -> dict[str, Any]:
    """Have a late joiner come and go; it keeps its cache beside the data file."""
    cache = str(file.with_suffix(".cache"))
    with running("late_joiner.py", url, last_txid, cache) as joiner:
        return joiner.report()


def print_figures(
    written: dict[str, Any],
    followed: dict[str, Any],
    joined: dict[str, Any],
    came_back: dict[str, Any],
    size: int,
) -> None:
    """Say in a few lines what was measured, and fail if they do not agree."""
    digests = [one["digest"] for one in (written, followed, joined, came_back)]
    is_same = len(set(digests)) == 1
    figures = {
        "agent": f"{written['events']} events, {written['chunks']} of them chunks, "
        f"in {written['seconds']:.1f} s; the data file has {size / 1024:.0f} KiB",
        "follower": f"{followed['events']} events in {followed['commits']} commits; "
        f"a chunk is seen {followed['delay_p50_ms']:.1f} ms after it was made "
        f"(99 %: {followed['delay_p99_ms']:.1f} ms)",
        "": f"messages grown from chunks equal the final ones: {yes(followed['grown_is_final'])}",
        "decisions": f"{followed['decisions']}, made by maria in another process than the agent's; "
        f"each showed there before it was on the stream: {yes(followed['shown_at_once'])}",
        **{f"summary {n}": told(summary) for n, summary in enumerate(written["summaries"], 1)},
        "late joiner": f"{joined['events']} events to {joined['rows']} rows, "
        f"connected and caught up in {joined['milliseconds']:.0f} ms",
        "second run": f"resumed from its cache: {came_back['cached']} events were not read again, "
        f"{came_back['events']} were new",
        "same state": f"{yes(is_same)} (digests {', '.join(digests)})",
    }
    print()
    for name, figure in figures.items():
        print(f"{name:12}{figure}", flush=True)
    if [summary["after"] for summary in written["summaries"]] != [2, 3]:
        raise DemoFailed("the summary that was denied is not the one that was taken back")
    if not (is_same and followed["grown_is_final"]):
        raise DemoFailed("they do not have the same state")
    if came_back["cached"] != joined["events"]:
        raise DemoFailed("the second run did not resume from its cache")


def told(summary: dict[str, Any]) -> str:
    """Tell what showed of a write before it was decided on, and after."""
    return (
        f"{summary['title']!r}: {summary['before']} messages, {summary['meanwhile']} while maria "
        f"decided, {summary['after']} after: {summary['outcome']}"
    )


def yes(answer: bool) -> str:
    """Say yes or no."""
    return "yes" if answer else "NO"


def interrupt(number: int, _: object) -> None:
    """Turn Ctrl-C, a request to end or the alarm into an exception: all is left in order, once."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(other, signal.SIG_IGN)
    if number == signal.SIGALRM:
        raise DemoFailed(f"the demo took longer than {LIMIT_SECONDS} s")
    raise KeyboardInterrupt


def main() -> int:
    """Run the demo; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, interrupt)
    signal.alarm(LIMIT_SECONDS)
    try:
        compile_schema()
        with tempfile.TemporaryDirectory(prefix="streamdb-demo-") as folder:
            run_session(Path(folder) / "session.db")
    except KeyboardInterrupt:
        print("\ninterrupted; every process of the demo has left", flush=True)
        return 130
    except (DemoFailed, subprocess.CalledProcessError) as error:
        print(f"\nthe demo failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
