"""`[tool.streamdb-gen]` of the nearest `pyproject.toml`; errors say file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamdb_gen.config import Config, Target, load_config
from streamdb_gen.problems import Problem


def config(folder: Path, text: str) -> Config | Problem:
    (folder / "pyproject.toml").write_text(text)
    below = folder / "below"
    below.mkdir(exist_ok=True)
    return load_config(below)


def test_the_short_form(tmp_path: Path) -> None:
    loaded = config(tmp_path, '[tool.streamdb-gen]\nschema = "a.json"\nout = "src/a"\n')
    assert isinstance(loaded, Config)
    assert loaded.targets == (Target(tmp_path / "a.json", tmp_path / "src" / "a", "python"),)


def test_the_language_of_a_package(tmp_path: Path) -> None:
    loaded = config(tmp_path, '[tool.streamdb-gen]\nschema = "a.json"\ntarget = "typescript"\n')
    assert isinstance(loaded, Config)
    assert loaded.targets == (Target(tmp_path / "a.json", None, "typescript"),)


@pytest.mark.parametrize(
    "text",
    [
        "[tool.streamdb-gen]\ntargets = [\n"
        '{ schema = "a.json" }, { schema = "b.json", out = "b", models = "pydantic" }\n]\n',
        '[[tool.streamdb-gen.targets]]\nschema = "a.json"\n[[tool.streamdb-gen.targets]]\n'
        'schema = "b.json"\nout = "b"\nmodels = "pydantic"\n',
    ],
)
def test_several_targets(tmp_path: Path, text: str) -> None:
    loaded = config(tmp_path, text)
    assert isinstance(loaded, Config)
    expected = (
        Target(tmp_path / "a.json"),
        Target(tmp_path / "b.json", tmp_path / "b", models="pydantic"),
    )
    assert loaded.targets == expected


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x =\n", 1, "Invalid value"),
        ("tool = 3\n", 1, "Expected `object`, got `int`"),
        ("[tool]\n\nstreamdb-gen = 3\n", 1, "Expected `object`, got `int`"),
        ("[x]\n[tool.streamdb-gen]\nschema = 3\n", 3, "`schema`: Expected `str`, got `int`"),
        ('[tool.streamdb-gen]\nschema = ""\n', 2, "`schema`: Expected `str` matching regex"),
        ('[tool.streamdb-gen]\nschema = "\\u0000"\n', 2, "`schema`: Expected `str` matching"),
        ('[tool.streamdb-gen]\nschema = "a"\nschem = "b"\n', 3, "unknown field `schem`"),
        ('[tool.streamdb-gen]\nout = "a"\n', 1, "missing required field `schema`"),
        ('[tool.streamdb-gen]\nschema = "a"\ntargets = []\n', 2, "unknown field `schema`"),
        (
            '[tool.streamdb-gen]\nschema = "a"\nmodels = "x"\n',
            3,
            "`models`: Invalid enum value 'x'",
        ),
        ("[tool.streamdb-gen]\n\ntargets = []\n", 3, "`targets` is empty"),
        (
            '[tool.streamdb-gen]\nschema = "a"\ntarget = "cobol"\n',
            3,
            "`target`: Invalid enum value 'cobol'",
        ),
        ("[tool.streamdb-gen]\ntargets = [\n  { schema = 1 },\n]\n", 3, "`schema`: Expected `str`"),
        (
            '[[tool.streamdb-gen.targets]]\nschema = "a"\n\n'
            "[[tool.streamdb-gen.targets]]\nout = 1\n",
            5,
            "`out`: Expected `str | null`, got `int`",
        ),
        (
            '[[tool.streamdb-gen.targets]]\nschema = "a"\n[[tool.streamdb-gen.targets]]\nout="b"\n',
            3,
            "missing required field `schema`",
        ),
    ],
)
def test_errors_say_file_and_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    problem = config(tmp_path, text)
    assert isinstance(problem, Problem)
    assert problem.message.startswith(f"{tmp_path / 'pyproject.toml'}:{line}: ")
    assert message in problem.message


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[tool]\n\n\xff = 1\n")
    problem = load_config(tmp_path)
    assert isinstance(problem, Problem)
    assert f"{tmp_path / 'pyproject.toml'}:3" in problem.message


def test_without_a_section_it_says_what_to_write(tmp_path: Path) -> None:
    problem = config(tmp_path, "[project]\n")
    assert isinstance(problem, Problem)
    assert "has no section [tool.streamdb-gen]" in problem.message
    assert problem.hint is not None
    assert 'schema = "schema.json"' in problem.hint


def test_typescript_has_no_models(tmp_path: Path) -> None:
    text = '[tool.streamdb-gen]\nschema = "a.json"\ntarget = "typescript"\nmodels = "pydantic"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    problem = load_config(tmp_path)
    assert isinstance(problem, Problem)
    assert problem.message.endswith(
        "pyproject.toml:4: `models` is the kind of the rows of Python packages"
    )
