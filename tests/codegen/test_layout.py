"""Long lines are broken as the pinned `ruff format` breaks them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streamdb_gen.rendering.layout import wrap_long_lines

LONG = "long_" * 8
STATEMENTS = [
    f"from .models import {LONG}a, {LONG}b, {LONG}c",
    f"class A({LONG}b, frozen=True, kw_only=True, gc=False, omit_defaults=True):\n    x: int",
    f'class A({LONG}b, frozen=True, kw_only=True, gc=False, tag="{LONG}{LONG}"):\n    x: int',
    f"def f(self, {LONG}a: int, {LONG}b: str) -> Callable:\n    pass",
    f"def f(self, {LONG}a: int, {LONG}b: str, {LONG}c: int, /) -> Callable:\n    pass",
    f"x{LONG}: Annotated[str, Meta(min_length=1)] = field(default=None, name='{LONG}')",
    f"x: Annotated[str, Meta(min_length=1, pattern='{LONG}{LONG}')] = field(name='{LONG}')",
    f"x: Maybe[Annotated[str, Meta(min_length=1, pattern='{LONG}{LONG}')]] = None",
    f"x: Annotated[str, Meta(pattern='{LONG}{LONG}')] | UnsetType | None = UNSET",
    f"x: Annotated[str, Meta(pattern='{LONG}{LONG}')] | None = field(default=None, name='{LONG}')",
    f"{LONG}{LONG}: {LONG} | UnsetType | None = UNSET",
    f"{LONG}{LONG}: {LONG} | UnsetType | None",
    f"{LONG}{LONG}: Maybe[{LONG}] = None",
    f"X: TypeAlias = {LONG}a | {LONG}b | {LONG}c",
    f"X: TypeAlias = Literal['{LONG}', '{LONG}', '{LONG}', 1]",
    f"X: TypeAlias = Literal['{LONG}{LONG}{LONG}']",
    f"X: TypeAlias = Mapping[str, Mapping[str, Annotated[{LONG}, Meta(ge=1, le={10**30})]]]",
    f"x: Final = Outer(Inner(name='{LONG}', type='{LONG}', primary_key='id'))",
    f"x: Final = Schema(name='{LONG}', collections=(events.{LONG},), digest='{LONG}')",
    f"x: Final = Schema(name='a', collections=(events.{LONG}a, events.{LONG}b, events.{LONG}c))",
    f"__all__ = ['{LONG}a', '{LONG}b', '{LONG}c']",
    f"x = {{'a': '{LONG}', 'b': '{LONG}', 'c': '{LONG}'}}",
    f"if {LONG}a is not None and {LONG}b is not UNSET and {LONG}c:\n    pass",
    f"fields['{LONG}'] = data.{LONG}.{LONG}",
    f"self._db.{LONG}.update(data.{LONG}, a=1, b=data.{LONG})",
    f"self._db.{LONG}.insert({LONG}(a=data.{LONG}, b=data.{LONG}))",
    f"__all__ = ['{LONG}a', '{LONG}b', 123]",
    f"X: TypeAlias = Literal['{LONG}a', '{LONG}b']",
    f"raise self._not_implemented('{LONG}{LONG}')",
    f"x: Outer[Annotated[Sequence[{LONG}], Field(max_length=1)] | {LONG} | None] = UNSET",
    f"x: Outer[Annotated[Sequence[{LONG}], Field(a=1)] | {LONG}{LONG}, Field(alias='{LONG}')]",
    f"x: Outer[{LONG}a | {LONG}b | {LONG}c, Field(alias='{LONG}')] = UNSET",
    f"{LONG}: Annotated[Maybe[{LONG}], Field(alias=1)] = UNSET",
    f"X: TypeAlias = {LONG}a | Annotated[{LONG}b, '{LONG}c'] | {LONG}d",
    f"x = Literal['has ( and [', \"it's\", '{LONG}{LONG}']",
]


def ruff_format(source: str) -> str:
    project = Path(__file__).parent.parent.parent
    command = [sys.executable, "-m", "ruff", "format", "--config", str(project / "pyproject.toml")]
    return subprocess.run(
        [*command, "-"], input=source, capture_output=True, text=True, check=True, cwd=project
    ).stdout


@pytest.fixture(scope="module")
def formatted() -> list[str]:
    """What ruff makes of all statements, in one run."""
    separator = "\n# next\n"
    return [part.strip() for part in ruff_format(separator.join(STATEMENTS)).split("# next\n")]


@pytest.mark.parametrize("number", range(len(STATEMENTS)))
def test_as_ruff_does(number: int, formatted: list[str]) -> None:
    source = STATEMENTS[number].replace("'", '"').replace('it"s', "it's")
    wrapped = wrap_long_lines(source + "\n").strip()
    assert wrapped == formatted[number]
    assert wrapped != source, "the statement is too short to say anything"


def test_docstrings_and_short_lines_are_left_alone() -> None:
    source = f'"""{LONG * 3} (a, b)\n"""\n\nx = 1\n\n"{LONG * 3} [a, b]"\n'
    assert wrap_long_lines(source) == source
