"""What `lint` refuses, `StateSchema.from_file` refuses, but for what it makes nothing of.

`from_file` tells the first fault only, and no warnings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from streamdb import SpecError, StateSchema
from streamdb_gen.loading import load_spec
from streamdb_gen.rules import RULES

CASES = sorted((Path(__file__).parent / "rules").glob("*/*.json"))

_NAMES: Final = "rows are dicts, and collections go by their names in the spec"
_NO_VALUES: Final = "every validator refuses every value, so that nothing is read in two ways"
_NO_CODE: Final = "nothing is made of actions, so that no value has to fit"
#: Rules of errors that `from_file` leaves to `lint`, with the reason.
ACCEPTED: Final = {
    "NAME_COLLISION": _NAMES,
    "NAME_INVALID": _NAMES,
    "PROPERTY_NAME_UNSUPPORTED": "msgspec has no such field; dicts have",
    "TYPE_OVERRIDE": "the types of Python are those of generated code",
    "ALLOF_TOO_MANY": "a class would be too large; a validator joins any number",
    "ALLOF_CONFLICT": _NO_VALUES,
    "BOUNDS_EXCLUDE_ALL": _NO_VALUES,
    "SCHEMA_FALSE": _NO_VALUES,
    "RECURSION_ENDLESS": _NO_VALUES,
    "LONE_SURROGATE": "no text on a stream holds one, so that no row is read wrongly",
    "ACTION_INPUT_NOT_OBJECT": _NO_CODE,
    "EFFECT_MISFIT": _NO_CODE,
    "EFFECT_FIELD_UNKNOWN": _NO_CODE,
}
#: Cases of other rules that `from_file` accepts.
ACCEPTED_CASES: Final = {
    "JSON_TOO_LARGE/key": "the names of Python would be too long",
    "SCHEMA_NOT_CHECKABLE/half_a_surrogate_pair": "checks put another character in its place",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_the_verdict_is_that_of_the_table(case: Path) -> None:
    findings = load_spec(case).findings
    refusing = [f for f in findings if f.severity == "error" and f.rule not in ACCEPTED]
    if not refusing or f"{case.parent.name}/{case.stem}" in ACCEPTED_CASES:
        StateSchema.from_file(case)
        return
    with pytest.raises(SpecError) as caught:
        StateSchema.from_file(case)
    error = caught.value
    assert (error.file, bool(error.hint)) == (str(case), True)
    if not case.parent.name.startswith("JSON_"):  # parsers differ on where text goes wrong
        around = {f.pointer for f in refusing}
        assert any(f"{error.pointer}/".startswith(f"{pointer}/") for pointer in around), (
            error,
            around,
        )


def test_the_table_names_rules_of_errors() -> None:
    assert {RULES[rule].severity for rule in ACCEPTED} == {"error"}
    names = {f"{case.parent.name}/{case.stem}" for case in CASES}
    assert ACCEPTED_CASES.keys() <= names
