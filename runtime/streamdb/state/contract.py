"""The JSON Schema of a row, for what its type does not say; checked by jsonschema-rs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from streamdb import formats
from streamdb.errors import ContractBroken, MissingExtra, SchemaError
from streamdb.protocol.json_text import is_array, is_object
from streamdb.types.faults import pointer_to

if TYPE_CHECKING:
    import jsonschema_rs

#: Stands for every keyword: nothing is known of what the type says.
EVERYTHING: Final = ("*",)

_SPEC: Final = "urn:streamdb:spec"
_MOST_ERRORS: Final = 100  # looked at for the one to report


class Contract:
    """What the schema asks of a row, beside its type.

    Args:
        module: the name of a module of a generated package; the package holds ``schema.json``.
        pointer: JSON Pointer to the row's schema in it.
        beyond_type: the keywords that the row's type does not honour. If there are none, the type
            writes nothing that the schema refuses, and only strict reading asks the schema.

    It is read and compiled at the first check. Formats are those of :mod:`streamdb.formats`; others
    are not checked.

    >>> contract = Contract.of({"type": "array", "uniqueItems": True})
    >>> contract.check([1, 2])
    >>> contract.check([1, 1])
    Traceback (most recent call last):
    ...
    streamdb.errors.ContractBroken: must not hold an item twice (uniqueItems)
    """

    def __init__(self, module: str, pointer: str, *, beyond_type: tuple[str, ...] = ()) -> None:
        self.pointer: Final = pointer
        self.beyond_type: Final = beyond_type
        self._document: Callable[[], Any] = partial(_schema_json, module)

    @classmethod
    def of(
        cls,
        schema: Mapping[str, Any] | bool,
        *,
        pointer: str = "",
        beyond_type: tuple[str, ...] = EVERYTHING,
    ) -> Contract:
        """Make one of a JSON Schema, or of a part of a document that holds schemas.

        A schema is one of 2020-12 if its ``$schema`` names no other draft; what ``pointer`` leads
        to always is. References lead into the document alone.
        """
        copy = msgspec.to_builtins(schema)
        contract = cls("", pointer, beyond_type=beyond_type)
        contract._document = lambda: copy
        return contract

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.pointer or 'a schema'}>"

    def compile(self) -> None:
        """Make ready for the first check.

        Raises:
            MissingExtra: the extra ``validate`` is not installed.
            SchemaError: the schema cannot be used.
        """
        _ = self._validator

    def check(self, plain: object) -> None:
        """Check plain JSON. May be called on any thread.

        Raises:
            ContractBroken: it breaks the schema.
            RecursionError: it is nested too deeply.
            MissingExtra: the extra ``validate`` is not installed.
            SchemaError: the schema cannot be used.
        """
        validator = self._validator
        # The library would end the process at a nesting that Python refuses.
        value = msgspec.to_builtins(plain)
        try:
            broken = _what_is_broken(validator, value)
        except ValueError:
            broken = _what_is_broken(validator, _without_surrogates(value))
        if broken is not None:
            raise broken

    @cached_property
    def _validator(self) -> jsonschema_rs.Validator:
        # Two threads may both compile it: the second result takes the place of an equal one.
        library = _library()
        document = self._document()
        try:
            return _compiled(library, _without_surrogates(document), self.pointer)
        except ValueError as error:
            reason = getattr(error, "message", str(error))  # the first line says it all
            raise SchemaError(f"the schema at {self.pointer or '/'}: {reason}") from error


def _library() -> Any:
    try:
        import jsonschema_rs
    except ModuleNotFoundError as error:
        if error.name != "jsonschema_rs":
            raise
        raise MissingExtra(
            "the rows of this schema are checked by the extra `validate`: "
            "pip install 'streamdb[validate]'"
        ) from error
    return jsonschema_rs


def _schema_json(module: str) -> Any:
    package = sys.modules[module].__package__ if module in sys.modules else None
    if not package:
        raise SchemaError(f"{module!r} is no module of a generated package, or not imported")
    document = json.loads(files(package).joinpath("schema.json").read_text("utf-8"))
    document.pop("$schema", None)  # that of spec files, which is no draft of JSON Schema
    return document


def _compiled(library: Any, document: Any, pointer: str) -> jsonschema_rs.Validator:
    options = {"formats": _formats(), "validate_formats": True, "offline": True}
    if not pointer:
        validator_class = library.validator_cls_for(document)
        return cast("jsonschema_rs.Validator", validator_class(document, **options))
    # A spec is no schema, but holds some. In the registry it is a document with a name, into which
    # references may point; nothing is made of the members that are no schemas.
    registry = library.Registry([(_SPEC, document)], draft=library.Draft202012)
    reference = {"$ref": f"{_SPEC}#{pointer}"}
    validator = library.Draft202012Validator(reference, registry=registry, **options)
    return cast("jsonschema_rs.Validator", validator)


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


def _what_is_broken(validator: jsonschema_rs.Validator, value: Any) -> ContractBroken | None:
    if validator.is_valid(value):
        return None
    return _broken(_deepest(islice(validator.iter_errors(value), _MOST_ERRORS)))


def _without_surrogates(value: Any) -> Any:
    """Put another character in place of each lone surrogate, which the library cannot take.

    It is the same one for the same surrogate, in values and schemas alike, so that what was equal
    stays equal and no length changes.
    """
    if isinstance(value, str):
        return value.translate(_STAND_INS)
    if is_array(value):
        return [_without_surrogates(item) for item in value]
    if is_object(value):
        return {
            _without_surrogates(name): _without_surrogates(item) for name, item in value.items()
        }
    return value


_STAND_INS: Final = {  # the end of the last plane, which is for private use
    surrogate: 0x10F800 + surrogate - 0xD800 for surrogate in range(0xD800, 0xE000)
}


# --- which error to report, and in which words ------------------------------------------------


def _deepest(errors: Iterable[jsonschema_rs.ValidationError]) -> jsonschema_rs.ValidationError:
    """Return the most specific error: the first of those whose place is furthest inside."""
    return max(map(_inside, errors), key=lambda error: len(error.instance_path))


def _inside(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Look into the branches of an `anyOf` or `oneOf` for what is wrong in the likeliest one."""
    context: list[list[jsonschema_rs.ValidationError]] = getattr(error.kind, "context", [])
    branches = [branch for branch in context if branch]
    if not branches:
        return error
    likeliest = min(branches, key=lambda branch: _unlikeliness(branch, error))
    inner = _deepest(likeliest)
    return inner if len(inner.instance_path) > len(error.instance_path) else error


