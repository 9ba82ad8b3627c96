"""The JSON Schema of a row, for what its type does not say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec

from streamdb.state.contract_errors import what_is_broken
from streamdb.state.declared_properties import DeclaredProperties
from streamdb.state.schema_document import SchemaDocument, document_beside, without_surrogates

if TYPE_CHECKING:
    import jsonschema_rs

#: Stands for every keyword: nothing is known of what the type says.
EVERYTHING: Final = ("*",)


class Contract:
    """What the schema asks of a row, beside its type.

    Args:
        module: the name of a module of a generated package; the package holds ``schema.json``.
        pointer: JSON Pointer to the row's schema in it.
        beyond_type: the keywords that the row's type does not honour. If there are none, the type
            writes nothing that the schema refuses, and only strict reading asks the schema.

    It is read and compiled at the first check. Formats are those of :mod:`streamdb.formats`; others
    are not checked.

    >>> contract = Contract.of({"type": "array", "maxItems": 2})
    >>> contract.check([1, 2])
    >>> contract.check([1, 1, 2])
    Traceback (most recent call last):
    ...
    streamdb.errors.ContractBroken: must have at most 2 items (maxItems); found an array of 3 items
    """

    def __init__(self, module: str, pointer: str, *, beyond_type: tuple[str, ...] = ()) -> None:
        self._document = document_beside(module)
        self.pointer = pointer
        self.beyond_type = beyond_type

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
        return cls.within(SchemaDocument(lambda: copy), pointer, beyond_type=beyond_type)

    @classmethod
    def within(
        cls,
        document: SchemaDocument,
        pointer: str,
        *,
        beyond_type: tuple[str, ...] = EVERYTHING,
    ) -> Contract:
        """Make one of a part of a document that others share."""
        contract = cls.__new__(cls)
        contract._document = document
        contract.pointer = pointer
        contract.beyond_type = beyond_type
        return contract

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.pointer or 'a schema'}>"

    @property
    def document(self) -> Any:
        """The document that the schema stands in, as plain JSON."""
        return self._document.plain

    @cached_property
    def properties(self) -> DeclaredProperties:
        """The properties that it declares."""
        return self._document.declared(self.pointer)

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
            broken = what_is_broken(validator, value)
        except ValueError:
            broken = what_is_broken(validator, without_surrogates(value))
        if broken is not None:
            raise broken

    @cached_property
    def _validator(self) -> jsonschema_rs.Validator:
        # Two threads may both compile it: the second result takes the place of an equal one.
        return self._document.validator(self.pointer)
