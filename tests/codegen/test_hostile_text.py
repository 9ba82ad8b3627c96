"""Text of a spec is data, never code or markup (spec-format, "Rendering safely").

The full campaign: `python -m tests.codegen.hostile_campaign`.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.codegen.hostile_specs import FRAGMENTS, SPECS, carries_its_text, with_every_text


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(SPECS)
def test_random_specs(document: dict[str, Any]) -> None:
    carries_its_text(document)


@pytest.mark.parametrize("text", FRAGMENTS, ids=ascii)
def test_each_fragment_as_every_text(text: str) -> None:
    assert carries_its_text(with_every_text(text))
