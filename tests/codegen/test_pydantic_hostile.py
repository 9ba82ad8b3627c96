"""Text of a spec is data in pydantic rows, too: the package carries it and runs none of it."""

from __future__ import annotations

import json
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import TypeAdapter
from tests.codegen.hostile_specs import (
    SPECS,
    assert_field_texts,
    assert_nothing_for_doctest,
    assert_text,
    imported,
)

from streamdb_gen.ir import LiteralType, ObjectType
from streamdb_gen.loading import load_spec_text
from streamdb_gen.targets.python.package import render_modules
from streamdb_gen.targets.python.pydantic_rows.spec import for_pydantic, name_problem


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(SPECS)
def test_random_specs(document: dict[str, Any]) -> None:
    spec = load_spec_text(json.dumps(document), "hostile.json").spec
    if spec is None or name_problem(spec):
        return
    models = render_modules(spec, "pydantic")["models.py"]
    assert_nothing_for_doctest(models)
    with imported({"__init__.py": "from . import models", "models.py": models}) as package:
        for definition in spec.types:
            made = getattr(package.models, definition.name)
            if isinstance(definition, LiteralType):
                assert_values(made, definition)
            elif isinstance(definition, ObjectType):
                assert_class(made, definition)
    assert_field_texts(models, for_pydantic(spec))


def assert_values(type_: Any, definition: LiteralType) -> None:
    """Exactly the values of the spec are read, but halves of pairs, which are no JSON to pydantic.

    Of 1 and `true` pydantic reads either for the other.
    """
    adapter = TypeAdapter(type_, config=pydantic.ConfigDict(strict=True, regex_engine="python-re"))
    for value in definition.values:
        if str(value) == str(value).encode("utf-8", "ignore").decode():
            assert adapter.validate_json(json.dumps(value)) == value
    texts = [value for value in definition.values if isinstance(value, str)]
    for other in ("", *(f"{text}\n" for text in texts), *(f"x{text}" for text in texts), 99, 0.5):
        if other not in definition.values:
            with pytest.raises(pydantic.ValidationError):
                adapter.validate_json(json.dumps(other))


def assert_class(class_: type[pydantic.BaseModel], definition: ObjectType) -> None:
    fields = {
        name: name if field.alias is None else field.alias
        for name, field in class_.model_fields.items()
    }
    tag = definition.tag
    assert list(fields.values()) == [
        *([tag.wire_name] if tag else []),
        *(field.wire_name for field in definition.fields),
    ]
    if tag:
        (name, *_) = fields
        assert class_.model_fields[name].default == tag.value
    assert_text(class_.__doc__, definition.description)
    assert class_.__pydantic_complete__
