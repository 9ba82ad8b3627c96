"""Writing a package: whole files, only our own, and never through a link."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamdb_gen.marker import digest, stamp
from streamdb_gen.package_writer import WriteReport, write_package
from streamdb_gen.problems import Problem


def package(spec: str = "{}\n", **modules: str) -> dict[str, str]:
    """Files as the compiler makes them: stamped modules, the spec, the empty marker of types."""
    modules = {"__init__": "x = 1\n", "models": "y = 2\n", **modules}
    stamped = {
        f"{name}.py": stamp(f"{name}.py", body, "1.0", digest(spec))
        for name, body in modules.items()
    }
    return {"schema.json": spec, "py.typed": "", **stamped}


def write(path: Path, files: Mapping[str, str]) -> WriteReport:
    report = write_package(path, files)
    assert isinstance(report, WriteReport), report
    return report


def contents(path: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in path.iterdir()}


def test_a_new_package_is_written_with_its_init_last(tmp_path: Path) -> None:
    report = write(tmp_path / "a" / "b", package())
    assert contents(tmp_path / "a" / "b") == package()
    assert report.written[-1] == "__init__.py"
    assert sorted(report.written) == sorted(package())


def test_files_that_are_current_are_not_touched(tmp_path: Path) -> None:
    write(tmp_path, package())
    before = {file.name: file.stat().st_ino for file in tmp_path.iterdir()}
    report = write(tmp_path, package(models="y = 3\n"))
    after = {file.name: file.stat().st_ino for file in tmp_path.iterdir()}
    assert report.written == ("models.py",)
    assert {name for name in before if before[name] != after[name]} == {"models.py"}


def test_edited_files_of_ours_are_written_anew(tmp_path: Path) -> None:
    write(tmp_path, package())
    for name in ("models.py", "schema.json", "py.typed"):
        with (tmp_path / name).open("a") as file:
            file.write("# edited\n")
    report = write(tmp_path, package())
    assert contents(tmp_path) == package()
    assert set(report.overwritten) == {"models.py", "schema.json", "py.typed"}
    assert write(tmp_path, package(models="y = 3\n")).overwritten == ()


@pytest.mark.parametrize("name", ["models.py", "schema.json", "py.typed", "__init__.py"])
def test_a_file_that_is_not_ours_is_never_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine\n")
    problem = write_package(tmp_path, package())
    assert isinstance(problem, Problem)
    assert name in problem.message
    assert contents(tmp_path) == {name: "mine\n"}


@pytest.mark.parametrize("name", ["models.py", "schema.json", "py.typed"])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, name: str) -> None:
    target, out = tmp_path / "target", tmp_path / "out"
    target.write_text(package()[name])
    write(out, package())
    (out / name).unlink()
    (out / name).symlink_to(target)
    problem = write_package(out, package(spec="[]\n", models="z = 9\n"))
    assert isinstance(problem, Problem)
    assert f"{name}: a symbolic link" in problem.message
    assert target.read_text() == package()[name]


def test_the_folder_itself_is_no_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    problem = write_package(tmp_path / "out", package())
    assert isinstance(problem, Problem)
    assert list((tmp_path / "real").iterdir()) == []


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models.py").mkdir()
    problem = write_package(tmp_path, package())
    assert isinstance(problem, Problem)
    assert "models.py: not a regular file" in problem.message


def test_orphans_of_ours_are_removed_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, package(old="a = 1\n", old_edited="b = 1\n"))
    with (tmp_path / "old_edited.py").open("a") as file:
        file.write("# mine\n")
    (tmp_path / "mine.py").write_text("c = 1\n")
    (tmp_path / ".streamdb-gen-0123").write_text("left by a crash")
    report = write(tmp_path, package())
    assert set(report.removed) == {"old.py", ".streamdb-gen-0123"}
    assert report.kept == ("old_edited.py",)
    assert set(contents(tmp_path)) == {*package(), "old_edited.py", "mine.py"}


def test_a_file_in_the_place_of_the_folder_is_a_problem_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    problem = write_package(tmp_path / "out", package())
    assert isinstance(problem, Problem)
    assert "is not a folder" in problem.message


def test_a_folder_that_cannot_be_written_is_a_problem_and_no_traceback(open_folder: Path) -> None:
    path = open_folder / "out"
    path.mkdir()
    with owner_without_privileges(path):
        assert isinstance(write_package(path, package()), WriteReport)
        path.chmod(0o500)
        problem = write_package(path, package(models="z = 9\n"))
    assert isinstance(problem, Problem)
    assert problem.message == f"cannot write {path}: permission denied"
    assert contents(path) == package()


@contextmanager
def owner_without_privileges(folder: Path) -> Generator[None]:
    """Act as a user whom permissions bind, which root is not; the folder is that user's."""
    if os.geteuid() != 0:
        yield
        return
    nobody = 65534
    os.chown(folder, nobody, nobody)
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_failed_write_leaves_no_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, package())
    synced: list[int] = []

    def full_disk(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    problem = write_package(tmp_path, package(spec="[]\n"))
    assert isinstance(problem, Problem)
    assert "the disk is full" in problem.message
    assert contents(tmp_path) == package()
