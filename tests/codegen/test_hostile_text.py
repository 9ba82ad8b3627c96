"""Text of a spec is data, never code or markup (spec-format, "Rendering safely").

The full campaign: `python -m tests.codegen.hostile_campaign`.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.codegen.hostile_specs import FRAGMENTS, SPECS, carries_its_text


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
    wire = text.encode("utf-8", "ignore").decode()
    row = {
        "type": "object",
        "description": text,
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "description": text},
            "value": {"enum": [text, f"{text} again"], "default": text},
            "constant": {"const": text},
        },
    }
    collection = {"description": text, "type": f"{wire} type", "primaryKey": "id", "schema": row}
    document = {
        "name": f"n {wire}",
        "description": text,
        "version": f"1{wire}",
        "collections": {f"c {wire}": collection},
        "actions": {f"a {wire}": {"description": text, "input": row}},
    }
    assert carries_its_text(document)
