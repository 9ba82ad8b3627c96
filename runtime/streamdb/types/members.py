"""The properties of an object that its class declares."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any, cast

from streamdb.types.extensible import Extensible, record_of


def members_of(value: Any) -> dict[str, Any] | None:
    """Return what an object declares, by the names on the wire; None if it is of no such class.

    Knows structs, dataclasses, attrs classes, pydantic models and extensible objects, of which all
    properties are known. Declared ones that are absent are there with the value that stands for
    that.

    >>> import msgspec
    >>> class Note(msgspec.Struct, tag_field="kind", tag="note"):
    ...     created_by: str = msgspec.field(name="createdBy")
    >>> members_of(Note("ann")), members_of({"a": 1})
    ({'kind': 'note', 'createdBy': 'ann'}, None)
    """
    kind = cast("Any", type(value))
    record = record_of(kind)
    if record is not None:
        tag_field, tag = record.__struct_config__.tag_field, record.__struct_config__.tag
        names = zip(record.__struct_encode_fields__, record.__struct_fields__, strict=True)
        return {
            **({} if tag_field is None else {tag_field: tag}),
            **{wire_name: getattr(value, name) for wire_name, name in names},
            **(value.extras if issubclass(kind, Extensible) else {}),
        }
    if dataclasses.is_dataclass(kind):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(kind)}
    if hasattr(kind, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name) for field in kind.__attrs_attrs__}
    if is_pydantic_model(kind):
        return {
            **{
                field.serialization_alias or name: getattr(value, name)
                for name, field in kind.model_fields.items()
            },
            # What is computed is no member, but known; the user's code is not asked for it.
            **{
                computed.alias or name: None
                for name, computed in kind.model_computed_fields.items()
            },
            **(value.__pydantic_extra__ or {}),
        }
    return None


def is_pydantic_model(kind: Any) -> bool:
    """Tell whether a class is a pydantic model; pydantic is not loaded for that."""
    # Whoever has such a class has imported it.
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)
