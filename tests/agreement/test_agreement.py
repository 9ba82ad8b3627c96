"""One run over the suite and the corpus: what every side says of every instance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from tests.agreement.agreement import MOST_EXCUSED, Tally, read_excuses
from tests.agreement.cases import Case
from tests.agreement.compiled import Refused, compiled
from tests.agreement.corpus import own_cases, public_cases
from tests.agreement.downloads import jsonschema_source
from tests.agreement.random_cases import random_cases
from tests.agreement.sides import Side
from tests.agreement.suite import suite_cases
from tests.agreement.varied import with_changes

LEAST_COMPILED = 0.9
CHANGES = 45
SEED = 3


@pytest.fixture(scope="module")
def tally(sides: tuple[Side, ...]) -> Tally:
    """The run. To compile a schema to code that does not import or decode fails it."""
    tally = Tally(read_excuses())
    for case in with_equals_together(cases()):
        tally.take(case, sides)
    return tally


def with_equals_together(cases: Iterable[Case]) -> list[Case]:
    """The cases in an order in which those whose packages are equal follow each other.

    Drafts differ in few groups of the suite, and to make a package and import it is most of the
    work of a case: sides keep the one that they made last.
    """
    by_digest: dict[str, list[Case]] = {}
    for case in cases:
        spec = compiled(case.spec)
        digest = case.name if isinstance(spec, Refused) else spec.digest
        by_digest.setdefault(digest, []).append(case)
    return [case for equals in by_digest.values() for case in equals]


def cases() -> Iterator[Case]:
    yield from suite_cases(jsonschema_source())
    for case in [*own_cases(), *public_cases()]:
        yield with_changes(case, CHANGES, SEED)


def test_all_sides_agree(tally: Tally) -> None:
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements[:20]))


def test_what_is_read_is_written_back(tally: Tally) -> None:
    """Every row that a side reads and writes is the same JSON value, or a known loss."""
    assert not tally.losses.found, "\n".join(map(str, tally.losses.found[:20]))
    assert set(tally.losses.written) >= {"msgspec", "pydantic", "from_file", "typescript"}


def test_no_known_loss_is_stale(tally: Tally) -> None:
    assert list(tally.losses.stale({"suite", "own", "public"})) == []


def test_exceptions_are_few(tally: Tally) -> None:
    assert tally.excused_instances <= MOST_EXCUSED * tally.instances


def test_no_exception_is_stale(tally: Tally) -> None:
    assert list(tally.stale({"suite", "own", "public"})) == []


def test_no_exception_excuses_more_than_what_is_known(tally: Tally) -> None:
    assert list(tally.too_wide({"suite", "own", "public"})) == []


def test_nine_in_ten_schemas_of_the_suite_compile(tally: Tally) -> None:
    refused = [name for name in tally.refused if name.startswith("suite/")]
    compiled = tally.compiled["suite"]
    assert compiled >= LEAST_COMPILED * (compiled + len(refused)), "\n".join(refused)


def test_the_whole_corpus_compiles(tally: Tally) -> None:
    refused = {
        name: [finding.message for finding in refused.findings]
        for name, refused in tally.refused.items()
        if not name.startswith("suite/")
    }
    assert refused == {}


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(case=random_cases())
def test_all_sides_agree_on_random_schemas(case: Case, sides: tuple[Side, ...]) -> None:
    tally = Tally(read_excuses())
    tally.take(case, sides)
    assert not tally.disagreements, f"{case.spec}\n{tally.disagreements[0]}"
    assert not tally.losses.found, f"{case.spec}\n{tally.losses.found[0]}"
