"""Classes of the user's own agree with the schema that they are written for."""

from __future__ import annotations

import pytest
from tests.agreement.agreement import Tally, read_excuses
from tests.agreement.compiled import Refused, compiled
from tests.agreement.corpus import own_cases, public_cases
from tests.agreement.oracles import RustOracle
from tests.agreement.own_types import Kind, OwnTypes
from tests.agreement.sides import Oracle
from tests.agreement.varied import with_changes

CHANGES = 40
SEED = 5
LEAST_SCHEMAS = 20


@pytest.mark.parametrize("kind", ["dataclass", "TypedDict"])
def test_they_agree_and_lose_nothing(kind: Kind) -> None:
    own = OwnTypes(kind)
    tally = Tally(read_excuses())
    for case in [*own_cases(), *public_cases()]:
        spec = compiled(case.spec)
        assert not isinstance(spec, Refused)
        if own.can_say(spec):
            tally.take(
                with_changes(case, CHANGES, SEED), [own, Oracle("jsonschema-rs", RustOracle)]
            )
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements[:20]))
    assert not tally.losses.found, "\n".join(map(str, tally.losses.found[:20]))
    assert list(tally.losses.stale({"own", "public"})) == []
    assert tally.compiled.total() >= LEAST_SCHEMAS
