"""Packages of both languages, generated from one spec, write and read one stream: same rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import pytest
from tests.interop.generated import (
    Change,
    Package,
    TypeScriptPackages,
    compiled,
    packages_of,
)
from tests.interop.node import FOLDER, Node
from tests.interop.processes import Ended, Peer, running
from tests.interop.writes import Json, Rows

GOLDEN: Final = FOLDER.parent / "golden"

MESSAGE: Final[Json] = {
    "id": "m-1",
    "role": "user",
    "content": "hi",
    "createdAt": "2026-03-01T08:00:00.000Z",
    "replyTo": None,
    "labels": ["a"],
}
FULL_MESSAGE: Final[Json] = {
    **MESSAGE,
    "id": "m-2",
    "replyTo": "m-1",
    "note": "𝄞 \u2028 </script>",
    "editedAt": "2026-03-01T08:00:00.001Z",
    "priority": 3,
    "flag": None,
    "session": "123e4567-e89b-12d3-a456-426614174000",
    "day": "2024-02-29",
    "scores": {"clarity": 0.25, "": 1},
    "author": {"name": "Ada", "address": {}},
    "parts": [
        {"kind": "text", "text": ""},
        {"kind": "group", "parts": [{"kind": "tool-call", "toolCallId": "t"}], "caption": None},
    ],
    "payload": [{"any": None}, 1e21],
    "nothing": None,
    "sender name": "Ada",
}
HOSTILE: Final[Json] = {
    "class": "a/b",
    "'''": '"""',
    "\u202ename": "日本",
    "import": "]\nimport os\n[",
    "half a pair": "\ud800",
    "def f(): pass": 9007199254740991,
    "日本": True,
}
SHAPE: Final[Json] = {
    "id": "s-1",
    "size": "large",
    "place": [0.5, "left"],
    "content": [
        {"type": "image", "url": "https://example.com/%C3%A9"},
        {"type": "text", "text": ""},
    ],
    "when": "2024-02-29",
    "price": "-12.50",
    "digest": "AAECAw==",
    "at": "08:30:00.250Z",
    "mail": "ada@example.com",
    "host": "2001:db8::1",
    "word": "semi-final",
    "unique": [3, 1, 2],
    "either": "abc",
    "tree": ["a", ["b", []]],
    "extended": {"name": "Ada", "more": True},
}
OTHER_SHAPE: Final[Json] = {"id": "s-2", "size": 7, "content": "x", "when": 0, "either": False}
#: What each stream holds, by the spec's name: collection, name of the key, rows.
ROWS: Final[Mapping[str, list[tuple[str, str, list[Json]]]]] = {
    "minimal": [("notes", "id", [{"id": 7, "text": ""}, {"id": -1, "text": "x"}])],
    "everything": [
        ("messages", "id", [MESSAGE, FULL_MESSAGE]),
        ("archivedMessages", "id", [FULL_MESSAGE]),
        (
            "counters",
            "number",
            [{"number": 0, "class": "low"}, {"number": 5, "class": "high", "step": 5}],
        ),
        ("folders", "path", [{"path": "/a", "parent": {"path": "/", "parent": None}}]),
    ],
    "hostile": [("{{ events }}", "class", [HOSTILE])],
    "shapes": [
        ("shapes", "id", [SHAPE, OTHER_SHAPE]),
        ("open", "number", [{"number": 1}, {"number": 2, "label": None, "x": [1, 2], "y z": []}]),
    ],
}
SPECS: Final = [
    GOLDEN / "minimal.json",
    GOLDEN / "everything.json",
    GOLDEN / "hostile.json",
    FOLDER / "shapes.json",
]


@pytest.fixture(scope="module")
def packages(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Package]]:
    with packages_of(
        {path.stem: compiled(path) for path in SPECS}, node, tmp_path_factory.mktemp("generated")
    ) as made:
        yield made


@pytest.fixture(scope="module")
def typescript(node: Node) -> Iterator[TypeScriptPackages]:
    with running([node.node, FOLDER / "peers" / "generated.mjs"]) as process:
        yield TypeScriptPackages(Peer(process))


@pytest.fixture(params=ROWS)
def package(request: pytest.FixtureRequest, packages: dict[str, Package]) -> Package:
    return packages[request.param]


@pytest.fixture
def changes(package: Package) -> list[Change]:
    """Every operation on every collection."""
    name = next(name for name in ROWS if name == package.spec.name)
    made: list[Change] = []
    for collection, key, rows in ROWS[name]:
        written = [Change("insert", collection, row, str(row[key])) for row in rows]
        first = written[0]
        passing = replace(first, value={**first.value, key: _other_key(first.value[key])})
        passing = replace(passing, key=str(passing.value[key]))
        made += [passing, *written, replace(passing, operation="delete")]
        made += [replace(each, operation=op) for each in written for op in ("update", "upsert")]
    return [replace(change, txid=str(uuid.uuid4())) for change in made]


def _other_key(key: str | int) -> str | int:
    return key + 1000 if isinstance(key, int) else f"{key}-passing"


async def test_python_writes_and_typescript_reads(
    package: Package, typescript: TypeScriptPackages, changes: list[Change], url: str
) -> None:
    await package.append(url, changes[:1])
    with typescript.open(url, package):
        await package.append(url, changes[1:])
        assert typescript.rows(url, changes[-1].txid) == with_keys_as_text(package, changes)
    found = typescript.materialized(url, package)
    assert {name: each["rows"] for name, each in found.items()} == package.replayed(changes)
    assert [issue for each in found.values() for issue in each["issues"]] == []


async def test_typescript_writes_and_python_reads(
    package: Package, typescript: TypeScriptPackages, changes: list[Change], url: str
) -> None:
    typescript.append(url, package, changes[:1])
    async with package.open(url) as db:
        typescript.append(url, package, changes[1:])
        await db.await_txid(changes[-1].txid, timeout=20)
        assert package.rows(db) == package.replayed(changes)
        assert db.metrics.invalid == 0


async def test_both_write(
    package: Package, typescript: TypeScriptPackages, changes: list[Change], url: str
) -> None:
    """Turn by turn, and both have the same rows after each."""
    async with package.open(url) as db:
        with typescript.open(url, package):
            for number, change in enumerate(changes, start=1):
                if number % 2:
                    typescript.append(url, package, [change])
                else:
                    await package.append(url, [change])
                await db.await_txid(change.txid, timeout=20)
                there = typescript.rows(url, change.txid)
                assert there == with_keys_as_text(package, changes[:number])
                assert package.rows(db) == package.replayed(changes[:number])


def test_the_helpers_refuse_what_the_schema_refuses(
    packages: dict[str, Package], typescript: TypeScriptPackages, reference_url: str
) -> None:
    wrong = Change("insert", "messages", {**MESSAGE, "createdAt": "today"}, "m-1")
    with pytest.raises(Ended, match="message insert: /createdAt must match format"):
        typescript.append(reference_url, packages["everything"], [wrong])


def with_keys_as_text(package: Package, changes: list[Change]) -> Rows:
    """What `createStreamDB` makes of the rows: the primary key is the event's, which is text."""
    rows = package.replayed(changes)
    keys = {c.wire_name: c.primary_key.wire_name for c in package.spec.collections}
    return {
        name: {key: {**row, keys[name]: key} for key, row in collection.items()}
        for name, collection in rows.items()
    }
