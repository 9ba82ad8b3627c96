"""The committed packages of the example: what one language writes, the other one reads."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Final

import pytest
from tests.interop.generated import Change, Package, TypeScriptPackages, committed_package
from tests.interop.node import FOLDER, Node
from tests.interop.processes import Peer, running
from tests.interop.writes import Json, Rows

SPEC: Final = FOLDER.parents[1] / "generated_examples/agent_session/schema.json"
TIME: Final = "2026-03-01T08:00:00.000Z"

#: Two rows of every collection: what is required alone, and all that there is.
ROWS: Final[dict[str, tuple[Json, Json]]] = {
    "messages": (
        {
            "id": "m-1",
            "role": "user",
            "author": "maria",
            "status": "complete",
            "content": "",
            "createdAt": TIME,
        },
        {
            "id": "m-2",
            "role": "assistant",
            "author": "ada",
            "status": "streaming",
            "content": "𝄞 é",
            "createdAt": TIME,
        },
    ),
    "chunks": (
        {
            "id": "m-2:0",
            "messageId": "m-2",
            "seq": 0,
            "part": {"kind": "text", "text": "𝄞"},
            "createdAt": TIME,
        },
        {
            "id": "m-2:1",
            "messageId": "m-2",
            "seq": 1,
            "part": {"kind": "tool-output", "callId": "c", "channel": "stderr", "text": "é"},
            "createdAt": TIME,
        },
    ),
    "toolCalls": (
        {
            "callId": "c-1",
            "messageId": "m-2",
            "agentId": "ada",
            "command": ["ls"],
            "needsApproval": False,
            "status": "running",
        },
        {
            "callId": "c-2",
            "messageId": "m-2",
            "agentId": "ada",
            "command": ["rm", "-r", "/"],
            "needsApproval": True,
            "status": "failed",
            "exitCode": -1,
            "finishedAt": TIME,
        },
    ),
    "decisions": (
        {"callId": "c-1", "verdict": "approved", "decidedBy": "maria", "decidedAt": TIME},
        {
            "callId": "c-2",
            "verdict": "denied",
            "decidedBy": "maria",
            "decidedAt": TIME,
            "reason": "no",
        },
    ),
    "presence": (
        {"userId": "maria", "status": "away", "seenAt": TIME},
        {"userId": "ben", "status": "online", "seenAt": TIME},
    ),
    "agents": ({"agentId": "ada", "name": "Ada"}, {"agentId": "b", "name": "B", "tools": ["sh"]}),
}


@pytest.fixture(scope="module")
def package(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    with committed_package(SPEC, node, tmp_path_factory.mktemp("example")) as package:
        yield package


@pytest.fixture(scope="module")
def typescript(node: Node) -> Iterator[TypeScriptPackages]:
    with running([node.node, FOLDER / "peers" / "generated.mjs"]) as process:
        yield TypeScriptPackages(Peer(process))


def changes_of(package: Package) -> list[Change]:
    keys = {c.wire_name: c.primary_key.wire_name for c in package.spec.collections}
    assert keys.keys() == ROWS.keys()
    return [
        Change("insert", collection, row, row[keys[collection]], str(uuid.uuid4()))
        for collection, rows in ROWS.items()
        for row in rows
    ]


async def test_python_writes_and_typescript_reads(
    package: Package, typescript: TypeScriptPackages, reference_root: str
) -> None:
    changes, url = changes_of(package), f"{reference_root}example/{uuid.uuid4()}"
    await package.append(url, changes)
    found = typescript.materialized(url, package)
    rows: Rows = {name: each["rows"] for name, each in found.items()}
    assert rows == package.replayed(changes)
    assert [issue for each in found.values() for issue in each["issues"]] == []


async def test_typescript_writes_and_python_reads(
    package: Package, typescript: TypeScriptPackages, own_root: str
) -> None:
    changes, url = changes_of(package), f"{own_root}example/{uuid.uuid4()}"
    typescript.append(url, package, changes)
    async with package.open(url) as db:
        assert package.rows(db) == package.replayed(changes)
        assert list(db.invalid_events) == []
