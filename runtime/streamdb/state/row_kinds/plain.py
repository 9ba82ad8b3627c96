"""Rows that are plain JSON objects, judged by their JSON Schema alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from streamdb.protocol import json_text
from streamdb.state.contract import Contract
from streamdb.state.parsing import parse
from streamdb.state.row_kinds.base import RowKind
from streamdb.state.row_kinds.native import changed_dict, item_getter
from streamdb.types.faults import Misfit


class PlainRows(RowKind[dict[str, Any]]):
    """Rows that are dicts, as the JSON parser makes them."""

    in_page: Any = Any
    is_its_contract = True

    def __init__(self, contract: Contract) -> None:
        super().__init__(dict, {})
        self._contract: Final = contract

    def read(self, text: bytes | msgspec.Raw) -> dict[str, Any]:
        """Parse it and ask the schema."""
        return self.convert(parse(text))

    def convert(self, plain: Any) -> dict[str, Any]:
        """Ask the schema."""
        if not json_text.is_object(plain):
            raise Misfit("expected an object")
        self._contract.check(plain)
        return plain

    def shows_all(self, row: dict[str, Any], text: bytes | msgspec.Raw) -> bool:
        """Say yes: it is what the text says."""
        return True

    def replace(self, row: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Copy it; a property that is set to ``UNSET`` goes."""
        declared = self._contract.properties
        if declared.is_closed:
            self._refuse_unknown(changes, declared.names)
        return changed_dict(row, changes)

    def getter(self, name: str) -> Callable[[Any], Any]:
        """Read a property, None if it is absent."""
        return item_getter(name)
