"""Text of a spec is data in TypeScript, too (spec-format, "Rendering safely")."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.codegen.hostile_specs import FRAGMENTS, SPECS, with_every_text
from tests.codegen.typescript.hostile_specs import carries_its_text
from tests.codegen.typescript.peer import TypeScript

OWN_FRAGMENTS = ("*/", "/**", "//", "@deprecated", "{@link x}", "</script>", "<!--", "`", "${x}")


@settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(document=SPECS)
def test_random_specs(typescript: TypeScript, document: dict[str, Any]) -> None:
    carries_its_text(document, typescript)


@pytest.mark.parametrize("text", [*FRAGMENTS, *OWN_FRAGMENTS], ids=ascii)
def test_each_fragment_as_every_text(typescript: TypeScript, text: str) -> None:
    assert carries_its_text(with_every_text(text), typescript)
