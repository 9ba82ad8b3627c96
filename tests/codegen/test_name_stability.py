"""Adding a property or a definition renames nothing; `name_campaign` is the long form."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.codegen.name_stability import compiled, edits, names, renamed, specs


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_adding_renames_nothing(data: st.DataObject) -> None:
    spec = data.draw(specs())
    before = compiled(spec)
    assume(before is not None)
    after = compiled(data.draw(edits(spec)))
    assume(after is not None)
    assert before is not None
    assert after is not None
    assert renamed(before, after) == []


def test_a_renamed_class_would_be_seen() -> None:
    row = {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}}
    collection = {"type": "entry", "primaryKey": "key", "schema": row}
    before = compiled({"collections": {"rows": collection}})
    after = compiled({"collections": {"rows": {**collection, "type": "other"}}})
    assert before is not None
    assert after is not None
    assert "Entry" in names(before).values()
    assert renamed(before, after) == [
        "ObjectType at /collections/rows/schema: Entry became Other",
        "update at /collections/rows: EntryUpdate became OtherUpdate",
    ]
