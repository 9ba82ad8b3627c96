"""Python names for the names of a spec.

A Python name depends on the wire name alone: it is the same on every Python, and nothing is ever
renamed because something else was added. Two names that come out alike are an error for the user to
settle (`x-streamdb-name`), found where the names are used.

How a name is made: the wire name is split into words at separators and where the case changes
(`createdAt`, `HTTPServer`); ASCII letters are lowered; letters and digits of Unicode 3.2 are kept,
in normal form, because the tables of that version ship with every Python unchanged and every
character in them may stand in an identifier. Fields, collections and actions join the words with
underscores; classes capitalise them. A class always begins with a letter A-Z and nothing else does,
so that a field never hides a class that an annotation beside it names.
"""

from __future__ import annotations

import hashlib
import keyword
import re
import unicodedata
from functools import lru_cache
from typing import Final

# Names that annotations and defaults inside a generated class body use. A field of such a name
# would hide them: from type checkers all of them, from msgspec at run time the built-in ones
# (it looks names up in the module, then the class, then the built-ins), and `field` while the class
# body runs.
# `extras` is where objects keep properties that they do not declare.
FIELD_RESERVED: Final = frozenset(
    {
        "bool",
        "bytes",
        "decimal",
        "dt",
        "extras",
        "field",
        "float",
        "formats",
        "int",
        "str",
        "tuple",
        "uuid",
    }
)

# Public attributes of the database classes, which a collection of that name cannot have for itself.
DATABASE_ATTRIBUTES: Final = frozenset(
    {
        "aclose",
        "actions",
        "await_txid",
        "begin",
        "close",
        "closed",
        "collections",
        "connect",
        "effects",
        "error",
        "fork",
        "give_up",
        "invalid_events",
        "live",
        "metrics",
        "offset",
        "on_batch",
        "on_before_batch",
        "on_event",
        "on_progress",
        "outbox",
        "paced",
        "perform",
        "preload",
        "schema",
        "snapshot",
        "status",
        "status_changes",
        "stream",
        "transaction",
        "until",
        "url",
    }
)

# Names that the generated events module uses beside one name for each collection.
EVENTS_MODULE_NAMES: Final = frozenset({"annotations", "columns", "int", "models", "str"})

# Wire names that no collection may have, the same as in the TypeScript library (REF-1).
REFUSED_COLLECTIONS: Final = frozenset({"collections", "preload", "close", "utils", "actions"})

# The class of the async form is called like the blocking one, with this before it.
ASYNC_PREFIX: Final = "Async"

# Capitalised names that the generated modules import or define themselves.
CLASS_RESERVED: Final = frozenset(
    {
        "Actions",
        "ActionInput",
        "ActionStub",
        "ActionsBase",
        "Annotated",
        "Any",
        "AnyOf",
        "AsyncActionStub",
        "AsyncActions",
        "AsyncActionsBase",
        "AsyncCollection",
        "AsyncStreamDB",
        "AsyncTransaction",
        "AwareTime",
        "Base64Bytes",
        "Callable",
        "ClassVar",
        "Collection",
        "CollectionSchema",
        "Column",
        "Columns",
        "Contract",
        "DatabaseOptions",
        "DecimalText",
        "EventConstructors",
        "Exactly",
        "Extensible",
        "ExtensiblePydanticRow",
        "Final",
        "Literal",
        "Mapping",
        "Maybe",
        "Meta",
        "NotImplementedError",
        "NullableColumn",
        "Number",
        "Omissible",
        "PydanticRow",
        "SCHEMA",
        "Sequence",
        "StateSchema",
        "StreamDB",
        "Struct",
        "TYPE_CHECKING",
        "Transaction",
        "TypeAlias",
        "TypedDict",
        "UNSET",
        "Unpack",
        "UnsetType",
    }
)

_KEYWORDS: Final = frozenset(keyword.kwlist)
# The tables of Unicode 3.2, frozen for IDNA, are part of every Python.
_FROZEN: Final = unicodedata.ucd_3_2_0
# Where a word ends inside a run of letters and digits: `d|A`, `P|Se`.
_CASE_CHANGE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DIGEST_LENGTH: Final = 8
_KNOWN_NAMES: Final = 10_000


def field_name(wire_name: str) -> str:
    """The name of a field.

    >>> field_name("createdAt"), field_name("HTTPStatus-code"), field_name("2nd"), field_name("str")
    ('created_at', 'http_status_code', 'n2nd', 'str_')
    """
    return _with_underscore(_snake(wire_name), FIELD_RESERVED)


def collection_name(wire_name: str) -> str:
    """The name of a collection as an attribute of the database and of the events module.

    >>> collection_name("toolCalls"), collection_name("status")
    ('tool_calls', 'status_')
    """
    return _with_underscore(_snake(wire_name), DATABASE_ATTRIBUTES | EVENTS_MODULE_NAMES)


