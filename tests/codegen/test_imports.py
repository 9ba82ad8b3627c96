"""Import lines: exactly the names that are used, and none that a spec can take."""

from __future__ import annotations

import pytest

from streamdb_gen import naming
from streamdb_gen.rendering.marked import code
from streamdb_gen.targets.python.imports import IMPORTED_NAMES, export_order, import_lines

# Names of functions and modules: they are used where no name of a spec can stand in front.
FUNCTIONS = {"field", "overload", "require_abi", "dt", "decimal", "formats", "uuid"}


def test_names_of_a_spec_never_hide_an_imported_one() -> None:
    assert IMPORTED_NAMES - FUNCTIONS <= naming.CLASS_RESERVED
    assert {"dt", "decimal", "formats", "uuid", "field"} <= naming.FIELD_RESERVED


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x = 1", ""),
        ("x: dt.date", "import datetime as dt"),
        ('x: "Maybe[A]"', "from streamdb import Maybe\n\nfrom .models import A"),
        ('x: Sequence["A"]', "from collections.abc import Sequence\n\nfrom .models import A"),
        (
            "X: TypeAlias = \"A | Mapping[str, Annotated[B, 'Any']]\"",
            "from collections.abc import Mapping\nfrom typing import Annotated, TypeAlias",
        ),
        ('X: TypeAlias = Literal["Any"]', "from typing import Literal, TypeAlias"),
        (
            'x: Annotated[str, Meta(pattern="Any")]',
            "from typing import Annotated\n\nfrom msgspec import Meta",
        ),
        ("print(a10, B, a2, C_C)", "from .models import C_C, B, a2, a10"),
    ],
)
def test_import_lines(body: str, expected: str) -> None:
    assert import_lines(body, {code(".models"): ["A", "B", "a2", "a10", "C_C"]}) == expected


def test_exports_are_in_the_order_that_ruff_wants() -> None:
    names = ["events", "Messages", "MessageUpdate", "SCHEMA", "Ab10", "Ab2"]
    assert sorted(names, key=export_order) == [
        "SCHEMA",
        "Ab2",
        "Ab10",
        "MessageUpdate",
        "Messages",
        "events",
    ]


def test_digits_of_other_scripts_are_letters_to_the_order() -> None:
    """An Ethiopic digit is a digit to `str.isdigit` and no number to `int`."""
    assert sorted(["a10", "a2", "\N{ETHIOPIC DIGIT ONE}"], key=export_order) == [
        "a2",
        "a10",
        "\N{ETHIOPIC DIGIT ONE}",
    ]
