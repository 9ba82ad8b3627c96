"""Cases with more instances: changes to those that their authors wrote."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from tests.agreement.cases import Case, Instance, Json
from tests.agreement.mutations import bounds_of, changes


def with_changes(case: Case, count: int, seed: int) -> Case:
    """The case and up to ``count`` changes to each of its valid instances, one each."""
    return case.with_instances(*_changed(case, count, seed))


def _changed(case: Case, count: int, seed: int) -> Iterator[Instance]:
    original = case.original
    bounds = bounds_of(original.documents[original.reference.partition("#")[0]])
    for instance in case.instances:
        if instance.expected is False:
            continue
        chosen = random.Random(f"{seed} {case.name} {instance.name}")
        row = json.loads(instance.text)
        possible = changes(original.subject(row), chosen.sample(bounds, min(len(bounds), 20)))
        for change in chosen.sample(possible, min(len(possible), count)):
            text = json.dumps(_with_subject(case, row, change.applied_to(original.subject(row))))
            yield Instance(f"{instance.name} > {change.name}", text)


def _with_subject(case: Case, row: Json, subject: Json) -> Json:
    part = case.original.part
    return subject if part is None else {**row, part: subject}
