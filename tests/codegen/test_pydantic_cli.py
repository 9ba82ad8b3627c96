"""`--models pydantic` on the command line and in the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.codegen.command_line import run, run_process

SPEC = (Path(__file__).parent.parent / "golden" / "minimal.json").read_text()
CLASS = "class Notes(PydanticRow, frozen=True):"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "diary.json").write_text(SPEC)
    return tmp_path


def models_of(project: Path) -> str:
    return (project / "diary" / "models.py").read_text()


def test_the_option_makes_pydantic_rows(project: Path) -> None:
    made = run(project, "diary.json", "--models", "pydantic")
    assert (made.returncode, made.stderr) == (0, "")
    assert CLASS in models_of(project)
    checked = run(project, "check", "diary.json", "--models", "pydantic")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_package_with_the_other_rows_is_stale_and_check_says_why(project: Path) -> None:
    assert run(project, "diary.json").returncode == 0
    checked = run(project, "check", "diary.json", "--models", "pydantic")
    assert checked.returncode == 3
    assert checked.stdout.startswith("stale: diary/models.py (it would now be written otherwise)")
    assert f"+{CLASS}" in checked.stdout
    assert checked.stderr == (
        "streamdb-gen: diary was written with --models msgspec, and is checked with pydantic\n"
        "  to write it anew: streamdb-gen diary.json --models pydantic\n"
    )
    assert run(project, "diary.json", "--models", "pydantic").returncode == 0
    assert run(project, "check", "diary.json").returncode == 3


@pytest.mark.parametrize(("first", "then"), [("pydantic", "msgspec"), ("msgspec", "pydantic")])
def test_rows_become_others_only_by_the_option(project: Path, first: str, then: str) -> None:
    """Neither a forgotten option nor a change of the configuration makes them others."""
    assert run(project, "diary.json", "--models", first).returncode == 0
    before = models_of(project)
    (project / "pyproject.toml").write_text(
        f'[tool.streamdb-gen]\nschema = "diary.json"\nmodels = "{then}"\n'
    )
    for arguments in ([], ["diary.json"]):
        refused = run(project, *arguments)
        assert refused.returncode == 2
        assert f"--models {first}, and would be with {then} now\n" in refused.stderr
        assert f"to change it: streamdb-gen diary.json --models {then}\n" in refused.stderr
        assert models_of(project) == before
    assert run(project, "diary.json", "--models", then).returncode == 0
    assert (CLASS in models_of(project)) == (then == "pydantic")
    assert run(project).returncode == 0


def test_a_spec_that_the_configuration_names_is_compiled_as_it_says(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[[tool.streamdb-gen.targets]]\nschema = "diary.json"\nmodels = "pydantic"\n'
        '[[tool.streamdb-gen.targets]]\nschema = "diary.json"\ntarget = "typescript"\n'
        '[[tool.streamdb-gen.targets]]\nschema = "diary.json"\nout = "plain"\n'
    )
    assert run(project, "./diary.json", "--target", "typescript").returncode == 0
    assert not (project / "diary").exists()
    assert run(project, "diary.json", "-o", "plain").returncode == 0
    assert CLASS not in (project / "plain" / "models.py").read_text()
    assert not (project / "diary").exists()
    assert run(project, "diary.json").returncode == 0
    assert CLASS in models_of(project)
    assert run(project, "check").returncode == 0
    assert run(project, "check", "diary.json").returncode == 0


def test_the_configuration_says_which_rows(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.streamdb-gen]\nschema = "diary.json"\nmodels = "pydantic"\n'
    )
    assert run(project).returncode == 0
    assert CLASS in models_of(project)
    assert run(project, "check").returncode == 0
    alone = run(project, "--models", "pydantic")
    assert alone.returncode == 2
    assert "--models goes with a spec" in alone.stderr


def test_a_project_whose_settings_the_tool_cannot_read(project: Path) -> None:
    """No formatter of the tool runs, for it would read them."""
    (project / "pyproject.toml").write_text('[tool.black]\nline-length = "no number"\n')
    assert run(project, "diary.json", "--models", "pydantic").returncode == 0


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("raise metadata.PackageNotFoundError(name)", "is not installed"),
        ("return '0.1.0'", "0.1.0 is installed"),
    ],
)
def test_without_the_tool_one_line_says_what_to_do(project: Path, answer: str, found: str) -> None:
    # Every other distribution is still found: the compiler asks for its own version.
    (project / "sitecustomize.py").write_text(
        "from importlib import metadata\n"
        "ask = metadata.version\n"
        "def version(name):\n"
        "    if name != 'datamodel-code-generator': return ask(name)\n"
        f"    {answer}\n"
        "metadata.version = version\n"
    )
    done = run_process(project, "diary.json", "--models", "pydantic", PYTHONPATH=str(project))
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].endswith(f"datamodel-code-generator {found}")
    assert "pip install 'streamdb[gen]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert run_process(project, "diary.json", PYTHONPATH=str(project)).returncode == 0


def test_two_fields_that_pydantic_calls_alike(project: Path) -> None:
    property_ = '"x": {"type": "string", "x-streamdb-name": "schema_"}, "schema": {}, "text"'
    (project / "diary.json").write_text(SPEC.replace('"text":', f"{property_}:"))
    assert run(project, "lint", "diary.json").returncode == 0
    done = run(project, "diary.json", "--models", "pydantic")
    assert done.returncode == 2
    assert "`x` and `schema` would both be called schema_" in done.stderr


def test_the_tool_is_not_imported_for_other_rows(project: Path) -> None:
    """It is slow: half a second."""
    (project / "observed.py").write_text(
        "import sys\n"
        "from streamdb_gen.commands import run\n"
        "code = run(sys.argv[1:])\n"
        "slow = {'datamodel_code_generator', 'pydantic', 'streamdb'} & set(sys.modules)\n"
        "sys.exit(code or (', '.join(sorted(slow)) if slow else 0))\n"
    )
    done = run_process(project, "diary.json", module="observed", PYTHONPATH=str(project))
    assert (done.returncode, done.stderr) == (0, "")


def test_what_the_tool_writes_unasked_is_a_fault_of_ours(project: Path) -> None:
    (project / "planted.py").write_text(
        "import datamodel_code_generator as tool\n"
        "ours = tool.generate\n"
        "tool.generate = lambda *a, **k: 'import os\\n' + ours(*a, **k)\n"
        "from streamdb_gen.cli import main\n"
        "main()\n"
    )
    done = run_process(
        project, "diary.json", "--models", "pydantic", module="planted", PYTHONPATH=str(project)
    )
    assert done.returncode == 70
    assert "UnexpectedOutputError: line 1: import os" in done.stderr
    assert not (project / "diary").exists()
