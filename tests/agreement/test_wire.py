"""A row that is read and written back unchanged is the same JSON value, to the microsecond."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from tests.agreement.cases import Case
from tests.agreement.compiled import Refused, compiled
from tests.agreement.corpus import own_cases, public_cases
from tests.agreement.random_cases import random_cases
from tests.agreement.sides import Generated
from tests.agreement.wire import at_microseconds, is_same


@pytest.fixture(scope="module", params=["msgspec", "pydantic"])
def generated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generated:
    return Generated(tmp_path_factory.mktemp("packages"), request.param)


def test_the_corpus_survives(generated: Generated) -> None:
    changed = [
        line for case in [*own_cases(), *public_cases()] for line in changes(case, generated)
    ]
    assert not changed, "\n".join(changed)


def test_the_corpus_is_large_and_varied() -> None:
    """Real schemas of many kinds, each with rows that are valid and rows that are not."""
    cases = list(public_cases())
    assert len(cases) >= 30
    names = {case.name.partition("/")[2] for case in cases}
    assert names >= {
        "anthropic_message",
        "cloud_events",
        "geojson",
        "github_workflow",
        "mcp_message",
        "open_api_3_1",
        "openai_chat_message",
        "package_json",
    }
    for case in [*cases, *own_cases()]:
        assert {instance.expected for instance in case.instances} >= {True}, case.name
    for case in cases:
        assert {instance.expected for instance in case.instances} == {True, False}, case.name


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(case=random_cases())
def test_random_rows_survive(case: Case, generated: Generated) -> None:
    assert not changes(case, generated)


def changes(case: Case, generated: Generated) -> list[str]:
    """What became of the valid rows that their authors wrote, where it is something else."""
    spec = compiled(case.spec)
    if isinstance(spec, Refused):
        return [] if case.name.startswith("random") else [f"{case.name} is refused"]
    written_by_hand = [instance for instance in case.instances if " > " not in instance.name]
    verdicts = generated.judge(case, spec, [instance.text for instance in written_by_hand])
    schema = generated.schema(case, spec)
    found = []
    for instance, is_valid in zip(written_by_hand, verdicts, strict=True):
        if not is_valid:
            if instance.expected:
                found.append(f"{case.name} | {instance.name} cannot be read")
            continue
        written = json.loads(schema.encode(schema.decode(instance.text.encode(), strict=True)))
        if not is_same(at_microseconds(json.loads(instance.text)), at_microseconds(written)):
            found.append(f"{case.name} | {instance.name}\n  {instance.text}\n  {written}")
    return found
