"""Keywords of a spec's schemas that validators would pass over, or read each in its own way."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from itertools import chain
from typing import Any, Final

from streamdb.state.schema_keywords import ANNOTATIONS, ASSERTIONS, REFUSED, TYPES, is_foreign
from streamdb.state.schema_values import ambiguous, malformed
from streamdb.state.spec_places import Refuse, SchemaPlace, items_of, shown

_NEAR: Final = 0.82  # of 1, which is equality: a letter or two are other ones


def check_keywords(
    schema: Mapping[str, Any],
    place: SchemaPlace,
    *,
    members: Mapping[str, Any],
    draft: str,
    refuse: Refuse,
) -> None:
    """Refuse keywords that are misspelt, of another draft or not supported, and unclear values.

    Args:
        schema: plain JSON.
        place: where it stands.
        members: those of its keywords that have a meaning.
        draft: what it is read by.
        refuse: raises for what is wrong.
    """
    for keyword in schema:
        if keyword in REFUSED:
            refuse(place.inner(keyword), "the keyword is not supported", None)
        has_meaning = keyword in members or keyword not in ASSERTIONS
        if has_meaning and is_foreign(keyword, schema[keyword], draft):
            version = draft.partition("org/")[2].removesuffix("/schema")
            reason = f"JSON Schema {version} knows no `{keyword}` as it stands here"
            hint = "`streamdb-gen lint` tells what to write instead"
            refuse(place.inner(keyword), reason, hint)
        if keyword in ASSERTIONS or keyword in ANNOTATIONS or keyword.startswith("x-"):
            continue
        near = difflib.get_close_matches(keyword[:80], ASSERTIONS, n=1, cutoff=_NEAR)
        if near:
            reason = f"JSON Schema knows no such keyword: did you mean `{near[0]}`?"
            refuse(place.inner(keyword), reason, None)

    named = schema.get("type", [])
    for name in [named] if isinstance(named, str) else items_of(named):
        if not isinstance(name, str) or name not in TYPES:
            known = f"known are {', '.join(sorted(TYPES))}"
            refuse(place.inner("type"), f"{shown(str(name))} is no type", known)
    for way, fault, hint in chain(malformed(schema), ambiguous(members)):
        refuse(place.inner(*way), fault, hint)
