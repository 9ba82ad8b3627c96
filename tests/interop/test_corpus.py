"""Every schema of the corpus: what one language writes, the other one reads as the same values."""

from __future__ import annotations

import itertools
import json
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest
from tests.agreement.cases import Case, Instance
from tests.agreement.compiled import Refused, collection_of
from tests.agreement.compiled import compiled as compiled_case
from tests.agreement.corpus import own_cases, public_cases
from tests.agreement.wire import at_microseconds, is_same
from tests.interop.generated import Change, Package, TypeScriptPackages, packages_of
from tests.interop.node import FOLDER, Node
from tests.interop.processes import Peer, running
from tests.interop.writes import Json, Rows

from streamdb_gen.ir import Spec

_NUMBERS: Final = itertools.count()
_EXACT: Final = 2**53
BEYOND_DOUBLES: Final = {"own/edges/high", "own/edges/low"}
"""Collections that allow nothing but integers which JavaScript has no numbers for."""


class Corpus:
    """The cases that compile, and the packages of their specs."""

    def __init__(self, cases: Iterable[Case]) -> None:
        self.specs: Final[dict[str, Spec]] = {}
        self.packages: dict[str, Package] = {}
        self.cases: Final[list[tuple[Case, str]]] = []
        for case in cases:
            spec = compiled_case(case.spec)
            if not isinstance(spec, Refused):
                name = case.name.split("/")[1]
                self.specs[name] = spec
                self.cases.append((case, name))

    def batches(self) -> Iterator[tuple[str, Package, list[Change]]]:
        """For each case its valid rows, in batches that hold no key twice."""
        for case, name in self.cases:
            package = self.packages[name]
            key = collection_of(package.spec, case).primary_key.wire_name
            rows = [row_of(case, instance) for instance in case.instances if instance.expected]
            for batch in batched(filter(javascript_can_write_it, rows), key):
                yield (
                    case.name,
                    package,
                    [
                        Change(
                            "insert", case.collection, row, key_text(row[key]), str(uuid.uuid4())
                        )
                        for row in batch
                    ],
                )


def row_of(case: Case, instance: Instance) -> Json:
    """The row; those that a public schema was wrapped for all have one key, and get their own."""
    row: Json = json.loads(instance.text)
    return row if case.original.part is None else {**row, "id": instance.name}


def key_text(key: str | float) -> str:
    """The key on the wire: that of `1.0` is `1`."""
    return key if isinstance(key, str) else str(int(key))


def differences(case: str, read: Rows, written: Rows) -> Iterator[str]:
    for collection, rows in written.items():
        for key, row in rows.items():
            found = read[collection].get(key)
            if not is_same(at_microseconds(found), at_microseconds(row)):
                yield f"{case} {key}:\n  wrote {json.dumps(row)}\n  read  {json.dumps(found)}"


def batched(rows: Iterable[Json], key: str) -> list[list[Json]]:
    batches: list[dict[Any, Json]] = []
    for row in rows:
        # The helpers of events take no empty key.
        if row[key] != "":
            free = next((batch for batch in batches if row[key] not in batch), None)
            if free is None:
                batches.append(free := {})
            free[row[key]] = row
    return [list(batch.values()) for batch in batches]


def javascript_can_write_it(value: Any) -> bool:
    """Whether all numbers in a value are exact in JavaScript."""
    if isinstance(value, dict):
        return all(map(javascript_can_write_it, value.values()))
    if isinstance(value, list):
        return all(map(javascript_can_write_it, value))
    return not isinstance(value, int) or abs(value) <= _EXACT


@pytest.fixture(scope="module")
def corpus(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    try:
        cases = [*own_cases(), *public_cases()]
    except RuntimeError as error:  # other people's schemas cannot be downloaded
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    found = Corpus(cases)
    with packages_of(found.specs, node, tmp_path_factory.mktemp("corpus")) as packages:
        found.packages = packages
        yield found


@pytest.fixture(scope="module")
def typescript(node: Node) -> Iterator[TypeScriptPackages]:
    with running([node.node, FOLDER / "peers" / "generated.mjs"]) as process:
        yield TypeScriptPackages(Peer(process))


def test_every_schema_of_the_corpus_is_written(corpus: Corpus) -> None:
    """Each compiles in both languages, and has rows that both can write."""
    names = {case.name for case in [*own_cases(), *public_cases()]} - BEYOND_DOUBLES
    written = Counter(case for case, _, changes in corpus.batches() for _ in changes)
    assert written.keys() == names
    assert sum(written.values()) >= 2 * len(names)


async def test_python_writes_and_typescript_reads(
    corpus: Corpus, typescript: TypeScriptPackages, reference_root: str
) -> None:
    wrong: list[str] = []
    for case, package, changes in corpus.batches():
        url = f"{reference_root}corpus/{next(_NUMBERS)}"
        await package.append(url, changes)
        found = typescript.materialized(url, package)
        rows: Rows = {name: each["rows"] for name, each in found.items()}
        wrong += differences(case, rows, package.replayed(changes))
        wrong += [f"{case}: {issue}" for each in found.values() for issue in each["issues"]]
    assert not wrong, "\n".join(wrong)


async def test_typescript_writes_and_python_reads(
    corpus: Corpus, typescript: TypeScriptPackages, own_root: str
) -> None:
    wrong: list[str] = []
    for case, package, changes in corpus.batches():
        url = f"{own_root}corpus/{next(_NUMBERS)}"
        typescript.append(url, package, changes)
        async with package.open(url) as db:
            wrong += differences(case, package.rows(db), package.replayed(changes))
            wrong += [f"{case}: {event}" for event in db.invalid_events]
    assert not wrong, "\n".join(wrong)
