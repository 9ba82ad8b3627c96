"""One row in every kind of class, and the JSON Schema that all of them are held to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import UNSET, Meta, Struct, UnsetType
from pydantic import AwareDatetime, BaseModel, ConfigDict

from streamdb import CollectionSchema, Columns, Contract, Extensible, Maybe, pydantic_rows
from streamdb.pydantic_rows import PydanticRow

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
NOON_TEXT = "2026-03-01T12:00:00.000Z"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "title", "count", "at"],
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string", "maxLength": 20},
        "count": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
        "note": {"type": "string"},
        "parent": {"type": ["string", "null"]},
    },
}


class StructTask(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    title: str
    count: int
    at: Annotated[dt.datetime, Meta(tz=True)]
    note: Maybe[str] = None
    parent: str | UnsetType | None = UNSET


class ExtensibleTask(Extensible[Any]):
    id: str
    title: str
    count: int
    at: Annotated[dt.datetime, Meta(tz=True)]
    note: Maybe[str] = None
    parent: str | UnsetType | None = UNSET


@dataclass(frozen=True, kw_only=True)
class DataclassTask:
    id: str
    title: str
    count: int
    at: Annotated[dt.datetime, Meta(tz=True)]
    note: Maybe[str] = None
    parent: str | UnsetType | None = UNSET


class TypedDictTask(TypedDict):
    id: str
    title: str
    count: int
    at: Annotated[dt.datetime, Meta(tz=True)]
    note: NotRequired[str]
    parent: NotRequired[str | None]


class PydanticTask(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    count: int
    at: AwareDatetime
    note: pydantic_rows.Maybe[str] = None
    parent: pydantic_rows.Omissible[str | None] = UNSET


class GeneratedPydanticTask(PydanticRow, frozen=True):
    """As `--models pydantic` writes it."""

    id: str
    title: str
    count: int
    at: AwareDatetime
    note: pydantic_rows.Maybe[str] = None
    parent: pydantic_rows.Omissible[str | None] = UNSET


KINDS: dict[str, Any] = {
    "struct": StructTask,
    "extensible": ExtensibleTask,
    "dataclass": DataclassTask,
    "TypedDict": TypedDictTask,
    "pydantic": PydanticTask,
    "generated pydantic": GeneratedPydanticTask,
    "plain": dict,
}


def task(kind: Any, key: str = "t1", **fields: Any) -> Any:
    """Make a good row."""
    given = {"id": key, "title": "write", "count": 1, "at": NOON, **fields}
    if kind is dict and given["at"] is NOON:
        given["at"] = NOON_TEXT
    return kind(**given)


def unchecked(kind: Any, **fields: Any) -> Any:
    """Make a row that may be wrong; pydantic has to be asked for that."""
    if issubclass(kind, BaseModel):
        return kind.model_construct(**dict(task(kind)) | fields)
    return task(kind, **fields)


def field(row: Any, name: str) -> Any:
    """Read a field of a row of any kind; None if it is absent."""
    value = row.get(name) if isinstance(row, dict) else getattr(row, name)
    return None if value is UNSET else value


def tasks(kind: Any, **options: Any) -> CollectionSchema[Any, Any]:
    """Declare a collection of such rows; the options are those of the schema."""
    given = {
        "name": "tasks",
        "type": "task",
        "primary_key": "id",
        "row": kind,
        "key": str,
        "columns": Columns[Any],
        "contract": Contract.of(SCHEMA),
    }
    return CollectionSchema(**{**given, **options})


def event(value: Any, key: str = "t1") -> dict[str, Any]:
    """Return an event that inserts a task."""
    return {"type": "task", "key": key, "headers": {"operation": "insert"}, "value": value}
