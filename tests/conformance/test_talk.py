"""How the adapter talks, and how it ends (section 1 of the adapter's text)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.conftest import ADAPTER, MODES, Runner

ENDING = Path(__file__).with_name("ending.py")


@pytest.mark.parametrize(
    ("line", "code", "command"),
    [
        ('{"type":"fly"}', "NOT_SUPPORTED", "fly"),
        ("{broken", "PARSE_ERROR", "unknown"),
        ("[" * 100_000, "PARSE_ERROR", "unknown"),
        ("[]", "INVALID_ARGUMENT", "unknown"),
        ("{}", "INVALID_ARGUMENT", "unknown"),
        ('{"type":7}', "INVALID_ARGUMENT", "unknown"),
        ('{"type":"read"}', "INVALID_ARGUMENT", "read"),
        ('{"type":"read","path":7}', "INVALID_ARGUMENT", "read"),
        ('{"type":"read","path":"/x","live":"pigeon"}', "INVALID_ARGUMENT", "read"),
        ('{"type":"append","path":"/x","data":"\\ud800"}', "NOT_FOUND", "append"),
        ('{"type":"create","path":"/v1/stream/x","contentType":"a\\nb"}', "INVALID_ARGUMENT", ""),
        ('{"type":"validate","target":{"target":"moon"}}', "INVALID_ARGUMENT", "validate"),
        ('{"type":"init"}', "INVALID_ARGUMENT", "init"),
    ],
)
def test_bad_input_is_answered_and_the_talk_goes_on(
    runner: Runner, path: str, line: str, code: str, command: str
) -> None:
    runner.send_line(line)
    answer = runner.answer()
    assert (answer["type"], answer["success"], answer["errorCode"]) == ("error", False, code)
    assert answer["commandType"] == (command or "create")
    assert answer["message"]
    assert runner.ask("create", path=path)["status"] == 201


def test_a_missing_field_is_named_as_the_runner_spells_it(runner: Runner, path: str) -> None:
    answer = runner.fail("INVALID_ARGUMENT", "idempotent-append", path=path, data="x")
    assert "producerId" in answer["message"]


def test_nothing_works_before_init() -> None:
    answers, _ = talk([{"type": "head", "path": "/v1/stream/x"}], "blocking")
    assert answers[0]["errorCode"] == "INVALID_ARGUMENT"
    assert "init" in answers[0]["message"]


def talk(commands: list[dict[str, Any]], mode: str) -> tuple[list[dict[str, Any]], str]:
    """Give an adapter of its own all commands, and the end of its input. Return what it said."""
    run = subprocess.run(
        [sys.executable, "-X", "dev", ENDING, ADAPTER, *MODES[mode]],
        input="".join(json.dumps(command) + "\n" for command in commands),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        # asyncio's debug mode tells slow callbacks, and a busy machine has some.
        env={**os.environ, "PYTHONASYNCIODEBUG": "0"},
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()], run.stderr


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("says_goodbye", [True, False])
def test_it_ends_without_a_task_thread_or_socket_left(
    own_origin: str, path: str, mode: str, says_goodbye: bool
) -> None:
    # Ended in the midst of everything: a producer that is kept, and a read that ran out of time.
    producer = {"path": path, "producerId": "p", "epoch": 0, "autoClaim": False}
    commands: list[dict[str, Any]] = [
        {"type": "init", "serverUrl": own_origin},
        {"type": "create", "path": path, "contentType": "application/json"},
        {"type": "append", "path": path, "data": "1"},
        {"type": "read", "path": path, "live": "sse", "timeoutMs": 200},
        {"type": "read", "path": path, "live": "long-poll", "timeoutMs": 200},
        {"type": "idempotent-append", "data": "2", **producer},
        {"type": "idempotent-append", "data": "3", **producer, "path": path + "-missing"},
    ]
    if says_goodbye:
        commands += [{"type": "shutdown"}, {"type": "head", "path": path}]
    answers, errors = talk(commands, mode)
    assert [answer["success"] for answer in answers] == [True] * 6 + [False] + (
        [True] if says_goodbye else []
    )
    assert "left" not in errors
    assert "Warning" not in errors, errors


@pytest.mark.parametrize("mode", MODES)
def test_the_executables_that_a_runner_starts(mode: str) -> None:
    script = ADAPTER.with_name("client-adapter" + ("-async" if mode == "async" else ""))
    run = subprocess.run(
        [script],
        input='{"type":"init","serverUrl":"http://127.0.0.1:1"}\n{"type":"shutdown"}\n',
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"},
    )
    first, last = map(json.loads, run.stdout.splitlines())
    assert mode in first["clientName"]
    assert last == {"type": "shutdown", "success": True}
    assert run.stderr == ""
