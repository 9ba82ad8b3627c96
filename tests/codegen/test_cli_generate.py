"""The command `streamdb-gen`: verbs, exit codes, and one line for every mistake of a user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.codegen.command_line import run, run_process, run_without_privileges

from streamdb_gen.rules import RULES

GOLDEN = Path(__file__).parent.parent / "golden"
SPEC = (GOLDEN / "minimal.json").read_text()
FAULTY = SPEC.replace('"primaryKey": "id"', '"primaryKey": "nope"')


@pytest.fixture(scope="module")
def made_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `project` copies: made once, for it takes a process."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "diary.json").write_text(SPEC)
    (folder / "pyproject.toml").write_text('[tool.streamdb-gen]\nschema = "diary.json"\n')
    made = run_process(folder, "diary.json")
    assert (made.returncode, made.stderr) == (0, "")
    return folder


@pytest.fixture
def project(made_project: Path, tmp_path: Path) -> Path:
    """A folder with a spec and its package, and the configuration to make it."""
    shutil.copytree(made_project, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_the_package_stands_beside_the_spec_under_its_name(project: Path) -> None:
    assert {file.name for file in (project / "diary").iterdir()} == {
        "__init__.py",
        "actions.py",
        "client.py",
        "columns.py",
        "events.py",
        "models.py",
        "py.typed",
        "schema.json",
    }


def test_a_second_run_changes_nothing(project: Path) -> None:
    again = run(project, "generate", "diary.json")
    assert (again.returncode, again.stdout) == (0, "diary is current\n")


def test_another_folder(project: Path) -> None:
    assert run(project, "diary.json", "-o", "src/other").returncode == 0
    for name in ("models.py", "schema.json"):
        made = (project / "src" / "other" / name).read_text()
        assert made == (project / "diary" / name).read_text()


def test_typescript_stands_beside_python(project: Path) -> None:
    made = run(project, "diary.json", "--target", "typescript")
    assert (made.returncode, made.stderr) == (0, "")
    assert {file.name for file in (project / "diary-ts").iterdir()} == {"index.ts", "models.ts"}
    again = run(project, "generate", "--target", "typescript", "diary.json")
    assert (again.returncode, again.stdout) == (0, "diary-ts is current\n")
    assert run(project, "check", "diary.json", "--target", "python").stdout == ""


def test_check_of_typescript(project: Path) -> None:
    options = ("diary.json", "--target", "typescript")
    run(project, *options)
    assert run(project, "check", *options).returncode == 0
    models = project / "diary-ts" / "models.ts"
    models.write_text(models.read_text().replace("text: string", "text: number"))
    checked = run(project, *options, "--check")
    assert checked.returncode == 3
    assert "edited: diary-ts/models.ts" in checked.stdout
    assert "-  text: number;\n+  text: string;\n" in checked.stdout
    (project / "diary.json").write_text(SPEC.replace('"text"', '"body"'))
    assert "stale: diary-ts/index.ts" in run(project, "check", *options).stdout


def test_the_configuration_names_targets_of_both_languages(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[[tool.streamdb-gen.targets]]\nschema = "diary.json"\n'
        '[[tool.streamdb-gen.targets]]\nschema = "diary.json"\ntarget = "typescript"\n'
    )
    done = run(project)
    assert "diary is current" in done.stdout
    assert f"wrote {project / 'diary-ts' / 'index.ts'}" in done.stdout
    assert run(project, "check").returncode == 0


@pytest.mark.parametrize(
    "arguments", [["check", "diary.json"], ["check"], ["--check"], ["generate", "--check"]]
)
def test_check_is_silent_about_a_current_package(project: Path, arguments: list[str]) -> None:
    checked = run(project, *arguments)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_check_says_edited_after_one_edited_byte_with_the_diff(project: Path) -> None:
    models = project / "diary" / "models.py"
    models.write_text(models.read_text().replace("text: str", "text: sty"))
    checked = run(project, "--check")
    assert checked.returncode == 3
    assert "edited: " in checked.stdout
    assert "-    text: sty\n+    text: str\n" in checked.stdout
    assert "stale" not in checked.stdout


def test_check_says_stale_after_a_change_of_the_spec(project: Path) -> None:
    (project / "diary.json").write_text(SPEC.replace('"text"', '"body"'))
    checked = run(project, "check")
    assert checked.returncode == 3
    assert "stale: " in checked.stdout
    assert "(the spec has changed)" in checked.stdout
    assert "edited" not in checked.stdout


def test_check_says_missing_and_orphaned(project: Path) -> None:
    models = project / "diary" / "models.py"
    models.rename(project / "diary" / "old.py")
    checked = run(project, "check")
    assert checked.returncode == 3
    assert "missing: " in checked.stdout
    assert "orphaned: " in checked.stdout


def test_the_configuration_names_several_targets_and_the_worst_code_counts(project: Path) -> None:
    (project / "faulty.json").write_text(FAULTY)
    (project / "pyproject.toml").write_text(
        '[[tool.streamdb-gen.targets]]\nschema = "faulty.json"\n'
        '[[tool.streamdb-gen.targets]]\nschema = "diary.json"\n'
    )
    below = project / "below"
    below.mkdir()
    done = run(below)
    assert done.returncode == 4
    assert "diary is current" in done.stdout
    assert not (project / "faulty").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.json"], "cannot read missing.json: no such file or folder"),
        (["generate", "."], "cannot read .: is a folder"),
        (["lint", "missing.json"], "cannot read missing.json: no such file or folder"),
        (["diary.json", "--out", "a_file"], "cannot write a_file: is not a folder"),
        (["check", "diary.json", "--out", "a_file"], "cannot read a_file: is not a folder"),
        (["generat", "diary.json"], "no such command `generat`; did you mean `generate`?"),
        (["lnt"], "no such command `lnt`; did you mean `lint`?"),
        (["diary.json", "-o", "src/my-pkg"], "give another folder: -o src/my_pkg\n"),
        (["diary.json", "-o", "class"], "give another folder: -o class_\n"),
        (["diary.json", "-o", "json"], "would hide another json: the standard library has"),
        (["diary.json", "-o", "msgspec"], "give another folder: -o msgspec_db\n"),
        (["--out", "x"], "--out goes with a spec"),
        (["check", "--target", "python"], "--target goes with a spec"),
        (["diary.json", "--target", "cobol"], "'cobol' is not one of 'python', 'typescript'"),
        (["diary.json", "extra.json"], "unexpected extra argument"),
        (["generate", "--nope"], "No such option"),
        (["explain", "NOPE"], "there is no rule NOPE"),
        (["explain", "row_not_objct"], "did you mean ROW_NOT_OBJECT?"),
        (["diary.json", "-o", "."], "will not overwrite"),
    ],
)
def test_a_mistake_is_exit_code_2_and_no_traceback(
    project: Path, arguments: list[str], says: str
) -> None:
    (project / "schema.json").write_text("mine")
    (project / "a_file").write_text("")
    done = run(project, *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert (project / "schema.json").read_text() == "mine"


@pytest.mark.parametrize("name", ["json", "Typing", "streamdb", "pydantic", "imp"])
def test_a_name_whose_package_would_hide_another_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "spec.json").write_text(SPEC.replace("{", f'{{"name": "{name}",', 1))
    done = run(tmp_path, "spec.json")
    assert done.returncode == 2
    assert f'or another name in the spec: "name": "{name.lower()}-db"' in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["spec.json"]
    # Somewhere else, or in another language, the name is all right.
    assert run(tmp_path, "spec.json", "-o", "diary").returncode == 0
    assert run(tmp_path, "spec.json", "--target", "typescript").returncode == 0


def test_inside_a_package_a_name_hides_nothing(project: Path) -> None:
    assert run(project, "diary.json", "-o", "diary/calendar").returncode == 0


def test_a_spec_called_like_a_command_or_nearly_so(project: Path) -> None:
    (project / "generat").write_text(SPEC)
    assert run(project, "generat", "-o", "made").returncode == 0


def test_check_of_a_package_never_generated_says_the_command(tmp_path: Path) -> None:
    (tmp_path / "my diary.json").write_text(SPEC)
    checked = run(tmp_path, "check", "my diary.json", "--models", "pydantic", "-o", "a/b")
    assert (checked.returncode, checked.stdout) == (3, "")
    assert checked.stderr == (
        "streamdb-gen: there is no package yet at a/b\n"
        "  run: streamdb-gen 'my diary.json' -o a/b --models pydantic\n"
    )


def test_check_says_how_the_package_is_written_anew(project: Path) -> None:
    (project / "diary" / "py.typed").unlink()
    for arguments, command in (
        (["diary.json", "--target", "python"], "streamdb-gen diary.json --target python"),
        ([], "streamdb-gen"),
    ):
        checked = run(project, "check", *arguments)
        assert checked.stderr.endswith(f"is not current\n  to write it anew: {command}\n")


def test_check_shows_the_change_and_not_that_of_marker_lines(project: Path) -> None:
    (project / "diary.json").write_text(SPEC.replace("{", '{"description": "New.",', 1))
    checked = run(project, "check", "diary.json")
    assert "stale: diary/columns.py (the spec has changed; only the first line differs)" in (
        checked.stdout
    )
    assert "columns.py (in the folder)" not in checked.stdout
    assert "client.py (in the folder)" in checked.stdout


def test_changes_by_hand_are_told_when_they_are_overwritten(project: Path) -> None:
    models = project / "diary" / "models.py"
    before = models.read_text()
    models.write_text(before + "# mine\n")
    done = run(project, "diary.json")
    assert (done.returncode, models.read_text()) == (0, before)
    assert "diary/models.py was changed by hand; it has been written anew\n" in done.stderr
    assert run(project, "diary.json").stderr == ""


def test_lint_without_a_spec_takes_those_of_the_configuration(project: Path) -> None:
    (project / "faulty.json").write_text(FAULTY)
    (project / "pyproject.toml").write_text(
        '[[tool.streamdb-gen.targets]]\nschema = "faulty.json"\n'
        '[[tool.streamdb-gen.targets]]\nschema = "faulty.json"\ntarget = "typescript"\n'
        '[[tool.streamdb-gen.targets]]\nschema = "missing.json"\n'
        '[[tool.streamdb-gen.targets]]\nschema = "diary.json"\n'
    )
    done = run(project, "lint", "--format", "json")
    assert done.returncode == 4
    assert [finding["file"] for finding in json.loads(done.stdout)] == ["faulty.json"]
    assert done.stderr == "streamdb-gen: cannot read missing.json: no such file or folder\n"
    (project / "pyproject.toml").unlink()
    assert "no spec is given" in run(project, "lint").stderr


def test_permissions_are_told(open_folder: Path) -> None:
    (open_folder / "diary.json").write_text(SPEC)
    assert run(open_folder, "lint", "diary.json").returncode == 0
    (open_folder / "diary.json").chmod(0)
    done = run_without_privileges(open_folder, "lint", "diary.json")
    assert done.returncode == 2
    assert done.stderr.startswith("streamdb-gen: cannot read diary.json: permission denied\n")


def test_a_bad_configuration_is_told_with_its_line(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.streamdb-gen]\nschema = 1\n")
    done = run(project)
    assert done.returncode == 2
    assert "pyproject.toml:2: `schema`" in done.stderr


def test_findings_are_exit_code_4_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "faulty.json").write_text(FAULTY)
    done = run(tmp_path, "faulty.json")
    assert done.returncode == 4
    assert "faulty.json:4:" in done.stderr
    assert not (tmp_path / "faulty").exists()


def test_lint_prints_findings_in_each_format(tmp_path: Path) -> None:
    (tmp_path / "faulty.json").write_text(FAULTY)
    outputs = {
        name: run(tmp_path, "lint", "faulty.json", "--format", name)
        for name in ("text", "json", "github", "sarif")
    }
    assert {done.returncode for done in outputs.values()} == {4}
    (finding,) = json.loads(outputs["json"].stdout)
    rule, line, column = finding["rule"], finding["line"], finding["column"]
    assert outputs["text"].stdout.startswith(f"faulty.json:{line}:{column}: error: ")
    assert f"[{rule}]" in outputs["text"].stdout
    place = f"::error file=faulty.json,line={line},col={column},title={rule}::"
    assert outputs["github"].stdout.startswith(place)
    (result,) = json.loads(outputs["sarif"].stdout)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == (rule, "error")
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"]) == (line, column)


def test_lint_of_a_good_spec(project: Path) -> None:
    done = run(project, "lint", "diary.json")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_other_verbs(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, "meta-schema").stdout)["$id"] == "urn:streamdb:spec:v1"
    explained = run(tmp_path, "explain", "row_closed")
    assert explained.returncode == 0
    assert explained.stdout.startswith("ROW_CLOSED (warning): ")
    listed = run(tmp_path, "explain").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(RULES)
    for code in ("0 fine", "2 wrong usage", "3 a package", "4 errors", "70 a fault"):
        assert code in " ".join(run(tmp_path, "--help").stdout.split())
    assert run(tmp_path, "--version").stdout.startswith("streamdb-gen, version ")
    for verb in ("generate", "check", "lint", "meta-schema", "explain"):
        assert verb in run(tmp_path, "--help").stdout
        assert verb in run(tmp_path, "-h").stdout


@pytest.mark.parametrize("package", ["click", "jinja2", "jsonschema_rs"])
def test_without_the_extra_one_line_names_it(tmp_path: Path, package: str) -> None:
    """A module of that name that cannot be imported stands for one that is not installed."""
    (tmp_path / f"{package}.py").write_text(
        f"raise ModuleNotFoundError('No module named {package}', name={package!r})"
    )
    done = run_process(tmp_path, "diary.json", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == (
        f"streamdb-gen: {package} is not installed: pip install 'streamdb[gen]', or, in a "
        "checkout, pip install '.[gen]'\n"
    )


def test_a_fault_of_ours_asks_for_a_report(project: Path) -> None:
    program = (
        "import streamdb_gen.api as api\n"
        "def broken(*given): raise RuntimeError('planted')\n"
        "api.generate = broken\n"
        "from streamdb_gen.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "diary.json"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70
    assert "RuntimeError: planted" in done.stderr
    assert "please report it" in done.stderr


def test_control_characters_of_a_users_text_do_not_reach_the_terminal(tmp_path: Path) -> None:
    name = "a\x1b[31m\u202eb.json"
    done = run(tmp_path, name)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\u202e" not in done.stderr


def test_output_that_the_locale_cannot_show_is_escaped(project: Path) -> None:
    (project / "diary.json").write_text(SPEC.replace('"text"', '"té日本"'))
    done = run_process(project, "check", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_no_fault(project: Path) -> None:
    command = f"{sys.executable} -m streamdb_gen meta-schema | head -1"
    done = subprocess.run(
        command, shell=True, cwd=project, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "{"
    assert done.stderr == ""


@pytest.mark.parametrize("verb", ["meta-schema", "explain", "--help"])
def test_whoever_reads_may_have_enough(tmp_path: Path, verb: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "streamdb_gen", verb]
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
