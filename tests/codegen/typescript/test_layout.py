"""What is laid out here, prettier leaves as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.codegen.typescript.peer import TypeScript
from tests.codegen.typescript.specs import row

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    Field,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    Scalar,
    TupleOf,
    Type,
)
from streamdb_gen.rendering.documents import lay_out
from streamdb_gen.rendering.marked import Code, code
from streamdb_gen.targets.typescript.literals import value_document
from streamdb_gen.targets.typescript.types import Alias, index_signature, member, type_alias
from streamdb_gen.targets.typescript.width import LINE_LENGTH

WORDS = st.sampled_from(["a", "id", "type", "title", "createdAt", "with space", "1", "1.5", "if"])
LONG = st.sampled_from([20, 40, 60, 90, 110]).map(lambda length: "x" * length)
# No letters that came into Unicode after version 3.2: whether they need quotes is not known here.
OTHERS = st.text("aZ0_$-é日ﬁ😀 '\"\\\n\x00\u202e\u0301</>!", max_size=8)
TEXTS = WORDS | LONG | OTHERS
NUMBERS = (
    st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False) | st.just(1e300)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(NUMBERS, max_size=40)
        | st.dictionaries(TEXTS.filter(lambda text: text != "__proto__"), inner, max_size=5)
    ),
    max_leaves=20,
)
NAMES = st.sampled_from(["A", "Message", "M" + "x" * 30, "M" + "x" * 50])
TYPES: st.SearchStrategy[Type] = st.recursive(
    st.sampled_from([Scalar("string"), Scalar("integer"), Scalar("any"), Scalar("date-time")])
    | NAMES.map(Named),
    lambda inner: (
        inner.map(ArrayOf)
        | inner.map(MapOf)
        | st.lists(inner, max_size=4).map(lambda items: TupleOf(tuple(items)))
        | inner.filter(
            lambda type_: type_ != Scalar("any") and not isinstance(type_, Nullable)
        ).map(Nullable)
    ),
    max_leaves=8,
)
CHOICES = st.lists(TYPES.filter(lambda type_: not isinstance(type_, Nullable)), min_size=2).map(
    lambda members: ChoiceType("X" * 30, tuple(members[:5]))
)
LITERALS = st.lists(TEXTS | st.integers(-9, 9) | st.booleans() | st.none(), min_size=1).map(
    lambda values: LiteralType("X" * 30, tuple(values[:12]))
)
BATCH = 60
searched = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def assert_left_alone(typescript: TypeScript, sources: Sequence[str]) -> None:
    for source, formatted in zip(sources, typescript.formatted(sources), strict=True):
        assert source == formatted


@searched
@given(values=st.lists(VALUES, min_size=BATCH, max_size=BATCH))
def test_values(typescript: TypeScript, values: list[Any]) -> None:
    sources = [
        lay_out((code("export const x = "), value_document([value]), code(";")), LINE_LENGTH) + "\n"
        for value in values
    ]
    assert_left_alone(typescript, sources)


ALIASES = st.builds(AliasType, NAMES, TYPES) | CHOICES | LITERALS


@searched
@given(types=st.lists(ALIASES, min_size=BATCH, max_size=BATCH))
def test_aliases(typescript: TypeScript, types: list[Alias]) -> None:
    assert_left_alone(typescript, [type_alias(each) + "\n" for each in types])


@searched
@given(fields=st.lists(st.tuples(TEXTS, TYPES, st.booleans()), min_size=BATCH, max_size=BATCH))
def test_members(typescript: TypeScript, fields: list[tuple[str, Type, bool]]) -> None:
    members = [Field(name, "x", type_, required) for name, type_, required in fields]
    assert_left_alone(typescript, [interface(member(each)) for each in members])


@searched
@given(types=st.lists(st.lists(TYPES, min_size=1, max_size=3), min_size=BATCH, max_size=BATCH))
def test_index_signatures(typescript: TypeScript, types: list[list[Type]]) -> None:
    rows = [
        row(
            *(Field(f"f{number}", "x", type_, number > 0) for number, type_ in enumerate(others)),
            extras=extras,
        )
        for extras, *others in types
    ]
    assert_left_alone(typescript, [interface(index_signature(each)) for each in rows])


def interface(line: Code | None) -> str:
    assert line is not None
    return f"export interface A {{\n  {line}\n}}\n"
