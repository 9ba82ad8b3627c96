"""Current, edited, stale, missing, orphaned, foreign: what `check` tells apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb_gen.folder import Folder
from streamdb_gen.marker import digest, read_marker, stamp
from streamdb_gen.package_state import FileState, package_state
from streamdb_gen.package_writer import WriteReport, write_package


def package(spec: str = "{}\n", body: str = "x = 1\n", version: str = "1.0") -> dict[str, str]:
    names = ("__init__.py", "client.py", "models.py")
    modules = {name: stamp(name, f"# {name}\n{body}", version, digest(spec)) for name in names}
    return {"schema.json": spec, "py.typed": "", **modules}


def states(path: Path, files: dict[str, str]) -> dict[str, FileState]:
    with Folder(path) as folder:
        return {state.name: state for state in package_state(folder, files)}


def outdated(path: Path, files: dict[str, str]) -> dict[str, str]:
    found = states(path, files)
    return {name: state.state for name, state in found.items() if state.state != "current"}


def test_what_was_just_written_is_current(tmp_path: Path) -> None:
    write_package(tmp_path, package())
    assert outdated(tmp_path, package()) == {}


def test_no_folder_means_that_all_is_missing() -> None:
    assert {state.state for state in package_state(None, package())} == {"missing"}


@pytest.mark.parametrize("name", ["models.py", "schema.json", "py.typed", "__init__.py"])
def test_a_file_changed_by_hand_is_edited_and_the_diff_says_how(tmp_path: Path, name: str) -> None:
    write_package(tmp_path, package())
    with (tmp_path / name).open("a") as file:
        file.write("# by hand\n")
    assert outdated(tmp_path, package()) == {name: "edited"}
    assert "-# by hand\n" in states(tmp_path, package())[name].diff


@given(st.data())
def test_any_edited_byte_behind_the_marker_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("package")
    write_package(path, package())
    file = path / "models.py"
    content = bytearray(file.read_bytes())
    position = data.draw(st.integers(content.index(b"\n") + 1, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    assert outdated(path, package()) == {"models.py": "edited"}


def test_after_a_change_of_the_spec_all_is_stale(tmp_path: Path) -> None:
    write_package(tmp_path, package())
    found = states(tmp_path, package(spec="[]\n"))
    assert {name for name, state in found.items() if state.state == "stale"} == {
        "schema.json",
        "__init__.py",
        "client.py",
        "models.py",
    }
    assert found["models.py"].reason == "the spec has changed; only the first line differs"
    assert found["models.py"].diff == ""
    assert found["schema.json"].reason == "the spec has changed"
    assert "-{}\n+[]\n" in found["schema.json"].diff


def test_a_file_of_another_version_is_stale(tmp_path: Path) -> None:
    write_package(tmp_path, package(version="0.9"))
    found = states(tmp_path, package())
    assert (found["models.py"].state, found["models.py"].reason) == (
        "stale",
        "streamdb-gen 0.9 wrote it; only the first line differs",
    )


def test_a_file_whose_text_changes_too_is_shown_with_the_diff(tmp_path: Path) -> None:
    write_package(tmp_path, package())
    found = states(tmp_path, package(spec="[]\n", body="x = 2\n"))
    assert found["models.py"].reason == "the spec has changed"
    assert "-x = 1\n+x = 2\n" in found["models.py"].diff


def test_edited_and_stale_at_once_is_edited(tmp_path: Path) -> None:
    write_package(tmp_path, package())
    for name in ("models.py", "schema.json"):
        with (tmp_path / name).open("a") as file:
            file.write("# by hand\n")
    found = outdated(tmp_path, package(spec="[]\n"))
    assert (found["models.py"], found["schema.json"]) == ("edited", "edited")
    assert found["client.py"] == "stale"


def test_a_deleted_file_is_missing_and_an_added_one_orphaned_if_it_is_ours(tmp_path: Path) -> None:
    write_package(tmp_path, package() | {"old.py": stamp("old.py", "", "1.0", digest("{}\n"))})
    (tmp_path / "models.py").unlink()
    (tmp_path / "mine.py").write_text("x = 1\n")
    (tmp_path / "__pycache__").mkdir()
    assert outdated(tmp_path, package()) == {"models.py": "missing", "old.py": "orphaned"}


def test_a_package_of_another_target_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    typescript = {
        name: stamp(name, f"export {{}};\n// {name}\n", "1.0", digest("{}\n"))
        for name in ("index.ts", "models.ts", "old.ts")
    }
    for files in (package(), typescript):
        write_package(tmp_path, files)
    assert outdated(tmp_path, package()) == {}
    del typescript["old.ts"]
    assert outdated(tmp_path, typescript) == {"old.ts": "orphaned"}
    assert write_package(tmp_path, typescript) == WriteReport(
        (), tuple(typescript), ("old.ts",), ()
    )


def test_a_file_of_typescript_carries_its_marker_in_its_own_kind_of_comment() -> None:
    text = stamp("index.ts", "export {};\n", "1.0", "0" * 16)
    assert text.startswith("// Generated by streamdb-gen 1.0, do not edit. ")
    marker = read_marker(text)
    assert marker is not None
    assert marker.intact


def test_a_file_without_marker_is_foreign(tmp_path: Path) -> None:
    write_package(tmp_path, package())
    (tmp_path / "models.py").write_text("mine\n")
    assert outdated(tmp_path, package()) == {"models.py": "foreign"}


def test_the_marker_covers_itself() -> None:
    text = stamp("models.py", "x = 1\n", "1.0", "0" * 16)
    marker = read_marker(text)
    assert marker is not None
    assert marker.intact
    forged = read_marker(text.replace("spec:0", "spec:1"))
    assert forged is not None
    assert not forged.intact


@pytest.mark.parametrize("replaced", range(4))
def test_a_run_killed_in_the_middle_leaves_what_check_calls_stale(
    tmp_path: Path, replaced: int
) -> None:
    """The process dies after so many files are in place: no clean-up of any kind runs."""
    write_package(tmp_path, package())
    program = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from streamdb_gen import package_writer
import test_package_state as tests
done = 0
replace = os.replace
def dying(*args, **kwargs):
    global done
    if done == {replaced}:
        os._exit(9)
    done += 1
    replace(*args, **kwargs)
os.replace = dying
package_writer.write_package(Path({str(tmp_path)!r}), tests.package(spec="[]\\n"))
"""
    died = subprocess.run([sys.executable, "-c", program], env=os.environ, check=False)
    assert died.returncode == 9
    found = outdated(tmp_path, package(spec="[]\n"))
    assert found["__init__.py"] == "stale"
    assert set(found.values()) <= {"stale", "orphaned"}
    write_package(tmp_path, package(spec="[]\n"))
    assert outdated(tmp_path, package(spec="[]\n")) == {}
