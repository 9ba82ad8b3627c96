"""Where the schemas of a spec stand in its bundle.

Most stay where they are. What is referred to and stands in another file, or under a word of another
tool, becomes an entry of `$defs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streamdb_gen.json_source import Place, escape_token
from streamdb_gen.lowering.keywords import subschemas
from streamdb_gen.lowering.resources import Key, Resources, key_of

# What can be referred to, where nothing else beside a `$ref` has a meaning.
_BESIDE_REFERENCE = ("$defs", "definitions")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each schema stands: below which one that is moved, if any, and how it is reached."""

    #: The schemas that become entries of `$defs`, in the order in which they are referred to.
    moved: tuple[Place, ...]
    _spots: Mapping[Key, tuple[Key | None, str]]
    #: What stands before pointers into the file: a bare map of collections gets a frame if it is to
    #: have `$defs`.
    prefix: str

    def pointer(self, schema: Place, names: Mapping[Key, str]) -> str:
        """Where a schema stands, if what is moved is called so in `$defs`."""
        moved, pointer = self._spots[key_of(schema)]
        if moved is None:
            return self.prefix + pointer
        return f"/$defs/{escape_token(names[moved])}{pointer}"

    def __contains__(self, schema: Place) -> bool:
        return key_of(schema) in self._spots


def lay_out(resources: Resources, *, is_bare: bool) -> Layout:
    """Find a place for everything that is referred to."""
    spots: dict[Key, tuple[Key | None, str]] = {}
    for root in resources.roots:
        spots |= {key: (None, pointer) for key, pointer in _inside(root, root.pointer, resources)}
    outside = {key_of(place): place for place in resources.targets() if key_of(place) not in spots}
    moved: set[Key] = set()
    for key, place in sorted(outside.items(), key=lambda item: item[0][1].count("/")):
        if key not in spots:  # nothing around it is moved
            moved.add(key)
            spots |= {inner: (key, pointer) for inner, pointer in _inside(place, "", resources)}
    return Layout(
        tuple(place for key, place in outside.items() if key in moved),
        spots,
        prefix="/collections" if is_bare and moved else "",
    )


def kept_subschemas(schema: Place, resources: Resources) -> Iterator[tuple[str, Place]]:
    """The schemas inside a schema that mean something, and the way to them in JSON Schema 2020-12.

    Words of older drafts have other names there.
    """
    items = schema.get("items")
    by_position = items is not None and isinstance(items.value, list)
    ignores_siblings = resources.ignores_siblings(schema)
    for inner in subschemas(schema):
        keyword, slash, rest = inner.pointer[len(schema.pointer) + 1 :].partition("/")
        if ignores_siblings and keyword not in _BESIDE_REFERENCE:
            continue
        if keyword == "additionalItems":
            if by_position:
                yield "/items", inner
            continue
        if keyword == "items" and by_position:
            keyword = "prefixItems"
        elif keyword == "dependencies":
            keyword = "dependentSchemas"
        yield f"/{keyword}{slash}{rest}", inner


def _inside(schema: Place, pointer: str, resources: Resources) -> Iterator[tuple[Key, str]]:
    """A schema and all that it keeps, each with its pointer."""
    pending = [(schema, pointer)]
    while pending:
        place, pointer = pending.pop()
        yield key_of(place), pointer
        pending += [(inner, pointer + steps) for steps, inner in kept_subschemas(place, resources)]
