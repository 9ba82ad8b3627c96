"""What importing a generated package does not import: only what a program uses costs it time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

_EXAMPLE: Final = Path(__file__).parents[2] / "generated_examples" / "agent_session"
# Each takes longer than all of the package's own modules, or brings many others.
_DEAR: Final = (
    *("asyncio", "httpx", "httptools", "ssl", "sqlite3", "jsonschema_rs", "pydantic"),
    *("concurrent.futures", "difflib", "pathlib", "urllib.parse"),
)
_ENGINE: Final = (
    *("streamdb.db.session", "streamdb.protocol.exchange", "streamdb.protocol.reading"),
    *("streamdb.state.fold", "streamdb.state.spec_file"),
)


def imported_by(program: str) -> set[str]:
    program += "\nimport sys; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(_EXAMPLE)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        encoding="utf-8",
        env=environment,
    )
    return set(done.stdout.split())


def test_importing_a_generated_package_imports_no_engine() -> None:
    imported = imported_by("from agent_session import AgentSession, AsyncAgentSession, events")
    assert "streamdb.db.base" in imported
    assert not imported.intersection({*_DEAR, *_ENGINE})


def test_a_local_file_needs_no_http_client() -> None:
    imported = imported_by(
        "from agent_session import AgentSession; AgentSession('embedded:none.db#x').close()"
    )
    assert "streamdb.db.session" in imported
    assert "httpx" not in imported
