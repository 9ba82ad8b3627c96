"""`streamdb serve` as a process: its line, its errors, its end, and `kill -9` at any moment."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from streamdb.cli.exits import Exit

TEXT = {"Content-Type": "text/plain"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "streamdb.cli", "serve", *arguments]


@contextmanager
def running(
    path: Path, *arguments: str, **env: str
) -> Generator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        command("--db", str(path), "--port", "0", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | env,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(f"Serving {path} at http://"), process.communicate()
            yield process, line.split()[-1]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_live_readers_connected_server_17(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running(tmp_path / "streams.db") as (process, url):
        httpx.put(url + "s", headers=TEXT)
        with (
            httpx.Client(timeout=60) as client,
            client.stream("GET", url + "s", params={"offset": "-1", "live": "sse"}) as answer,
        ):
            chunks = answer.iter_bytes()
            next(chunks)
            process.send_signal(number)
            list(chunks)  # ends in order
        assert process.wait(20) == 0
        assert process.communicate() == ("", "")
    assert not (tmp_path / "streams.db-wal").exists()


def test_the_token_comes_from_the_environment(tmp_path: Path) -> None:
    with running(tmp_path / "streams.db", STREAMDB_TOKEN="secret") as (process, url):
        assert httpx.put(url + "s").status_code == 401
        assert httpx.put(url + "s", headers={"Authorization": "Bearer secret"}).status_code == 201
        process.terminate()
        assert "secret" not in "".join(process.communicate())


def test_an_open_door_is_warned_of(tmp_path: Path) -> None:
    with running(tmp_path / "streams.db", "--host", "0.0.0.0") as (process, _):
        process.terminate()
        _, errors = process.communicate()
    assert errors.count("\n") == 1
    assert "--token" in errors


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, error = run("--db", str(tmp_path / "streams.db"), "--port", port)
    assert (code, error.count("\n")) == (1, 1)
    assert port in error
    assert "in use" in error


def test_a_file_in_use(tmp_path: Path) -> None:
    with running(tmp_path / "streams.db"):
        code, error = run("--db", str(tmp_path / "streams.db"), "--port", "0")
    assert (code, error.count("\n")) == (Exit.USAGE, 1)
    assert "in use by another process" in error
    assert "streamdb serve" not in error  # which is what was run


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("notes\n" * 1000)
    code, error = run("--db", str(path), "--port", "0")
    assert (code, error.count("\n")) == (Exit.USAGE, 1)
    assert "not a SQLite file" in error


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    code, error = run("--db", str(tmp_path / "no/streams.db"), "--port", "0")
    assert (code, error.count("\n")) == (Exit.USAGE, 1)
    assert "there is no folder" in error


def test_an_unknown_host(tmp_path: Path) -> None:
    path = str(tmp_path / "streams.db")
    code, error = run("--db", path, "--host", "no.such.host.invalid", "--token", "t")
    assert (code, error.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    ("missing", "extra"), [("click", "cli"), ("starlette", "server"), ("uvicorn", "server")]
)
def test_a_missing_extra_is_named(missing: str, extra: str) -> None:
    script = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['streamdb', 'serve'];"
        "from streamdb.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"pip install 'streamdb[{extra}]'" in done.stderr
    assert f"in a checkout, pip install '.[{extra}]'" in done.stderr


def test_kill_9_loses_nothing_acknowledged_and_doubles_nothing_model_3(tmp_path: Path) -> None:
    """Producers write through several killings, repeating what was not answered (PROD-7)."""
    path = tmp_path / "streams.db"
    acknowledged: dict[str, int] = {}
    sequences = dict.fromkeys("abc", 0)

    def write(url: str, name: str, first: threading.Event) -> None:
        with httpx.Client(timeout=10) as client:
            while True:
                seq = sequences[name]
                headers = TEXT | {
                    "Producer-Id": name,
                    "Producer-Epoch": "0",
                    "Producer-Seq": str(seq),
                }
                try:
                    answer = client.post(url + "s", headers=headers, content=f"{name}{seq};")
                except httpx.TransportError:
                    return  # killed: whether it was stored is unknown
                assert answer.status_code in (200, 204), answer.text
                acknowledged[name] = seq
                sequences[name] += 1
                if seq % 20 == 19:
                    first.set()

    for _ in range(4):
        with running(path) as (process, url):
            httpx.put(url + "s", headers=TEXT)
            enough = [threading.Event() for _ in sequences]
            writers = [
                threading.Thread(target=write, args=(url, name, event))
                for name, event in zip(sequences, enough, strict=True)
            ]
            for writer in writers:
                writer.start()
            for event in enough:
                assert event.wait(60)
            process.kill()  # with writes in flight
            for writer in writers:
                writer.join()
    with running(path) as (_, url):
        words = httpx.get(url + "s").text.split(";")[:-1]
    for name in sequences:
        mine = [word for word in words if word[0] == name]
        assert mine == [f"{name}{number}" for number in range(len(mine))]
        assert acknowledged[name] < len(mine) <= acknowledged[name] + 2
