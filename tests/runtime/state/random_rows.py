"""Random shapes of rows, classes of every kind for them, and JSON with more than they declare."""

from __future__ import annotations

import dataclasses
import functools
import json
import operator
from collections.abc import Callable, Mapping
from typing import Any, Literal, NotRequired, TypedDict

import msgspec
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType
from pydantic import ConfigDict, create_model

from streamdb import AnyOf, pydantic_rows


@dataclasses.dataclass(frozen=True)
class Scalar:
    type: type


@dataclasses.dataclass(frozen=True)
class Key(Scalar):
    type: type = str


@dataclasses.dataclass(frozen=True)
class Object:
    """An object; one with a tag is a member of a union."""

    required: Mapping[str, Shape]
    optional: Mapping[str, Shape]
    tag: str | None = None

    @property
    def fields(self) -> dict[str, Shape]:
        return {**self.required, **self.optional}


@dataclasses.dataclass(frozen=True)
class ListOf:
    item: Shape


@dataclasses.dataclass(frozen=True)
class MapOf:
    item: Shape


@dataclasses.dataclass(frozen=True)
class Choice:
    members: tuple[Object, ...]

    def of(self, plain: Any) -> Object:
        return next(member for member in self.members if member.tag == plain["kind"])


Shape = Scalar | Object | ListOf | MapOf | Choice

_NAMES = st.sampled_from(["a", "b", "c", "d"])
_SCALARS: dict[type, st.SearchStrategy[Any]] = {
    str: st.sampled_from(["", "x", 'é"\\']),
    int: st.integers(0, 2),
    bool: st.booleans(),
}
_NEW_NAMES = st.sampled_from(["new", "é", 'q"', "kind2", "\\"])
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
    max_leaves=4,
)
_MORE = st.dictionaries(_NEW_NAMES, _ANYTHING, max_size=2)
_WHAT_CHANGES = st.sampled_from(["nothing", "inside", "all"])
_BOOLEANS = st.booleans()


@functools.cache
def shapes(depth: int, *, choices: bool) -> st.SearchStrategy[Shape]:
    """Make a strategy of what a property may be."""
    scalars = st.sampled_from([Scalar(kind) for kind in _SCALARS])
    if not depth:
        return scalars
    inner, object_ = shapes(depth - 1, choices=choices), objects(depth - 1, choices=choices)
    without_choices = st.one_of(scalars, object_, inner.map(ListOf), inner.map(MapOf))
    if not choices:
        return without_choices
    tagged = st.tuples(object_, object_).map(
        lambda pair: Choice(
            (
                dataclasses.replace(pair[0], tag="first"),
                dataclasses.replace(pair[1], tag="second"),
            )
        )
    )
    return without_choices | tagged | tagged.map(ListOf)


@functools.cache
def objects(depth: int, *, choices: bool) -> st.SearchStrategy[Object]:
    shape = shapes(depth, choices=choices)
    fields = st.dictionaries(_NAMES, st.tuples(shape, st.booleans()), max_size=3)
    return fields.map(
        lambda all_: Object(
            {name: shape for name, (shape, is_required) in all_.items() if is_required},
            {name: shape for name, (shape, is_required) in all_.items() if not is_required},
        )
    )


