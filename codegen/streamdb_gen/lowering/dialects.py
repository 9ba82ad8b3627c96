"""The versions of JSON Schema that are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version: how `$schema` names it, and where it differs from 2020-12."""

    name: str
    uris: frozenset[str]
    #: `items` may be an array of schemas, and `additionalItems` is for the rest.
    items_by_position: bool
    #: What stands beside `$ref` has no meaning.
    only_reference: bool


def _uris(version: str) -> frozenset[str]:
    return frozenset(f"{scheme}://json-schema.org/{version}" for scheme in ("http", "https"))


#: The first is the one of specs.
DIALECTS: Final = (
    Dialect("2020-12", _uris("draft/2020-12/schema"), False, False),
    Dialect("2019-09", _uris("draft/2019-09/schema"), True, False),
    Dialect("draft-07", _uris("draft-07/schema"), True, True),
    Dialect("draft-06", _uris("draft-06/schema"), True, True),
)
