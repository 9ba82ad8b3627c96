"""JSON documents that hold JSON Schemas, compiled by jsonschema-rs (extra ``validate``)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cached_property, partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakKeyDictionary

from streamdb import formats
from streamdb.errors import MissingExtra, SchemaError
from streamdb.extras import how_to_install
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.declared_properties import DeclaredProperties, declared_properties
from streamdb.types.faults import pointer_to

if TYPE_CHECKING:
    import jsonschema_rs

_NAME: Final = "urn:streamdb:document"
_LONGEST_REASON: Final = 300


class UnusableSchema(SchemaError):
    """No validator can be made of a schema; ``pointer`` leads to what is wrong in the document."""

    def __init__(self, reason: str, pointer: str) -> None:
        super().__init__(f"the schema at {pointer or '/'}: {reason}")
        self.reason = reason
        self.pointer = pointer


class SchemaDocument:
    """A document that is a schema, or holds some, as a spec does.

    Args:
        load: reads it; called once, at the first use.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load

    def validator(self, pointer: str) -> jsonschema_rs.Validator:
        """Compile the schema that a JSON Pointer leads to.

        References lead into the document alone. The document itself is of the draft that its
        ``$schema`` names; what it holds, and anything else, is of 2020-12.

        Raises:
            MissingExtra: the extra is not installed.
            UnusableSchema: it is no schema that can be used.
        """
        from urllib.parse import quote  # not above: it is slow to import

        library = _library()
        options = {"formats": _formats(), "validate_formats": True, "offline": True}
        try:
            if not pointer:
                validator_class = library.validator_cls_for(self.plain)
                return cast("jsonschema_rs.Validator", validator_class(self.plain, **options))
            reference = {"$ref": f"{_NAME}#{quote(without_surrogates(pointer))}"}
            compiled = library.Draft202012Validator(reference, registry=self._registry, **options)
            return cast("jsonschema_rs.Validator", compiled)
        except ValueError as error:
            raise _unusable(error, pointer) from error

    def declared(self, pointer: str) -> DeclaredProperties:
        """Find the properties that the schema declares that a JSON Pointer leads to."""
        return declared_properties(self.plain, pointer)

    @cached_property
    def plain(self) -> Any:
        """The document itself."""
        return without_surrogates(self._load())

    @cached_property
    def _registry(self) -> Any:
        # There a spec is a document with a name, into which references may point; nothing is made
        # of the members that are no schemas.
        library = _library()
        return library.Registry([(_NAME, self.plain)], draft=library.Draft202012)


def _unusable(error: ValueError, pointer: str) -> UnusableSchema:
    """Say what the library has against a schema; it may quote the schema at length."""
    steps = getattr(error, "instance_path", None)  # from the root of the document
    reason = str(getattr(error, "message", error)).partition("\n")[0]
    cut = reason if len(reason) <= _LONGEST_REASON else reason[:_LONGEST_REASON] + "…"
    return UnusableSchema(cut, pointer_to(steps) if steps else pointer)


def document_beside(module: str) -> SchemaDocument:
    """Return ``schema.json`` of the package that an imported module belongs to.

    Raises:
        SchemaError: it belongs to none.
    """
    name = sys.modules[module].__package__ if module in sys.modules else None
    package = sys.modules.get(name or "")
    if package is None:
        raise SchemaError(f"{module!r} is no module of a generated package, or not imported")
    document = _documents.get(package)
    if document is None:
        document = _documents[package] = SchemaDocument(partial(_schema_json, package))
    return document


# By the package itself and not by its name, which another one may have later.
_documents: Final[WeakKeyDictionary[ModuleType, SchemaDocument]] = WeakKeyDictionary()


def _schema_json(package: ModuleType) -> Any:
    from importlib.resources import files  # a dear import, for the first row that is checked

    document = json.loads(files(package).joinpath("schema.json").read_text("utf-8"))
    document.pop("$schema", None)  # that of spec files, which is no draft of JSON Schema
    return document


def _library() -> Any:
    try:
        import jsonschema_rs
    except ModuleNotFoundError as error:
        if error.name != "jsonschema_rs":
            raise
        raise MissingExtra(
            "the rows of this schema are checked by the extra `validate`: "
            f"{how_to_install('validate')}"
        ) from error
    return jsonschema_rs


# The library would check them by grammars of its own.
_STANDARD_FORMATS: Final = """
    date-time date time duration email idn-email hostname idn-hostname ipv4 ipv6 uri uri-reference
    iri iri-reference uuid uri-template json-pointer relative-json-pointer regex
"""


def _formats() -> dict[str, Callable[[str], bool]]:
    checks: dict[str, Callable[[str], bool]] = dict.fromkeys(_STANDARD_FORMATS.split(), _is_text)
    checks.update((name, partial(formats.is_valid, name)) for name in formats.PATTERNS)
    return checks


def _is_text(_: str) -> bool:
    return True


def without_surrogates(value: Any) -> Any:
    """Put another character in place of each lone surrogate, which the library cannot take.

    It is the same one for the same surrogate, in values and schemas alike, so that what was equal
    stays equal and no length changes.
    """
    if isinstance(value, str):
        return value.translate(_STAND_INS)
    if is_array(value):
        return [without_surrogates(item) for item in value]
    if is_object(value):
        return {without_surrogates(name): without_surrogates(item) for name, item in value.items()}
    return value


_STAND_INS: Final = {  # the end of the last plane, which is for private use
    surrogate: 0x10F800 + surrogate - 0xD800 for surrogate in range(0xD800, 0xE000)
}
