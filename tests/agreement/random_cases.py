"""Random schemas with instances: rows drawn from the compiled meaning, and one change to each."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from tests.agreement.cases import Case, Instance
from tests.agreement.compiled import Refused, collection_of, compiled
from tests.agreement.mutations import bounds_of, changes
from tests.agreement.random_schemas import random_schemas
from tests.agreement.values import rows

_ROWS = 4
_CHANGES = 3


@st.composite
def random_cases(draw: st.DrawFn) -> Case:
    """A random schema and instances of it; one that the compiler refuses has none."""
    case = draw(random_schemas())
    spec = compiled(case.spec)
    if isinstance(spec, Refused):
        return case
    (schema,) = case.original.documents.values()
    bounds = bounds_of(schema)[:20]
    instances: list[Instance] = []
    for number in range(_ROWS):
        row = draw(rows(spec, collection_of(spec, case)))
        instances.append(Instance(f"row {number}", json.dumps(row)))
        possible = changes(row["value"], bounds)
        # By their numbers: hypothesis would write out all of them, for which it warns.
        numbers = st.integers(0, len(possible) - 1)
        for chosen in draw(st.lists(numbers, min_size=_CHANGES, max_size=_CHANGES)):
            change = possible[chosen]
            changed = {**row, "value": change.applied_to(row["value"])}
            instances.append(Instance(f"row {number} > {change.name}", json.dumps(changed)))
    return case.with_instances(*instances)
