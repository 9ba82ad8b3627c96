"""The public names are imported when they are asked for, and type checkers see all of them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import streamdb
from streamdb.public_names import HOMES

SOURCE = Path(streamdb.__file__).read_text("utf-8")


def names_for_type_checkers() -> dict[str, str]:
    guard = next(node for node in ast.parse(SOURCE).body if isinstance(node, ast.If))
    return {
        alias.name: node.module or ""
        for node in guard.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_both_lists_name_the_same() -> None:
    assert names_for_type_checkers() == HOMES
    assert sorted(streamdb.__all__) == sorted(HOMES)
    assert set(HOMES) <= set(dir(streamdb))


@pytest.mark.parametrize("name", HOMES)
def test_each_name_is_there(name: str) -> None:
    assert getattr(streamdb, name) is getattr(sys.modules[HOMES[name]], name)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Strem'"):
        streamdb.Strem  # type: ignore[attr-defined]  # noqa: B018 - that is the test


HEAVY = {"httpx", "msgspec", "rich", "asyncio", "streamdb.streams.httpx_wire", "streamdb_server"}


@pytest.mark.parametrize(
    "program",
    [
        "import streamdb",
        "from streamdb.cli.commands import run; run(['--help'])",
        "from streamdb.cli.commands import run; run(['read', '--help'])",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(program: str) -> None:
    script = f"import sys\n{program}\nprint('loaded:', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    loaded = done.stdout.rpartition("loaded:")[2].split()
    assert loaded, done.stderr
    assert not HEAVY.intersection(loaded)
