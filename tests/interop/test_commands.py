"""Every command on streams, against the TypeScript reference server."""

from __future__ import annotations

import json
import signal

import pytest
from tests.runtime.cli.running import Commands, process

from streamdb.cli.exits import Exit


@pytest.fixture
def commands(
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
    reference_root: str,
) -> Commands:
    return Commands(capfdbinary, monkeypatch, reference_root)


@pytest.fixture
def name(reference_url: str, reference_root: str) -> str:
    return reference_url.removeprefix(reference_root)


def test_a_stream_from_its_creation_to_its_end(commands: Commands, name: str) -> None:
    assert commands.succeed("create", name, "0", "--ttl", "3600")[0].startswith("created ")
    assert "exists already" in commands.succeed("create", name, "0", "--ttl", "3600")[0]
    commands.fail(Exit.CONFLICT, "create", name, "--content-type", "text/plain")
    told = commands.succeed("append", name, '{"a": 1.50}', "[2]", "--json")
    middle = json.loads(told[0])["offset"]
    commands.succeed("append", name, stdin=b'"x"\nnull\n')
    commands.succeed("append", name, "--batch", "[1,[2]]", "--seq", "1")
    commands.fail(Exit.CONFLICT, "append", name, "1", "--seq", "1")
    commands.fail(Exit.REFUSED, "read", name, "--offset", "x y")
    assert commands.succeed("read", name, "--offset", middle) == ['"x"', "null", "1", "[2]"]
    assert commands.succeed("read", name)[:3] == ["0", '{"a":1.5}', "[2]"]  # JavaScript's number
    head = json.loads(commands.succeed("head", name, "--json")[0])
    assert (head["content_type"], head["ttl_seconds"]) == ("application/json", 3600)
    closed = json.loads(commands.succeed("close", name, '"last"', "--json")[0])
    done = commands.run("tail", name, "--offset", head["offset"])
    assert (done.code, done.lines) == (Exit.FINE, ['"last"'])
    assert f"it ends at offset {closed['offset']}" in done.err
    commands.fail(Exit.CONFLICT, "append", name, '"late"')
    assert commands.succeed("delete", name)[0].startswith("deleted ")
    commands.fail(Exit.MISSING, "read", name)


def test_forks(commands: Commands, name: str, reference_root: str) -> None:
    told = commands.succeed("create", name, "1", "--json")
    middle = json.loads(told[0])["offset"]
    commands.succeed("append", name, "2", "3", "4")
    commands.succeed("fork", name, f"{name}-tail")
    commands.succeed("fork", reference_root + name, f"{name}-at", "--at", middle)
    where = ("--at", middle, "--sub-offset", "2")
    made = commands.succeed("fork", name, f"{reference_root}{name}-sub", *where, "--json")
    assert json.loads(made[0])["forked_from"] == reference_root + name
    commands.succeed("append", name, "5")
    commands.succeed("append", f"{name}-sub", '"own"')
    assert commands.succeed("read", f"{name}-tail") == ["1", "2", "3", "4"]
    assert commands.succeed("read", f"{name}-at") == ["1"]
    assert commands.succeed("read", f"{name}-sub") == ["1", "2", "3", '"own"']
    commands.succeed("fork", name, f"{name}-at", "--at", middle)  # it is that already
    commands.succeed("create", f"{name}-plain")
    commands.fail(Exit.CONFLICT, "fork", name, f"{name}-plain", "--at", middle)
    commands.fail(Exit.MISSING, "fork", f"{name}-none", f"{name}-other")


def test_bytes_and_producers(commands: Commands, name: str) -> None:
    commands.succeed("create", name, "--content-type", "image/png")
    data = bytes(range(256)) * 2000
    commands.succeed("append", name, stdin=data)
    assert commands.run("read", name).out.encode("utf-8", "surrogateescape") == data
    numbers = f"{name}-numbers"
    commands.succeed("create", numbers)
    lines = [str(number) for number in range(50)]
    for _ in range(2):
        told = commands.run(
            "append", numbers, "--producer-id", "p", stdin="\n".join(lines).encode()
        )
        assert told.code == Exit.FINE
    assert commands.succeed("read", numbers) == lines
    many = [f'{{"n":{number}}}' for number in range(5000)]
    commands.succeed("append", numbers, stdin="\n".join(many).encode())
    assert commands.succeed("read", numbers) == lines + many


@pytest.mark.parametrize("live", ["sse", "long-poll"])
def test_tail(commands: Commands, name: str, reference_url: str, live: str) -> None:
    commands.succeed("create", name)
    with process("tail", reference_url, "--offset", "-1", "--live", live) as following:
        assert following.stdout is not None
        for number in range(3):
            told = commands.succeed("append", name, str(number), "--json")
            assert following.stdout.readline() == f"{number}\n"
        following.send_signal(signal.SIGINT)
        _, err = following.communicate(timeout=30)
    reached = json.loads(told[0])["offset"]
    assert (following.returncode, err) == (
        Exit.INTERRUPTED,
        f"streamdb: interrupted; go on with --offset {reached}\n",
    )
