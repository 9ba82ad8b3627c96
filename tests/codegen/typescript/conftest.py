"""TypeScript for the tests of its target; skipped without Node.js, as in tests/interop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.codegen.typescript.peer import TypeScript
from tests.interop.node import FOLDER, Node, node
from tests.interop.processes import Peer, running

__all__ = ["node"]


@pytest.fixture(scope="session")
def typescript(node: Node) -> Iterator[TypeScript]:
    """TypeScript, prettier and ajv."""
    with running([node.node, FOLDER / "peers" / "typescript.mjs"]) as process:
        yield TypeScript(Peer(process))
