"""The golden package with pydantic rows, used as the one with msgspec rows is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.type_checkers import CHECKERS, Checker, check_marked

PROJECT = Path(__file__).parent.parent.parent
GOLDEN = PROJECT / "tests" / "golden"


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_same_program_has_the_same_mistakes(tmp_path: Path, checker: Checker) -> None:
    shutil.copytree(GOLDEN / "everything_pydantic", tmp_path / "everything")
    program = shutil.copy(GOLDEN / "everything_usage.py", tmp_path)
    settings = tmp_path / "pyrightconfig.json"
    settings.write_text(
        json.dumps(
            {
                "typeCheckingMode": "strict",
                "pythonVersion": "3.11",
                "extraPaths": [str(PROJECT / "runtime")],
                "venvPath": str(Path(sys.prefix).parent),
                "venv": Path(sys.prefix).name,
            }
        )
    )
    check_marked(Path(program), checker, settings)


USE = """
import datetime as dt
from everything_pydantic import Everything, Message, PartToolCall, RenameInput, TextPart
from streamdb import UNSET

at = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
message = Message(
    id="m1", role="user", content="hi", created_at=at, reply_to=None, labels=["a"], note="n",
    edited_at=at, parts=[TextPart(text="x"), PartToolCall(tool_call_id="1")], sent_by="ann",
)
with Everything("embedded:s.db#demo", create=True) as db:
    db.messages.insert(message).synced(10)
    db.messages.update("m1", note=None, edited_at=UNSET, payload=None).synced(10)
    db.actions.rename(RenameInput(message_id="m1", content="new")).synced(10)
    changed = db.messages["m1"]
    assert (changed.note, changed.edited_at, changed.payload) == (None, UNSET, None)
    assert (changed.content, changed.parts) == ("new", message.parts)
    try:
        db.messages.insert(message.model_copy(update={"id": "m2", "role": "nobody"}))
    except ValueError as error:
        print(error)
with Everything("embedded:s.db#demo") as db:
    assert list(db.messages) == [changed]
    print(db.messages["m1"].model_dump_json())
"""


def test_the_package_works_on_a_stream(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", USE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(GOLDEN)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    refused, row = done.stdout.splitlines()
    assert refused.startswith(
        "collection 'messages': Message at /role: invalid enum value 'nobody'"
    )
    assert json.loads(row) == {
        "id": "m1",
        "role": "system",
        "content": "new",
        "createdAt": "2026-01-02T00:00:00.000Z",
        "replyTo": None,
        "priority": 1,
        "labels": ["a"],
        "parts": [{"kind": "text", "text": "x"}, {"kind": "tool-call", "toolCallId": "1"}],
        "payload": None,
        "sender name": "ann",
    }