@functools.cache
def rows(*, choices: bool = True) -> st.SearchStrategy[Object]:
    return objects(3, choices=choices).map(
        lambda made: dataclasses.replace(made, required={"id": Key(), **made.required})
    )


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Make a strategy of plain JSON that a shape takes."""
    match shape:
        case Key():
            return st.text("abcdef", min_size=1, max_size=2)
        case Scalar():
            return _SCALARS[shape.type]
        case ListOf():
            return st.lists(values(shape.item), max_size=3)
        case MapOf():
            return st.dictionaries(_NAMES, values(shape.item), max_size=2)
        case Choice():
            return st.one_of(*map(values, shape.members))
        case Object():
            tag = {} if shape.tag is None else {"kind": st.just(shape.tag)}
            return st.fixed_dictionaries(
                {**tag, **{name: values(inner) for name, inner in shape.required.items()}},
                optional={name: values(inner) for name, inner in shape.optional.items()},
            )


@st.composite
def with_more(draw: st.DrawFn, shape: Shape, plain: Any) -> Any:
    """Add properties that a shape does not declare to some objects in a value of it."""
    return _with_more(draw, shape, plain)


@st.composite
def changed(draw: st.DrawFn, shape: Shape, plain: Any) -> Any:
    """Change some places of a value, and leave others as they are."""
    return _changed(draw, shape, plain)


# Functions, for to make a strategy for each part of a value took longer than to draw from it.
def _with_more(draw: st.DrawFn, shape: Shape, plain: Any) -> Any:
    match shape:
        case Scalar():
            return plain
        case ListOf():
            return [_with_more(draw, shape.item, item) for item in plain]
        case MapOf():
            return {name: _with_more(draw, shape.item, item) for name, item in plain.items()}
        case Choice():
            return _with_more(draw, shape.of(plain), plain)
        case Object():
            fields = shape.fields
            inside = {
                name: _with_more(draw, fields[name], item) if name in fields else item
                for name, item in plain.items()
            }
            return {**inside, **draw(_MORE)}


def _changed(draw: st.DrawFn, shape: Shape, plain: Any) -> Any:
    what = draw(_WHAT_CHANGES)
    if what == "nothing":
        return plain
    if what == "all" or isinstance(shape, Scalar):
        return draw(values(shape))
    match shape:
        case ListOf():
            items = [_changed(draw, shape.item, item) for item in plain]
            items += draw(st.lists(st.sampled_from(plain), max_size=1)) if plain else []
            return draw(st.permutations(items))[: draw(st.integers(0, len(items)))]
        case MapOf():
            return {name: _changed(draw, shape.item, item) for name, item in plain.items()}
        case Choice():
            return _changed(draw, shape.of(plain), plain)
        case Object():
            others, fields = draw(values(shape)), shape.fields
            inside = {
                name: _changed(draw, fields[name], item) if name in fields else item
                for name, item in plain.items()
                if name not in shape.optional or draw(_BOOLEANS)
            }
            return {**others, **inside}


def merged(shape: Shape, after: Any, before: Any, original: Any) -> Any:
    """Lay the changes over the original, in the plainest way: the oracle."""
    match shape:
        case Scalar():
            return after
        case ListOf():
            return [
                _merged_element(shape, after, before, original, place)
                for place in range(len(after))
            ]
        case MapOf():
            return {
                name: merged(shape.item, item, before[name], original[name])
                if name in before
                else item
                for name, item in after.items()
            }
        case Choice():
            is_same = after["kind"] == before["kind"]
            return merged(shape.of(after), after, before, original) if is_same else after
        case Object():
            known = {
                name: merged(shape.fields[name], item, before[name], original[name])
                if name in shape.fields and name in before
                else item
                for name, item in after.items()
            }
            declared = {*shape.fields, "kind" if shape.tag else "id"}
            return {
                **{name: item for name, item in original.items() if name not in declared},
                **known,
            }


def _merged_element(shape: ListOf, after: Any, before: Any, original: Any, place: int) -> Any:
    element = after[place]
    sources = [n for n, item in enumerate(before) if _is_same(item, element)]
    places = [n for n, item in enumerate(after) if _is_same(item, element)]
    if len(sources) == len(places):
        source = sources[places.index(place)]
    elif sources and all(
        json.dumps(original[n]) == json.dumps(original[sources[0]]) for n in sources
    ):
        source = sources[0]
    else:
        return element
    return merged(shape.item, element, before[source], original[source])


def _is_same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


# --- classes ----------------------------------------------------------------------------------


def struct_of(shape: Object) -> Any:
    return msgspec.defstruct(
        "Row",
        [
            *((name, _type(inner, struct_of)) for name, inner in shape.required.items()),
            *(
                (name, _type(inner, struct_of) | UnsetType, UNSET)
                for name, inner in shape.optional.items()
            ),
        ],
        frozen=True,
        kw_only=True,
        tag_field=shape.tag and "kind",
        tag=shape.tag,
    )


class Hooked(msgspec.Struct):
    n: int


def struct_without_twin_of(shape: Object) -> Any:
    """Make a struct with a property that is a union of ours, which may hold structs."""
    more: Any = AnyOf[Hooked, dict[str, str]]
    row = struct_of(shape)
    return msgspec.defstruct("Row", [("hooked", more | UnsetType, UNSET)], bases=(row,))


def dataclass_of(shape: Object) -> Any:
    fields: list[Any] = [("kind", Literal[shape.tag])] if shape.tag else []
    fields += [(name, _type(inner, dataclass_of)) for name, inner in shape.required.items()]
    fields += [
        (name, _type(inner, dataclass_of) | UnsetType, dataclasses.field(default=UNSET))
        for name, inner in shape.optional.items()
    ]
    return dataclasses.make_dataclass("Row", fields, kw_only=True, frozen=True)


def typed_dict_of(shape: Object) -> Any:
    fields: dict[str, Any] = {"kind": Literal[shape.tag]} if shape.tag else {}
    fields |= {name: _type(inner, typed_dict_of) for name, inner in shape.required.items()}
    fields |= {
        name: NotRequired[_type(inner, typed_dict_of)] for name, inner in shape.optional.items()
    }
    return TypedDict("Row", fields)


def pydantic_of(shape: Object) -> Any:
    fields: dict[str, Any] = {"kind": (Literal[shape.tag], ...)} if shape.tag else {}
    fields |= {name: (_type(inner, pydantic_of), ...) for name, inner in shape.required.items()}
    fields |= {
        name: (pydantic_rows.Maybe[_type(inner, pydantic_of)], None)
        for name, inner in shape.optional.items()
    }
    return create_model("Row", __config__=ConfigDict(frozen=True), **fields)


def _type(shape: Shape, class_of: Callable[[Object], Any]) -> Any:
    match shape:
        case Scalar():
            return shape.type
        case ListOf():
            return list[_type(shape.item, class_of)]
        case MapOf():
            return dict[str, _type(shape.item, class_of)]
        case Choice():
            members = tuple(class_of(member) for member in shape.members)
            return (
                AnyOf[members]
                if class_of in (dataclass_of, typed_dict_of)
                else functools.reduce(operator.or_, members)
            )
        case Object():
            return class_of(shape)


CLASSES: dict[str, Callable[[Object], Any]] = {
    "struct": struct_of,
    "struct without a twin": struct_without_twin_of,
    "dataclass": dataclass_of,
    "TypedDict": typed_dict_of,
    "pydantic": pydantic_of,
}
