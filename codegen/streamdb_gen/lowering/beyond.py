"""What types leave unsaid: the keywords that only a validator can check, by the schema they are in.

A named schema (a row, an input, an entry of `$defs`) owns what is inside it. A row is checked
against its whole schema if it, or a schema that it refers to, leaves anything unsaid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from streamdb_gen.lowering.keywords import Keywords
from streamdb_gen.lowering.resources import Key


class Beyond:
    """Collects what each named schema leaves unsaid, and which others it refers to."""

    def __init__(self) -> None:
        self._owner: Key = ("", "")
        self._keywords: defaultdict[Key, set[str]] = defaultdict(set)
        self._links: defaultdict[Key, set[Key]] = defaultdict(set)

    def enter(self, owner: Key) -> None:
        """What follows is inside this schema."""
        self._owner = owner

    @property
    def owner(self) -> Key:
        """The schema that is being compiled."""
        return self._owner

    def add(self, keyword: str) -> None:
        """Note a keyword that the type does not honour, or not in full."""
        self._keywords[self._owner].add(keyword)

    def leave(self, keyword: str, keywords: Keywords) -> None:
        """Note one of the keywords of a schema, by its names in 2020-12."""
        for name in _names_in_2020_12(keyword, keywords):
            self.add(name)

    def add_to(self, owner: Key, keyword: str) -> None:
        """The same for a schema that was compiled before."""
        self._keywords[owner].add(keyword)

    def refer(self, target: Key) -> None:
        """Note a reference to another named schema."""
        self._links[self._owner].add(target)

    def of(self, owner: Key) -> tuple[str, ...]:
        """The keywords that a schema and all that it refers to leave unsaid, sorted."""
        found: set[str] = set()
        seen = {owner}
        pending = [owner]
        while pending:
            current = pending.pop()
            found |= self._keywords[current]
            new = self._links[current] - seen
            seen |= new
            pending += new
        return tuple(sorted(found))


def _names_in_2020_12(keyword: str, keywords: Keywords) -> Iterator[str]:
    items = keywords.get("items")
    by_position = items is not None and isinstance(items.value, list)
    if keyword == "dependencies":
        kinds = {isinstance(place.value, list) for _, place in keywords[keyword].members()}
        if True in kinds:
            yield "dependentRequired"
        if False in kinds:
            yield "dependentSchemas"
    elif keyword == "additionalItems":
        if by_position:
            yield "items"
    elif keyword == "items" and by_position:
        yield "prefixItems"
    else:
        yield keyword