def action_name(wire_name: str) -> str:
    """The name of an action's method.

    >>> action_name("sendMessage")
    'send_message'
    """
    return _with_underscore(_snake(wire_name), frozenset())


def package_name(wire_name: str) -> str:
    """The name of the generated package.

    >>> package_name("agent-session")
    'agent_session'
    """
    return _with_underscore(_snake(wire_name), frozenset())


def class_name(wire_name: str) -> str:
    """The name of a class.

    >>> class_name("agent-session"), class_name("3d"), class_name("any")
    ('AgentSession', 'N3d', 'Any_')
    """
    return _with_underscore(_pascal(wire_name), CLASS_RESERVED)


def nested_class_name(parent: str, wire_name: str) -> str:
    """The name of a class inside another: the parent's Python name and the property's.

    >>> nested_class_name("Message", "role"), nested_class_name("Any_", "kind")
    ('MessageRole', 'AnyKind')
    """
    return _with_underscore(parent.rstrip("_") + _pascal(wire_name), CLASS_RESERVED)


def is_field_name(name: str, reserved: frozenset[str] = FIELD_RESERVED) -> bool:
    """Whether a name that a user chose can stand for a field (or a collection or action).

    >>> is_field_name("sent_at"), is_field_name("Sent"), is_field_name("_x"), is_field_name("class")
    (True, False, False, False)
    """
    return _is_own_name(name) and not _is_capital(name[0]) and name not in reserved


def is_class_name(name: str) -> bool:
    """Whether a name that a user chose can stand for a class.

    >>> is_class_name("Sender"), is_class_name("sender"), is_class_name("Any")
    (True, False, False)
    """
    return _is_own_name(name) and _is_capital(name[0]) and name not in CLASS_RESERVED


def is_module_name(name: str) -> bool:
    """Whether an import statement can name a module or package so.

    >>> is_module_name("agent_session"), is_module_name("agent-session"), is_module_name("class")
    (True, False, False)
    """
    is_normal = unicodedata.normalize("NFKC", name) == name
    return name.isidentifier() and is_normal and name not in _KEYWORDS


def has_words(wire_name: str) -> bool:
    """Whether a name holds letters or digits that a Python name can be made of.

    >>> has_words("createdAt"), has_words("-"), has_words("")
    (True, False, False)
    """
    return any(c.isascii() and c.isalnum() for c in wire_name) or bool(_words(wire_name))


def _is_own_name(name: str) -> bool:
    frozen_letters = all(character == "_" or _is_kept(character) for character in name)
    return (
        name.isidentifier()
        and frozen_letters
        and not name.startswith("_")
        and name not in _KEYWORDS
        and unicodedata.normalize("NFKC", name) == name
    )


# Specs give the same names to many things.
@lru_cache(maxsize=_KNOWN_NAMES)
def _snake(wire_name: str) -> str:
    words = _words(wire_name)
    if not words:
        return f"field_{_digest(wire_name)}"
    name = unicodedata.normalize("NFKC", "_".join(map(_lower, words)))
    return f"n{name}" if _is_digit(name[0]) else name


@lru_cache(maxsize=_KNOWN_NAMES)
def _pascal(wire_name: str) -> str:
    words = _words(wire_name)
    if not words:
        return f"Field{_digest(wire_name)}"
    name = unicodedata.normalize("NFKC", "".join(map(_capitalise, words)))
    return name if _is_capital(name[0]) else f"N{name}"


def _words(wire_name: str) -> list[str]:
    known = "".join(c if _FROZEN.category(c) != "Cn" else " " for c in wire_name)
    normal = unicodedata.normalize("NFKC", known)
    kept = "".join(c if _is_kept(c) else " " for c in normal)
    return [word for run in kept.split() for word in _CASE_CHANGE.split(run)]


def _is_kept(character: str) -> bool:
    category = _FROZEN.category(character)
    return category[0] == "L" or category == "Nd"


def _is_digit(character: str) -> bool:
    return _FROZEN.category(character) == "Nd"


def _is_capital(character: str) -> bool:
    return "A" <= character <= "Z"


def _lower(word: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in word)


def _capitalise(word: str) -> str:
    first = word[0].upper() if word[0].isascii() else word[0]
    return first + _lower(word[1:])


def _digest(wire_name: str) -> str:
    encoded = wire_name.encode("utf-8", "surrogatepass")
    return hashlib.sha256(encoded).hexdigest()[:_DIGEST_LENGTH]


def _with_underscore(name: str, reserved: frozenset[str]) -> str:
    return f"{name}_" if name in reserved or name in _KEYWORDS else name
