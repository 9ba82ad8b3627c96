"""Specs compiled, written to a folder and imported, as a user would."""

from __future__ import annotations

import importlib.util
import itertools
import json
import pickle
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final

from tests.agreement.cases import Case, Json
from tests.run_folder import made_once

from streamdb import CollectionSchema
from streamdb_gen import api
from streamdb_gen.findings import Finding
from streamdb_gen.ir import Collection, Spec
from streamdb_gen.loading import load_spec_text

_NUMBERS: Final = itertools.count()


@dataclass(frozen=True)
class Refused:
    """The compiler's errors; there is at least one."""

    findings: tuple[Finding, ...]

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(f.rule for f in self.findings if f.severity == "error")


def compiled(spec: Path | Mapping[str, Json]) -> Spec | Refused:
    """The meaning of a spec, or the compiler's findings. Never raises for what a spec says."""
    return _compiled(spec if isinstance(spec, Path) else json.dumps(spec))


# Several tests go through the same corpus, of which many specs have several collections; and they
# run in several processes.
@lru_cache(maxsize=1_000)
def _compiled(spec: Path | str) -> Spec | Refused:
    name = f"spec-{sha256(repr(spec).encode()).hexdigest()}"
    found: Spec | Refused = pickle.loads(made_once(name, lambda: pickle.dumps(_compile(spec))))
    return found


def _compile(spec: Path | str) -> Spec | Refused:
    if isinstance(spec, Path):
        loaded = api.lint(spec)
        assert not isinstance(loaded, api.Problem), loaded
    else:
        loaded = load_spec_text(spec, "spec.json")
    if loaded.spec is not None:
        return loaded.spec
    refused = Refused(loaded.findings)
    assert refused.rules, "a spec was refused without an error"
    return refused


def collection_of(spec: Spec, case: Case) -> Collection:
    """The collection that a case is about."""
    (found,) = (c for c in spec.collections if c.wire_name == case.collection)
    return found


@lru_cache(maxsize=300)
def package_files(spec: Spec, models: api.Models = "msgspec") -> Mapping[str, str]:
    """The files of the package, by name; the processes of a test run share them."""
    files = made_once(
        f"{models}-{spec.digest}", lambda: json.dumps(api.generate(spec, models=models)).encode()
    )
    return MappingProxyType(json.loads(files))


def load_package(spec: Spec, folder: Path, models: api.Models = "msgspec") -> ModuleType:
    """Generate the package into a folder of its own below ``folder``, and import it."""
    name = f"agreement_package_{next(_NUMBERS)}"
    package = folder / name
    package.mkdir()
    for file, text in package_files(spec, models).items():
        (package / file).write_text(text, "utf-8")
    found = importlib.util.spec_from_file_location(
        name, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert found is not None
    assert found.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def unload_package(package: ModuleType) -> None:
    """Forget the package, and delete its folder."""
    for name in [m for m in sys.modules if m.partition(".")[0] == package.__name__]:
        del sys.modules[name]
    shutil.rmtree(package.__path__[0])


def schema_of(package: ModuleType, collection: Collection) -> CollectionSchema[Any, Any]:
    """What the generated package knows of a collection at run time."""
    events = sys.modules[f"{package.__name__}.events"]
    schema: CollectionSchema[Any, Any] = getattr(events, collection.name).schema
    return schema