def _unlikeliness(
    branch: Sequence[jsonschema_rs.ValidationError], error: jsonschema_rs.ValidationError
) -> tuple[int, int, int]:
    """Rank a branch: is it for values of this kind, do its constants agree, how much is wrong?"""
    here = [inner for inner in branch if len(inner.instance_path) == len(error.instance_path)]
    constants = [inner for inner in branch if inner.kind.name in ("const", "enum")]
    return len(here), len(constants), len(branch)


def _broken(error: jsonschema_rs.ValidationError) -> ContractBroken:
    kind, steps = error.kind, list(error.instance_path)
    if kind.name == "propertyNames":
        inner = kind.as_dict()["error"]
        reason = f"has a property whose name {_reason(inner.kind)}"
    else:
        reason = _reason(kind)
    if kind.name in ("additionalProperties", "unevaluatedProperties"):
        steps.append(kind.as_dict()["unexpected"][0])
    return ContractBroken(f"{reason} ({kind.name})", pointer=pointer_to(steps), keyword=kind.name)


_REASONS: Final[Mapping[str, str]] = {
    "additionalItems": "must have at most {limit} items",
    "additionalProperties": "is no property that is allowed here",
    "anyOf": "fits none of the schemas that it may fit",
    "const": "must be {expected_value}",
    "contains": "does not contain what it must contain",
    "enum": "must be one of {options}",
    "exclusiveMaximum": "must be less than {limit}",
    "exclusiveMinimum": "must be greater than {limit}",
    "falseSchema": "stands where nothing is allowed",
    "format": "must be of the format {format}",
    "maximum": "must be at most {limit}",
    "maxItems": "must have at most {limit} items",
    "maxLength": "must have at most {limit} characters",
    "maxProperties": "must have at most {limit} properties",
    "minimum": "must be at least {limit}",
    "minItems": "must have at least {limit} items",
    "minLength": "must have at least {limit} characters",
    "minProperties": "must have at least {limit} properties",
    "multipleOf": "must be a multiple of {multiple_of}",
    "not": "fits a schema that it must not fit",
    "oneOf": "must fit exactly one of the schemas",
    "pattern": "must match {pattern}",
    "required": "lacks the property {property}",
    "type": "must be of the type {types}",
    "unevaluatedItems": "has an item that is not allowed",
    "unevaluatedProperties": "is no property that is allowed here",
    "uniqueItems": "must not hold an item twice",
}


def _reason(kind: jsonschema_rs.ValidationErrorKind) -> str:
    template = _REASONS.get(kind.name)
    if template is None:
        return "breaks the schema"
    return template.format_map({name: _shown(value) for name, value in kind.as_dict().items()})


def _shown(value: Any) -> str:
    """Write what the schema says as JSON, in short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else text[:100] + "…"
