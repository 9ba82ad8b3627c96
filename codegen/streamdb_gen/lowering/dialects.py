"""The versions of JSON Schema that are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version: how `$schema` names it, and where it differs from the others."""

    name: str
    uri: str
    #: What stands beside `$ref` has no meaning.
    only_reference: bool = False
    #: Keywords that judge values in other versions and have no meaning here, though some validators
    #: know them anyway; each with its name here, or the oldest version that has it.
    foreign: Mapping[str, str] = field(default_factory=dict[str, str])
    #: `items` may be an array of schemas, and `additionalItems` is for the rest.
    items_by_position: bool = True
    #: A schema is named by `"$id": "#NAME"`, and not by `$anchor`.
    named_by_id: bool = False

    @property
    def uris(self) -> frozenset[str]:
        """The addresses, without a fragment."""
        address = self.uri.partition("://")[2].rstrip("#")
        return frozenset(f"{scheme}://{address}" for scheme in ("http", "https"))


_2019_09: Final = "https://json-schema.org/draft/2019-09/schema"
_DRAFT_07: Final = "http://json-schema.org/draft-07/schema#"
_SINCE_2019_09: Final = {
    "dependentRequired": "dependencies",
    "dependentSchemas": "dependencies",
    "maxContains": _2019_09,
    "minContains": _2019_09,
    "prefixItems": "items",
    "unevaluatedItems": _2019_09,
    "unevaluatedProperties": _2019_09,
}
_SINCE_DRAFT_07: Final = dict.fromkeys(("else", "if", "then"), _DRAFT_07)

#: The first is the one of specs.
DIALECTS: Final = (
    Dialect(
        "2020-12",
        "https://json-schema.org/draft/2020-12/schema",
        foreign={"additionalItems": "items", "dependencies": ""},
        items_by_position=False,
    ),
    Dialect("2019-09", _2019_09, foreign={"dependencies": "", "prefixItems": "items"}),
    Dialect("draft-07", _DRAFT_07, True, _SINCE_2019_09, named_by_id=True),
    Dialect(
        "draft-06",
        "http://json-schema.org/draft-06/schema#",
        True,
        {**_SINCE_2019_09, **_SINCE_DRAFT_07},
        named_by_id=True,
    ),
)
