"""Text of a spec is data in TypeScript, too (spec-format, "Rendering safely")."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.codegen.hostile_specs import FRAGMENTS, SPECS
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
    assert carries_its_text(document, typescript)
