"""Who judges: each side tells of a row whether it is valid."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol

from tests.agreement.cases import Case
from tests.agreement.compiled import (
    collection_of,
    load_package,
    schema_of,
    unload_package,
)
from tests.agreement.oracles import JsonSchemaOracle, RustOracle

from streamdb import InvalidRow
from streamdb_gen.ir import Spec

Verdict = bool | None
"""None: the side could not tell."""

Judge = Callable[[str], Verdict]
"""From a row's JSON text."""


class Side(Protocol):
    """One party to the contract."""

    name: str

    def judge(self, case: Case, spec: Spec) -> Judge:
        """Get ready for the instances of a case, which compiled to ``spec``."""
        ...


class Oracle(Side):
    """A reference validator, by the schema as it was written."""

    def __init__(self, name: str, make: type[JsonSchemaOracle | RustOracle]) -> None:
        self.name = name
        self._make = make

    def judge(self, case: Case, spec: Spec) -> Judge:
        oracle = self._make(case.original)

        def verdict(text: str) -> Verdict:
            try:
                return oracle.accepts(case.original.subject(json.loads(text)))
            except Exception:  # noqa: BLE001  # whatever a validator raises, it has not judged
                return None

        return verdict


class Generated(Side):
    """The generated package, reading strictly."""

    name = "msgspec"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: tuple[str, ModuleType] | None = None

    def judge(self, case: Case, spec: Spec) -> Judge:
        schema = schema_of(self._package(spec), collection_of(spec, case))

        def verdict(text: str) -> Verdict:
            try:
                schema.decode(text.encode(), strict=True)
            except InvalidRow:
                return False
            return True

        return verdict

    def _package(self, spec: Spec) -> ModuleType:
        """The package; it stays imported for the other collections of its spec."""
        if self._loaded is not None:
            digest, package = self._loaded
            if digest == spec.digest:
                return package
            unload_package(package)
        package = load_package(spec, self._folder)
        self._loaded = (spec.digest, package)
        return package


def oracles() -> Sequence[Side]:
    """The two reference validators."""
    return (Oracle("jsonschema", JsonSchemaOracle), Oracle("jsonschema-rs", RustOracle))
