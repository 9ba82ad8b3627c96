"""Schemas of every keyword, sound and unsound; `hostile_campaign` is the long form."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from tests.codegen.hostile_schemas import documents, is_compiled_or_refused


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_a_finding_or_a_package_and_never_an_exception(document: dict[str, Any]) -> None:
    is_compiled_or_refused(document)
