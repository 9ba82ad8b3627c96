"""The intermediate representation: what a spec means, with every name settled and no JSON left.

The front (loading, linting, lowering) produces one :class:`Spec`; targets only read it. All of it
is immutable, and every sequence is in the order in which the output shall be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ScalarKind = Literal[
    "string",
    "integer",
    "number",
    "boolean",
    "null",
    "any",
    # Strings of a format that Python has a type for, or that `x-streamdb-type` gives one.
    "date-time",
    "date",
    "time",
    "uuid",
    "decimal",
    "bytes",
]
LiteralValue = str | int | bool | None
KeyKind = Literal["string", "integer"]


@dataclass(frozen=True, slots=True)
class Constraints:
    """Bounds that msgspec and JSON Schema judge alike; None where the spec sets none."""

    ge: int | float | None = None
    gt: int | float | None = None
    le: int | float | None = None
    lt: int | float | None = None
    multiple_of: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None  # already in the portable form that msgspec shall compile


@dataclass(frozen=True, slots=True)
class Scalar:
    """A JSON scalar, or anything at all (kind ``any``).

    ``format`` is a format of :mod:`streamdb.formats`, on the kind ``string`` alone.
    """

    kind: ScalarKind
    constraints: Constraints | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A reference to a definition of :attr:`Spec.types` by its Python name."""

    name: str


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array; its length bounds sit in ``constraints``."""

    item: Type
    constraints: Constraints | None = None


@dataclass(frozen=True, slots=True)
class TupleOf:
    """An array of a fixed length, each item of a type of its own."""

    items: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object used as a map from text to values of one type."""

    value: Type
    constraints: Constraints | None = None


@dataclass(frozen=True, slots=True)
class Nullable:
    """A value or null; ``inner`` is never itself nullable, null or any."""

    inner: Type


Type = Scalar | Named | ArrayOf | TupleOf | MapOf | Nullable

#: The type of every value.
ANYTHING: Final = Scalar("any")


@dataclass(frozen=True, slots=True)
class Field:
    """One property of an object."""

    wire_name: str
    name: str  # the Python name
    type: Type
    required: bool
    description: str | None = None
    default: str | None = None  # canonical JSON text of `default`; documentation only
    pointer: str = ""  # JSON Pointer of the property in the spec file


@dataclass(frozen=True, slots=True)
class Tag:
    """A property with one constant value, which the class writes and checks by itself.

    Unions of objects with one tag property and different constants are told apart by it.
    """

    wire_name: str
    name: str
    value: str | int
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object with declared properties: a row, an action input or a nested value.

    ``tag`` is the first required property, in the order of the file, that is a constant string or
    integer; it is then not among ``fields``. ``extras`` is the type of the properties that are not
    declared, where they are to be kept; an object with extras has no tag. It is never closed.
    """

    name: str
    fields: tuple[Field, ...]
    closed: bool
    description: str | None = None
    tag: Tag | None = None
    extras: Type | None = None
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class LiteralType:
    """A named alias of ``Literal[...]``, from `enum` or `const`."""

    name: str
    values: tuple[LiteralValue, ...]
    description: str | None = None
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class UnionType:
    """A discriminated union of objects whose tags are the same property with different values."""

    name: str
    members: tuple[Named, ...]
    description: str | None = None
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceType:
    """Any other union: a value of one of several types, none of them null, nullable or any."""

    name: str
    members: tuple[Type, ...]
    description: str | None = None
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class AliasType:
    """A named definition that is no object, literal or union: `Tags = Sequence[str]`."""

    name: str
    type: Type
    description: str | None = None
    pointer: str = ""


TypeDefinition = ObjectType | LiteralType | UnionType | ChoiceType | AliasType


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection; ``row`` names an :class:`ObjectType` without tag."""

    wire_name: str  # as in the spec: `toolCalls`
    name: str  # the attribute of database and events module: `tool_calls`
    # The generated classes: `ToolCallsCollection`, `AsyncToolCallsCollection`. The suffix keeps
    # them apart from rows: an inline row of event type `presence` is called `Presence`.
    class_name: str
    # What an update can change: `ToolCallUpdate`, after the row.
    update_class: str
    event_type: str
    row: Named
    primary_key: Field
    key: KeyKind
    updates: Literal["replace", "merge"]
    description: str | None = None
    pointer: str = ""
    # Keywords that the row's type does not honour (`not`, `uniqueItems`): rows are checked against
    # the schema at `pointer` + `/schema` of the canonical spec as well.
    beyond_type: tuple[str, ...] = ()
    # Whether the type reads more texts than the schema accepts, and writes none of them: other
    # spellings of a date, a missing tag. Strict reading checks them.
    lax: bool = False


@dataclass(frozen=True, slots=True)
class InputPath:
    """A value taken from the action's input: Python attribute names from the root, outermost first.

    An empty path is the whole input. ``optional`` says that a step may be absent.
    """

    path: tuple[str, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the spec, as canonical JSON text."""

    json: str


Source = InputPath | Constant


@dataclass(frozen=True, slots=True)
class WriteEffect:
    """`insert` or `upsert` of ``value``.

    ``convert`` is set when the input's type fits the row's without being the same: then each field
    of the row is taken from the input field of the same wire name.
    """

    operation: Literal["insert", "upsert"]
    collection: str  # Collection.name
    value: InputPath
    convert: tuple[tuple[str, InputPath], ...] | None = None  # (row field name, source)


@dataclass(frozen=True, slots=True)
class UpdateEffect:
    """`update` of one row: fields set from the input or from constants."""

    collection: str
    key: InputPath
    set: tuple[tuple[str, Source], ...]  # (row field name, source)


@dataclass(frozen=True, slots=True)
class DeleteEffect:
    """`delete` of one row."""

    collection: str
    key: InputPath


Effect = WriteEffect | UpdateEffect | DeleteEffect


@dataclass(frozen=True, slots=True)
class Action:
    """One action; without effects it is a stub for the application to implement."""

    wire_name: str
    name: str
    input: Named
    effects: tuple[Effect, ...]
    description: str | None = None
    pointer: str = ""
    # Keywords that the input's type does not honour: inputs are checked against the schema at
    # `pointer` + `/input` of the canonical spec as well.
    beyond_type: tuple[str, ...] = ()
    # The class that the application subclasses, if there are no effects; with `Async` before it,
    # that of the async form.
    stub_class: str | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole spec, ready to render.

    ``types`` holds every definition that the package shall contain, each after the ones that it
    needs at import time where the graph allows it (recursive ones refer forward).
    """

    name: str
    class_name: str  # `AgentSession`; the async class is `Async` + this
    package: str  # `agent_session`
    description: str | None
    version: str | None
    collections: tuple[Collection, ...]
    actions: tuple[Action, ...]
    types: tuple[TypeDefinition, ...]
    # The spec as canonical JSON text, for schema.json and the digest: JSON Schema 2020-12, with
    # every reference a pointer into this document (`#/$defs/...`) and no `$id`, `$anchor` or
    # `$schema` inside.
    canonical: str
    digest: str  # `sha256:` + 64 hex digits of the canonical text
