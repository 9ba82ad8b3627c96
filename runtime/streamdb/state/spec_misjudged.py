"""Schemas of a spec that the validator would judge wrongly."""

from __future__ import annotations

from typing import Final

from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.schema_keywords import DRAFT_2019_09
from streamdb.state.spec_places import Refuse
from streamdb.state.spec_references import SpecReferences

_KEYWORD: Final = "unevaluatedItems"


def refuse_misjudged(schemas: SpecReferences, refuse: Refuse) -> None:
    """Refuse `unevaluatedItems` of 2019-09 in a spec with lists of `items` of that version.

    A spec is 2020-12 around its schemas. There jsonschema-rs does not see that such a list has
    evaluated items, nor that the rest is left, and takes whatever comes.
    """
    of_2019_09 = [
        (place, schemas.members(place, schema))
        for place in schemas.used
        if schemas.draft(place) == DRAFT_2019_09 and is_object(schema := schemas.at(place))
    ]
    if any(is_array(members.get("items")) for _, members in of_2019_09):
        for place, members in of_2019_09:
            if _KEYWORD in members:
                refuse(
                    place.inner(_KEYWORD),
                    f"`{_KEYWORD}` of 2019-09 cannot be checked beside lists of `items`",
                    "write the schema in 2020-12, where such a list is called `prefixItems`",
                )
