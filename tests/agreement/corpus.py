"""The corpus: specs of our own, and public schemas that come from packages.

A folder of `corpus/own` holds a spec, `schema.json`, perhaps further files that it refers to, and
`instances.json`: for each collection the valid rows, and the invalid ones by what is wrong with
them. `corpus/public` holds nothing but instances.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.agreement.cases import Case, Instance, Json, Original, wrapped, wrapped_instance
from tests.agreement.public import PUBLIC, as_compilable

_FOLDER: Final = Path(__file__).parent / "corpus"
_ADDRESS: Final = "https://agreement.test/own/"


def own_cases() -> Iterator[Case]:
    """The specs written for these tests: one case for each collection."""
    for folder in sorted((_FOLDER / "own").iterdir()):
        instances = _read(folder / "instances.json")
        collections = _collections(_read(folder / "schema.json"))
        assert instances.keys() == collections.keys(), f"{folder.name}: name every collection"
        for collection, found in instances.items():
            yield Case(
                f"own/{folder.name}/{collection}",
                spec=folder / "schema.json",
                collection=collection,
                original=_original(folder, collections[collection]),
                instances=tuple(
                    Instance(name, json.dumps(row), expected)
                    for name, row, expected in _listed(found)
                ),
            )


def public_cases() -> Iterator[Case]:
    """The public schemas, each as one property of a row.

    :raises RuntimeError: they cannot be had from the registry.
    """
    for name, load in PUBLIC.items():
        schema, draft = as_compilable(load())
        found = _read(_FOLDER / "public" / f"{name}.json")
        yield wrapped(f"public/{name}", schema, draft).with_instances(
            *(wrapped_instance(label, value, expected) for label, value, expected in _listed(found))
        )


def _listed(instances: Json) -> Iterator[tuple[str, Json, bool]]:
    for number, row in enumerate(instances["valid"]):
        yield f"valid {number}", row, True
    for reason, row in instances["invalid"].items():
        yield f"invalid: {reason}", row, False


def _collections(spec: Json) -> Mapping[str, tuple[str, Json]]:
    """Pointer and schema of each collection's row."""
    inside = "/collections" if "collections" in spec else ""
    members = spec["collections"] if inside else spec
    return {name: (f"{inside}/{name}/schema", one["schema"]) for name, one in members.items()}


def _original(folder: Path, row: tuple[str, Json]) -> Original:
    pointer, schema = row
    if "$schema" in schema or "$id" in schema:
        address = schema.get("$id", f"{_ADDRESS}row")
        return Original(address, {address: schema})
    documents = {
        _ADDRESS + file.relative_to(folder).as_posix(): _read(file)
        for file in folder.rglob("*.json")
        if file.name != "instances.json"
    }
    return Original(f"{_ADDRESS}schema.json#{pointer.replace(' ', '%20')}", documents)


def _read(file: Path) -> Json:
    return json.loads(file.read_text("utf-8"))
