"""What `$ref` may point to, and what a reference means: the target's name, and null or not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from streamdb_gen.findings import shown
from streamdb_gen.ir import Named, Nullable, Scalar, Type
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.definitions import BROKEN
from streamdb_gen.lowering.keywords import ANNOTATIONS, strings
from streamdb_gen.meta_schema import suggestion
from streamdb_gen.reporting import Report

# Looking for a near name means comparing with all targets; the first hints show what is wrong.
_MAX_SUGGESTIONS: Final = 20


@dataclass(frozen=True, slots=True)
class Target:
    """A schema with a name: an entry of `$defs`, a row or an input."""

    place: Place
    name: str


class References:
    """Resolves references within the file.

    A name stands for what a target is besides null; a reference to a target that accepts null is
    the name or null. A target that is only a reference, anything at all, or null, is looked
    through.
    """

    def __init__(self, targets: Mapping[str, Target], report: Report) -> None:
        self.targets = targets
        self._report = report
        self._meanings: dict[str, Type] = {}
        self._suggestions_left = _MAX_SUGGESTIONS

    def resolve(self, reference: Place) -> Type:
        """What a `$ref` means; reports one that leads nowhere."""
        pointer = self._pointer(reference)
        return BROKEN if pointer is None else self.meaning(pointer)

    def meaning(self, pointer: str) -> Type:
        """The type that a reference to this target stands for."""
        passed: dict[str, bool] = {}  # the targets looked through, and whether each accepts null
        meaning: Type | None = None
        while meaning is None:
            if pointer in self._meanings:
                meaning = self._meanings[pointer]
                break
            if pointer in passed or pointer not in self.targets:
                meaning = BROKEN
                break
            target = self.targets[pointer]
            inner, nullable = without_null(target.place)
            passed[pointer] = nullable
            following = inner.get("$ref") if inner is not None else None
            if inner is None:
                meaning = Scalar("null")
            elif following is None:
                meaning = Scalar("any") if accepts_anything(inner) else Named(target.name)
            else:
                pointer = local_pointer(following.value) or ""
        for name, nullable in reversed(passed.items()):
            meaning = or_null(meaning) if nullable else meaning
            self._meanings[name] = meaning
        return meaning

    def final_target(self, pointer: str) -> Target | None:
        """The target at the end of a chain of plain references; None if there is none."""
        seen: set[str] = set()
        while pointer in self.targets and pointer not in seen:
            seen.add(pointer)
            following = self.targets[pointer].place.get("$ref")
            if following is None:
                return self.targets[pointer]
            pointer = local_pointer(following.value) or ""
        return None

    def report_circles(self) -> None:
        """Report definitions that are nothing but references which lead back to themselves."""
        visited: set[str] = set()
        for start in self.targets:
            path: dict[str, None] = {}
            pointer = start
            while pointer in self.targets and pointer not in visited:
                visited.add(pointer)
                path[pointer] = None
                pointer = self._following(pointer) or ""
            if pointer in path:
                steps = list(path)
                for circular in steps[steps.index(pointer) :]:
                    self._report_circle(self.targets[circular])

    def _report_circle(self, target: Target) -> None:
        message = f"{shown(target.name)} is defined by nothing but itself"
        hint = "give one definition of the circle a type"
        self._report.add("REFERENCE_CIRCLE", target.place, message, hint, at_key=True)

    def _following(self, pointer: str) -> str | None:
        """Where a target leads to, if it is nothing but a reference (or null)."""
        inner, _ = without_null(self.targets[pointer].place)
        reference = inner.get("$ref") if inner is not None else None
        return local_pointer(reference.value) if reference is not None else None

    def _pointer(self, reference: Place) -> str | None:
        text = reference.value
        if not isinstance(text, str):
            return None
        pointer = local_pointer(text)
        if pointer is None:
            kind = "a remote reference" if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", text) else None
            message = f"{kind or 'a reference to another file'} cannot be compiled"
            hint = "copy the schema to `$defs` and refer to `#/$defs/NAME`"
            self._report.add("REFERENCE_OUTSIDE", reference, message, hint)
            return None
        if pointer not in self.targets:
            message = f"{shown(text)} is no schema that can be referred to"
            hint = self._nearest(text) or "refer to an entry of `$defs`: `#/$defs/NAME`"
            self._report.add("REFERENCE_UNKNOWN", reference, message, hint)
            return None
        return pointer

    def _nearest(self, text: str) -> str | None:
        if not self._suggestions_left:
            return None
        self._suggestions_left -= 1
        return suggestion(text, [f"#{target}" for target in self.targets])


def local_pointer(reference: object) -> str | None:
    """The JSON Pointer of a reference into the same file, brought to its plain spelling.

    >>> local_pointer("#/$defs/a%20b"), local_pointer("other.json")
    ('/$defs/a b', None)
    """
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    fragment = reference[1:]
    return unquote(fragment, errors="surrogatepass") if "%" in fragment else fragment


def without_null(schema: Place) -> tuple[Place | None, bool]:
    """What a schema says besides null (None: nothing), and whether it accepts null.

    `anyOf` of one schema and null is that schema; other schemas are returned as they are.
    """
    for keyword in ("anyOf", "oneOf"):
        choices = schema.get(keyword)
        if choices is not None:
            rest = [choice for choice in choices.items() if not is_null(choice)]
            nullable = len(rest) < len(list(choices.items()))
            if len(rest) == 1:
                inner, inner_nullable = without_null(rest[0])
                return inner, nullable or inner_nullable
            return (schema if rest else None), nullable
    if is_null(schema):
        return None, True
    types = {name for name, _ in strings(schema.get("type"))}
    values = schema.get("const") or schema.get("enum")
    if values is None:
        return schema, "null" in types
    listed = [values.value] if schema.get("const") else values.value
    nullable = isinstance(listed, list) and None in listed and (not types or "null" in types)
    return schema, nullable


def is_null(schema: Place) -> bool:
    """Whether a schema accepts null and nothing else."""
    const, enum = schema.get("const"), schema.get("enum")
    if const is not None:
        return const.value is None
    if enum is not None:
        return enum.value == [None]
    return [name for name, _ in strings(schema.get("type"))] == ["null"]


def accepts_anything(schema: Place) -> bool:
    """Whether a schema (`true`, or only annotations) constrains nothing."""
    if schema.value is True:
        return True
    keys = [key for key, _ in schema.members()]
    return isinstance(schema.value, dict) and all(
        key in ANNOTATIONS or key.startswith("x-") for key in keys
    )


def or_null(type_: Type) -> Type:
    """The type or null, where that is not the type itself."""
    accepts_null: Final = type_ == BROKEN or isinstance(type_, Nullable)
    if accepts_null or (isinstance(type_, Scalar) and type_.kind in ("any", "null")):
        return type_
    return Nullable(type_)
