"""Whether values of one type fit another.

Three verdicts. A type *fits* if each of its values is one of the other type. It is a *misfit* if
the types differ, or if a value may be null where the other is not. It is *undecided* where only the
bounds differ, or the type accepts anything: then the value is checked when it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from streamdb_gen.ir import ANYTHING, ArrayOf, LiteralType, MapOf, Named, Nullable, Scalar, Type
from streamdb_gen.json_source import JsonValue
from streamdb_gen.lowering.definitions import BROKEN, Definitions

Verdict = Literal["fits", "undecided", "misfit"]

_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class Fitting:
    """Compares types whose names the definitions explain."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def fit(self, given: Type, wanted: Type) -> Verdict:
        """Whether values of the one type are values of the other."""
        if BROKEN in (given, wanted) or given == wanted or wanted == ANYTHING:
            return "fits"
        if given == ANYTHING:
            return "undecided"
        given, wanted = self._definitions.plain(given), self._definitions.plain(wanted)
        match given, wanted:
            case Nullable(), Nullable():
                return self.fit(given.inner, wanted.inner)
            case Scalar(kind="null"), Nullable():
                return "fits"
            case _, Nullable():
                return self.fit(given, wanted.inner)
            case Scalar(kind="string"), Scalar(kind="string") if wanted.format is not None:
                same = given.format == wanted.format
                alike = wanted.constraints in (None, given.constraints)
                return "fits" if same and alike else "undecided"
            case ArrayOf(), ArrayOf():
                return self._fit_parts(given, given.item, wanted, wanted.item)
            case MapOf(), MapOf():
                return self._fit_parts(given, given.value, wanted, wanted.value)
            case Scalar(), Scalar() if given.kind == wanted.kind or (
                (given.kind, wanted.kind) == ("integer", "number")
            ):
                return "fits" if wanted.constraints in (None, given.constraints) else "undecided"
            case Named(), _:
                return self._fit_named(given, wanted)
            case _:
                return "misfit"

    def accepts(self, type_: Type, value: JsonValue) -> bool:
        """Whether a type certainly accepts a scalar value that is known."""
        plain = self._definitions.plain(type_)
        if plain in (BROKEN, ANYTHING):
            return not isinstance(value, list | dict)
        match plain:
            case Nullable():
                return value is None or self.accepts(plain.inner, value)
            case Named():
                definition = self._definitions.get(plain.name)
                if definition is None:
                    return True  # broken, and reported
                listed = definition.values if isinstance(definition, LiteralType) else ()
                return (type(value), value) in {(type(v), v) for v in listed}
            case Scalar():
                return type(value) in _PYTHON_TYPES.get(plain.kind, ())
            case _:
                return False

    def _fit_parts(
        self, given: ArrayOf | MapOf, inner: Type, wanted: ArrayOf | MapOf, wanted_inner: Type
    ) -> Verdict:
        verdict = self.fit(inner, wanted_inner)
        alike = wanted.constraints in (None, given.constraints)
        return verdict if alike or verdict == "misfit" else "undecided"

    def _fit_named(self, given: Named, wanted: Type) -> Verdict:
        """A name fits itself; literals also fit wider literals, and their type."""
        definition = self._definitions.get(given.name)
        if definition is None:
            return "fits"  # broken, and reported
        if not isinstance(definition, LiteralType):
            return "fits" if given == wanted else "misfit"
        accepted = all(self.accepts(wanted, value) for value in definition.values)
        return "fits" if accepted else "misfit"
