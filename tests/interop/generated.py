"""Packages generated from the same specs in both languages, and their streams as plain JSON."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from tests.interop.node import Node
from tests.interop.processes import Peer
from tests.interop.tsc import compile_strictly
from tests.interop.writes import Json, Rows, without_additions

from streamdb import AsyncStream, AsyncStreamDB, ChangeEvent
from streamdb_gen import api
from streamdb_gen.ir import Spec


@dataclass(frozen=True)
class Change:
    """One write: ``value`` for all but a delete, which has ``key``, the text of the row's key."""

    operation: str
    collection: str
    value: Json
    key: str
    txid: str = ""

    def for_typescript(self) -> Json:
        """What `peers/generated.mjs` takes."""
        content = {"key": self.key} if self.operation == "delete" else {"value": self.value}
        head = {"collection": self.collection, "operation": self.operation}
        return {**head, **content, "headers": {"txid": self.txid}}


@dataclass(frozen=True)
class Package:
    """One spec, compiled to an imported Python package and to a JavaScript module."""

    spec: Spec
    python: ModuleType
    module: Path

    def open(self, url: str) -> AsyncStreamDB:
        """The generated database class on a stream, which is made if it is missing."""
        database: Callable[..., AsyncStreamDB] = getattr(
            self.python, f"Async{self.spec.class_name}"
        )
        return database(url, create=True)

    def event(self, change: Change) -> ChangeEvent[Any]:
        """The event that the generated constructors make of a change."""
        collections = {collection.wire_name: collection for collection in self.spec.collections}
        constructors = getattr(self.python.events, collections[change.collection].name)
        event: ChangeEvent[Any]
        if change.operation == "delete":
            event = constructors.delete(constructors.schema.key(change.key), txid=change.txid)
        else:
            row = constructors.schema.decode(json.dumps(change.value).encode())
            event = getattr(constructors, change.operation)(row, txid=change.txid)
        return event

    async def append(self, url: str, changes: Iterable[Change]) -> None:
        async with await AsyncStream.create(url) as stream:
            for change in changes:
                await stream.append(self.event(change))

    def replayed(self, changes: Iterable[Change]) -> Rows:
        """The rows that are left after some changes, for each collection."""
        rows: Rows = {collection.wire_name: {} for collection in self.spec.collections}
        for change in changes:
            if change.operation == "delete":
                rows[change.collection].pop(change.key, None)
            else:
                rows[change.collection][change.key] = change.value
        return rows

    def rows(self, db: AsyncStreamDB) -> Rows:
        """The rows of a Python database, each as an event of its own would write it."""
        return {
            collection.wire_name: {
                str(constructors.schema.key_of(row)): json.loads(
                    constructors.upsert(row).to_json()
                )["value"]
                for row in db.collections[collection.wire_name]
            }
            for collection in self.spec.collections
            for constructors in [getattr(self.python.events, collection.name)]
        }


class TypeScriptPackages:
    """The process that runs the JavaScript modules."""

    def __init__(self, peer: Peer) -> None:
        self._peer: Final = peer

    def append(self, url: str, package: Package, changes: Iterable[Change]) -> None:
        writes = [change.for_typescript() for change in changes]
        self._peer.ask("append", url=url, module=str(package.module), writes=writes)

    @contextmanager
    def open(self, url: str, package: Package) -> Iterator[None]:
        """Follow a stream by `createStreamDB` as long as the block lasts."""
        self._peer.ask("open", url=url, module=str(package.module))
        try:
            yield
        finally:
            self._peer.ask("close", url=url)

    def rows(self, url: str, txid: str) -> Rows:
        """The rows of the open database, once a transaction has come by."""
        return without_additions(self._peer.ask("rows", url=url, txid=txid))

    def materialized(self, url: str, package: Package) -> Mapping[str, Any]:
        """For each collection its `rows` on the stream, and the `issues` that their schema has."""
        found: dict[str, Any] = self._peer.ask("materialize", url=url, module=str(package.module))
        return found


def compiled(path: Path) -> Spec:
    """The meaning of a spec that has no errors."""
    loaded = api.lint(path)
    assert not isinstance(loaded, api.Problem)
    assert loaded.spec is not None, api.render_text(loaded.findings, loaded.sources)
    return loaded.spec


@contextmanager
def packages_of(
    specs: Mapping[str, Spec], node: Node, folder: Path
) -> Iterator[dict[str, Package]]:
    """Generate the packages of all specs, and compile those in TypeScript, under these names."""
    for name, spec in specs.items():
        folders: dict[api.TargetName, str] = {"typescript": name, "python": _python_name(name)}
        for target, package in folders.items():
            written = api.write(api.generate(spec, target), folder / package)
            assert isinstance(written, api.WriteReport)
    assert compile_strictly(node, folder) == []
    with _importable(folder):
        yield {
            name: Package(
                spec,
                importlib.import_module(_python_name(name)),
                folder / "out" / name / "index.js",
            )
            for name, spec in specs.items()
        }


@contextmanager
def committed_package(spec: Path, node: Node, folder: Path) -> Iterator[Package]:
    """Take the packages of both languages that stand beside a spec, as they are."""
    compiled_spec = compiled(spec)
    typescript = api.package_folder(spec, compiled_spec, "typescript")
    shutil.copytree(typescript, folder / typescript.name)
    python = api.package_folder(spec, compiled_spec, "python")
    shutil.copytree(python, folder / _python_name(python.name))
    assert compile_strictly(node, folder) == []
    with _importable(folder):
        module = importlib.import_module(_python_name(python.name))
        yield Package(compiled_spec, module, folder / "out" / typescript.name / "index.js")


def _python_name(name: str) -> str:
    """A name that no other package of the tests has."""
    return f"interop_{name}"


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for module in [module for module in sys.modules if module.startswith("interop_")]:
            del sys.modules[module]
