"""Which unions msgspec is trusted with."""

from __future__ import annotations

import pytest

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    Constraints,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    TupleOf,
    Type,
    UnionType,
)
from streamdb_gen.targets.python.native_unions import Kinds

TEXT, INTEGER, NUMBER = Scalar("string"), Scalar("integer"), Scalar("number")
SHORT = Scalar("string", Constraints(max_length=3))
TYPES = (
    ObjectType("Plain", (), closed=False),
    ObjectType("Other", (), closed=False),
    ObjectType("Open", (), closed=False, extras=NUMBER),
    UnionType("Tagged", (Named("Plain"), Named("Other"))),
    LiteralType("Word", ("a", "b")),
    LiteralType("Digit", (1, 2)),
    AliasType("Short", SHORT),
    ChoiceType("Objects", (Named("Plain"), Named("Other"))),
    ChoiceType("Simple", (TEXT, INTEGER)),
)


@pytest.mark.parametrize(
    ("members", "native"),
    [
        ((TEXT, INTEGER), True),
        ((INTEGER, NUMBER, TEXT), True),
        ((TEXT, ArrayOf(TEXT), Named("Plain"), Scalar("boolean")), True),
        ((Named("Tagged"), TEXT), True),
        ((Named("Word"), Named("Digit")), True),
        ((Nullable(TEXT), Nullable(INTEGER)), True),
        ((Named("Simple"), ArrayOf(TEXT)), True),
        ((Named("Plain"), Named("Other")), False),
        ((Named("Plain"), MapOf(TEXT)), False),
        ((ArrayOf(TEXT), ArrayOf(INTEGER)), False),
        ((Named("Word"), TEXT), False),
        ((Named("Digit"), NUMBER), False),
        ((Named("Open"), TEXT), False),
        ((Named("Objects"), TEXT), False),
        ((Named("Simple"), NUMBER), False),
        # What follows makes msgspec read memory that is not its own.
        ((SHORT, ArrayOf(TEXT)), False),
        ((Named("Short"), ArrayOf(TEXT)), False),
        ((TEXT, TupleOf((TEXT, INTEGER))), False),
        ((TEXT, MapOf(TEXT, Constraints(min_length=1))), False),
        ((Scalar("string", format="email"), INTEGER), False),
        ((Scalar("date-time"), INTEGER), False),
    ],
)
def test_a_union_is_native_if_its_members_differ_in_kind_alone(
    members: tuple[Type, ...], native: bool
) -> None:
    choice = ChoiceType("Choice", members)
    kinds = Kinds.of_types([*TYPES, choice])
    assert kinds.is_native(choice) == native
    assert ("alone" in kinds.of(Named("Choice"))) != native


def test_a_union_with_anything_in_it_is_anything() -> None:
    choice = ChoiceType("Choice", (Scalar("any"), SHORT))
    assert "anything" in Kinds.of_types([choice]).of(Named("Choice"))


def test_very_many_members_are_no_operands() -> None:
    members = tuple(Named(f"Member{n}") for n in range(101))
    objects = [ObjectType(member.name, (), closed=False) for member in members]
    union = UnionType("Many", members)
    assert not Kinds.of_types([*objects, union]).is_native(union)
