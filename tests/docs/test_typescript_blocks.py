"""Every TypeScript block of the documentation compiles against the example's package."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.interop.node import FOLDER, Node, node
from tests.interop.tsc import compile_strictly

from streamdb_gen import api

__all__ = ["node"]

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
EXAMPLE = ROOT / "generated_examples" / "agent_session" / "schema.json"


def test_typescript_blocks(node: Node, tmp_path: Path) -> None:
    loaded = api.lint(EXAMPLE)
    assert not isinstance(loaded, api.Problem)
    assert loaded.spec is not None
    folder = api.package_folder(tmp_path / EXAMPLE.name, loaded.spec, "typescript")
    assert isinstance(api.write(api.generate(loaded.spec, "typescript"), folder), api.WriteReport)
    blocks = [
        block
        for document in DOCUMENTS
        for block in re.findall(r"^```ts\n(.*?)^```$", document.read_text("utf-8"), re.M | re.S)
    ]
    assert blocks
    for number, block in enumerate(blocks):
        (tmp_path / f"block_{number}.ts").write_text(block)
    assert compile_strictly(node, tmp_path, noUnusedLocals=False) == []


def test_the_page_names_what_the_packages_of_typescript_need(node: Node) -> None:
    """What they and the samples import, and the peer of `createStreamDB`."""
    page = (ROOT / "docs/typescript.md").read_text("utf-8")
    installed = re.search(r"^npm install (.*?) +#", page, re.MULTILINE)
    assert installed is not None
    committed = EXAMPLE.parent / "agent-session-ts"
    sources = [path.read_text("utf-8") for path in sorted(committed.glob("*.ts"))]
    sources += re.findall(r"^```ts\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    imported = {
        "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
        for source in sources
        for name in re.findall(r'from "([^."][^"]*)"', source)
    }
    manifest = FOLDER / "node_modules/@durable-streams/state/package.json"
    peers = set(json.loads(manifest.read_text("utf-8"))["peerDependencies"])
    assert set(installed[1].split()) == imported | peers
