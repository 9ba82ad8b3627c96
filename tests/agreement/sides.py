"""Who judges: each side tells of rows whether they are valid."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol, runtime_checkable
from urllib.parse import quote

from tests.agreement.cases import DRAFT_2020_12, Case, Original
from tests.agreement.compiled import (
    collection_of,
    load_package,
    schema_of,
    unload_package,
)
from tests.agreement.oracles import JsonSchemaOracle, RustOracle
from tests.agreement.wire import is_same

from streamdb import CollectionSchema, InvalidRow, StateSchema
from streamdb_gen import api
from streamdb_gen.ir import Spec

_CANONICAL: Final = "https://agreement.test/canonical"

Verdict = bool | None
"""None: the side could not tell."""


class Side(Protocol):
    """One party to the contract."""

    name: str

    def judge(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[Verdict]:
        """Judge rows, given as JSON text, of the case's collection, which compiled to ``spec``."""
        ...


@runtime_checkable
class Writer(Side, Protocol):
    """A side that also writes."""

    def rewrite(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[str]:
        """Write back rows that it judged to be valid; in place of one that it cannot, say why."""
        ...


class Oracle(Side):
    """A reference validator, by the schema as it was written."""

    def __init__(self, name: str, make: type[JsonSchemaOracle | RustOracle]) -> None:
        self.name = name
        self._make = make

    def judge(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[Verdict]:
        oracle = self._make(case.original)

        def verdict(text: str) -> Verdict:
            try:
                return oracle.accepts(case.original.subject(json.loads(text)))
            except Exception:  # noqa: BLE001  # whatever a validator raises, it has not judged
                return None

        return [verdict(text) for text in texts]


class Canonical(Side):
    """The `schema.json` of the package: what the spec became before any type was made of it."""

    name = "schema.json"

    def judge(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[Verdict]:
        pointer = quote(f"{collection_of(spec, case).pointer}/schema")
        document = {**json.loads(spec.canonical), "$schema": DRAFT_2020_12}
        original = Original(f"{_CANONICAL}#{pointer}", {_CANONICAL: document})
        return Oracle(self.name, RustOracle).judge(replace(case, original=original), spec, texts)


class Generated(Side):
    """The generated package with rows of one kind, reading strictly."""

    def __init__(self, folder: Path, models: api.Models = "msgspec") -> None:
        self.name = models
        self._models: Final = models
        self._folder = folder
        self._loaded: tuple[str, ModuleType] | None = None

    def judge(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[Verdict]:
        return verdicts(self.schema(case, spec), texts)

    def rewrite(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[str]:
        return rewritten(self.schema(case, spec), texts)

    def schema(self, case: Case, spec: Spec) -> CollectionSchema[Any, Any]:
        """What the package knows of the case's collection."""
        return schema_of(self._package(spec), collection_of(spec, case))

    def _package(self, spec: Spec) -> ModuleType:
        """The package; it stays imported for the other collections of its spec."""
        if self._loaded is not None:
            digest, package = self._loaded
            if digest == spec.digest:
                return package
            self._loaded = None
            unload_package(package)
        package = load_package(spec, self._folder, self._models)
        self._loaded = (spec.digest, package)
        return package


class Written(Side):
    """The generated package as it writes: only what the types leave unsaid is asked of the schema.

    A row that is not written as it was given, because another spelling or an undeclared property
    was read, is judged by what strict reading says; what was written has to be valid all the same.
    """

    def __init__(self, generated: Generated) -> None:
        self.name = f"{generated.name}, written"
        self._generated: Final = generated

    def judge(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[Verdict]:
        schema = self._generated.schema(case, spec)
        return [_writes(schema, text) for text in texts]


class Plain(Side):
    """Rows of plain JSON by the spec file itself, which is not compiled."""

    name = "from_file"

    def __init__(self, folder: Path) -> None:
        self._written: Final = folder / "schema.json"
        self._loaded: tuple[object, StateSchema] | None = None

    def judge(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[Verdict]:
        return verdicts(self._schema(case), texts)

    def rewrite(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[str]:
        return rewritten(self._schema(case), texts)

    def _schema(self, case: Case) -> CollectionSchema[Any, Any]:
        if self._loaded is None or self._loaded[0] is not case.spec:
            self._loaded = (case.spec, StateSchema.from_file(self._file(case)))
        return self._loaded[1].by_name[case.collection]

    def _file(self, case: Case) -> Path:
        if isinstance(case.spec, Path):
            return case.spec
        self._written.write_text(json.dumps(case.spec), "utf-8")
        return self._written


def verdicts(schema: CollectionSchema[Any, Any], texts: Sequence[str]) -> list[Verdict]:
    """What strict reading says."""

    def verdict(text: str) -> Verdict:
        try:
            schema.decode(text.encode(), strict=True)
        except InvalidRow:
            return False
        return True

    return [verdict(text) for text in texts]


def rewritten(schema: CollectionSchema[Any, Any], texts: Sequence[str]) -> list[str]:
    """What is written of each row that was read."""

    def written(text: str) -> str:
        try:
            return schema.encode(schema.decode(text.encode(), strict=True)).decode()
        except Exception as error:  # noqa: BLE001  # whatever it is, the row is lost
            return f"error: {error!r}"

    return [written(text) for text in texts]


def _writes(schema: CollectionSchema[Any, Any], text: str) -> Verdict:
    try:
        row = schema.decode(text.encode())
    except InvalidRow:
        return False
    kept = is_same(json.loads(schema.rows.write(row)), json.loads(text), spelt=True)
    (was_valid,) = verdicts(schema, [text])
    try:
        written = schema.encode(row)
    except InvalidRow:
        return False
    if verdicts(schema, [written.decode()]) != [True]:
        return None
    return True if kept else was_valid


def all_sides(folder: Path) -> tuple[Side, ...]:
    """Every side there is; generated packages are put below ``folder``."""
    generated = [Generated(folder), Generated(folder, "pydantic")]
    return (
        Oracle("jsonschema", JsonSchemaOracle),
        Oracle("jsonschema-rs", RustOracle),
        Canonical(),
        *generated,
        *map(Written, generated),
        Plain(folder),
    )
