"""The meta-schema of spec files, and what it finds.

`streamdb-spec-v1.json` serves editors as it is. `lint` uses it piece by piece: the frame of the
spec first (with every schema in it accepted), then each schema by itself when it is compiled. So
nothing recurses into the user's file, and no fault is told twice.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import jsonschema_rs

from streamdb_gen.findings import shown
from streamdb_gen.wrong_kinds import kind_hint

if TYPE_CHECKING:
    from streamdb_gen.json_source import Place
    from streamdb_gen.reporting import Report

_FILE: Final = "streamdb-spec-v1.json"
_NEAR: Final = 0.82  # of 1, which is equality: a letter or two are other ones


def meta_schema_text() -> str:
    """The text of the meta-schema, for editors and for people."""
    return resources.files("streamdb_gen").joinpath(_FILE).read_text(encoding="utf-8")


def check_frame(spec: Place, report: Report) -> None:
    """Report what is wrong with the shape of a spec, its schemas aside."""
    _check(spec, "spec", report)


def check_bare_collections(collections: Place, report: Report) -> None:
    """The same for the bare map of collections."""
    _check(collections, "collections", report)


def check_schema(schema: Place, report: Report) -> frozenset[str]:
    """Report keywords of one schema whose values have the wrong shape, and return them."""
    return frozenset(path[0] for path in _check(schema, "schema", report) if len(path) == 1)


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """A hint for a word that may be a known one misspelt.

    >>> suggestion("requird", ["required", "type"])
    'did you mean `required`?'
    """
    close = nearest(word, known)
    return f"did you mean {shown(close)}?" if close is not None else None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like another one, if any is.

    >>> nearest("requird", ["required", "type"])
    'required'
    """
    return next(iter(difflib.get_close_matches(word[:80], known, n=1)), None)


def near_miss(word: str, known: Iterable[str]) -> str | None:
    """A hint for a word that is almost certainly a known one misspelt.

    >>> near_miss("requird", ["required"]), near_miss("deprecationMessage", ["deprecated"])
    ('did you mean `required`?', None)
    """
    close = difflib.get_close_matches(word[:80], known, n=1, cutoff=_NEAR)
    return f"did you mean {shown(close[0])}?" if close else None


class _Problem(NamedTuple):
    """One disagreement with the meta-schema."""

    place: Place
    keyword: str
    wanted: Any
    schema: Mapping[str, Any]


@cache
def _meta_schema() -> Any:
    return json.loads(meta_schema_text())


@cache
def _fast_validator(definition: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(_definition(definition))


@cache
def _validator(definition: str) -> Any:
    # Slow to import, and needed only where something is wrong. It ships no types.
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    return Draft202012Validator(_definition(definition))


def _definition(definition: str) -> dict[str, Any]:
    """The schema of one definition, to which every inner schema is fine, whatever it is."""
    definitions: dict[str, Any] = dict(_meta_schema()["$defs"])
    definitions["subschema"] = True
    # Unknown keywords and misplaced members of effects are told elsewhere, in better words.
    definitions["schema"] = {**definitions["schema"], "additionalProperties": True}
    definitions["effect"] = {**definitions["effect"], "dependentSchemas": {}}
    return {**definitions[definition], "$defs": definitions}


def _check(place: Place, definition: str, report: Report) -> list[tuple[str, ...]]:
    """Report all problems; return the paths of the values concerned."""
    if _is_fine(place.value, definition):
        return []
    paths: list[tuple[str, ...]] = []
    told: set[tuple[tuple[str, ...], str]] = set()
    for error in _validator(definition).iter_errors(place.value):
        path = tuple(map(str, error.absolute_path))
        keyword = str(error.validator)
        if (path, keyword) in told:
            continue
        told.add((path, keyword))
        paths.append(path)
        found = _descend(place, error.absolute_path)
        describe = _DESCRIPTIONS.get(keyword, _describe_other)
        describe(_Problem(found, keyword, error.validator_value, error.schema), report)
    return paths


def _is_fine(value: object, definition: str) -> bool:
    """Whether there is nothing to report, by a validator that is fast and gives poor reasons."""
    try:
        return _fast_validator(definition).is_valid(value)
    except ValueError:  # half of a surrogate pair, for which it has no form
        return False


def _descend(place: Place, path: Iterable[str | int]) -> Place:
    for step in path:
        inner = place.item(step) if isinstance(step, int) else place.get(step)
        place = inner or place
    return place


def _describe_type(problem: _Problem, report: Report) -> None:
    wanted: list[str] = [problem.wanted] if isinstance(problem.wanted, str) else problem.wanted
    expected = " or ".join(_ARTICLES[name] for name in wanted)
    message = f"expected {expected}, found {kind_of(problem.place)}"
    report.add("SPEC_TYPE", problem.place, message, kind_hint(problem.place))


def _describe_required(problem: _Problem, report: Report) -> None:
    for name in problem.wanted:
        if problem.place.get(name) is None:
            rule, message, hint = _MISSING.get(
                name, ("SPEC_MEMBER_MISSING", f"{shown(name)} is missing", None)
            )
            report.add(rule, problem.place, message, hint, at_key=True)


def _describe_dependent(problem: _Problem, report: Report) -> None:
    for present, needed in problem.wanted.items():
        for name in needed:
            if problem.place.get(present) is not None and problem.place.get(name) is None:
                message = f"{shown(present)} needs {shown(name)} beside it"
                report.add("SPEC_MEMBER_MISSING", problem.place, message)


def _describe_additional(problem: _Problem, report: Report) -> None:
    known = problem.schema.get("properties", {})
    for name, place in problem.place.members():
        if name not in known and not name.startswith("x-"):
            message = f"{shown(name)} has no meaning here"
            word = _OTHER_MEMBERS.get(name, name)
            hint = suggestion(word, known) or f"known here: {', '.join(known)}"
            report.add("SPEC_MEMBER_UNKNOWN", place, message, hint, at_key=True)


def _describe_enum(problem: _Problem, report: Report) -> None:
    value = problem.place.value
    hint = suggestion(value, problem.wanted) if isinstance(value, str) else None
    message = f"expected one of {', '.join(map(shown, problem.wanted))}"
    report.add("SPEC_VALUE", problem.place, message, hint)


def _describe_type_keyword(problem: _Problem, report: Report) -> None:
    known = [
        word
        for word in problem.place.items()
        if isinstance(word.value, str) and word.value in _ARTICLES
    ]
    listed = [word.value for word in known]
    twice = next((word for at, word in enumerate(known) if word.value in listed[:at]), None)
    if twice is not None:
        report.add(
            "SPEC_VALUE", twice, f"{shown(str(twice.value))} is listed twice", "delete one of them"
        )
        return
    words = [problem.place, *problem.place.items()]
    wrong = next((word for word in words if _is_no_type(word.value)), problem.place)
    names = ", ".join(map(shown, _ARTICLES))
    message = f"expected one of {names}, or an array of them"
    word = str(wrong.value).lower()
    hint = suggestion(_OTHER_WORDS.get(word, word), _ARTICLES)
    report.add("SPEC_VALUE", wrong, message, hint)


def _is_no_type(value: object) -> bool:
    return isinstance(value, str) and value not in _ARTICLES


def _describe_empty(problem: _Problem, report: Report) -> None:
    message = f"{kind_of(problem.place)} must not be empty here"
    report.add("SPEC_VALUE", problem.place, message, _FILLINGS.get(problem.place.pointer))


def _describe_bound(problem: _Problem, report: Report) -> None:
    relation = "at least" if problem.keyword == "minimum" else "greater than"
    report.add("SPEC_VALUE", problem.place, f"expected a number {relation} {problem.wanted}")


def _describe_effect(problem: _Problem, report: Report) -> None:
    message = "an effect names one collection by `insert`, `upsert`, `update` or `delete`"
    report.add("SPEC_VALUE", problem.place, message)


def _describe_other(problem: _Problem, report: Report) -> None:
    message = f"this does not satisfy `{problem.keyword}` of the meta-schema"
    report.add("SPEC_VALUE", problem.place, message)


def kind_of(place: Place) -> str:
    """What a value is, in words: `a string`."""
    return _KINDS[type(place.value)]


_KINDS: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}
_ARTICLES: Final = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "null": "null",
}
# What other languages call the types.
# What older versions of JSON Schema call a member.
_OTHER_MEMBERS: Final = {"definitions": "$defs"}
_OTHER_WORDS: Final[Mapping[str, str]] = {
    "dict": "object",
    "map": "object",
    "list": "array",
    "decimal": "number",
    "double": "number",
    "float": "number",
    "none": "null",
}
#: By pointer: what could stand in something empty.
_FILLINGS: Final[Mapping[str, str]] = {
    "/collections": 'add a collection: "messages": {"primaryKey": "id", "schema": {...}}',
}
_MISSING: Final = {
    "primaryKey": (
        "COLLECTION_PRIMARY_KEY_MISSING",
        "the collection does not say which property is its primary key",
        'add "primaryKey": "id", with the name of a required property',
    ),
    "schema": (
        "COLLECTION_SCHEMA_MISSING",
        "the collection has no schema for its rows",
        'add "schema": {"$ref": "#/$defs/..."} or the schema itself',
    ),
    "collections": (
        "COLLECTIONS_MISSING",
        "the spec has no `collections`",
        'add "collections": {...} with at least one collection',
    ),
}
_DESCRIPTIONS: Final[Mapping[str, Callable[[_Problem, Report], None]]] = {
    "type": _describe_type,
    "required": _describe_required,
    "dependentRequired": _describe_dependent,
    "additionalProperties": _describe_additional,
    "enum": _describe_enum,
    "anyOf": _describe_type_keyword,
    "minLength": _describe_empty,
    "minItems": _describe_empty,
    "minProperties": _describe_empty,
    "minimum": _describe_bound,
    "exclusiveMinimum": _describe_bound,
    "oneOf": _describe_effect,
}
