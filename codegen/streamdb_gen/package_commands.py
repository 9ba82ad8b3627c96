"""What `generate` and `check` do: compile each spec, and write or check its package."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from streamdb_gen import api
from streamdb_gen.exit_codes import Exit
from streamdb_gen.selection import Given, models_command, targets
from streamdb_gen.terminal import complain, complain_raw, show, show_diff


@dataclass(frozen=True, slots=True)
class Package:
    """A package as the spec gives it now, and where it stands."""

    target: api.Target
    given: Given
    files: dict[str, str]
    folder: Path

    def other_models(self) -> api.Models | None:
        """The kind of the rows that are there, if it is not the one of the target."""
        if self.target.language != "python":
            return None
        present = api.existing_models(self.folder)
        return None if present == self.target.models else present


def each_target(given: Given, act: Callable[[Package], Exit]) -> Exit:
    """Compile the spec, or those of the configuration, and act on each; the worst code counts."""
    found = targets(given)
    if isinstance(found, api.Problem):
        complain(found)
        return Exit.USAGE
    return max(_compile(target, given, act) for target in found)


def _compile(target: api.Target, given: Given, act: Callable[[Package], Exit]) -> Exit:
    loaded = api.lint(target.schema)
    if isinstance(loaded, api.Problem):
        complain(loaded)
        return Exit.USAGE
    complain_raw(api.render_text(loaded.findings, loaded.sources))
    if loaded.spec is None:
        return Exit.FINDINGS
    folder = target.out or api.package_folder(target.schema, loaded.spec, target.language)
    problem = api.models_problem(loaded.spec, target.models) or api.folder_problem(
        folder, target.language, named_by_spec=target.out is None
    )
    if problem:
        complain(problem)
        return Exit.USAGE
    files = api.generate(loaded.spec, target.language, target.models)
    return act(Package(target, given, files, folder))


def write_package(package: Package) -> Exit:
    """Write a package; only files that streamdb-gen made are touched."""
    folder, models, present = package.folder, package.target.models, package.other_models()
    if present is not None and package.given.models is None:
        message = f"{folder} was written with --models {present}, and would be with {models} now"
        hint = f"to keep it: {models_command(package.target, present)}"
        hint += f"\n  to change it: {models_command(package.target, models)}"
        complain(api.Problem(message, hint))
        return Exit.USAGE
    report = api.write(package.files, folder)
    if isinstance(report, api.Problem):
        complain(report)
        return Exit.USAGE
    _list("wrote", report.written, folder)
    _list("removed", report.removed, folder)
    _list("kept, for it was changed by hand:", report.kept, folder)
    for name in report.overwritten:
        message = f"{folder / name} was changed by hand; it has been written anew"
        complain(api.Problem(message, "change the spec, or extend the classes elsewhere"))
    if not (report.written or report.removed):
        show(f"{folder} is current")
    return Exit.FINE


def _list(verb: str, names: Iterable[str], folder: Path) -> None:
    for name in names:
        show(f"{verb} {folder / name}")


def check_package(package: Package) -> Exit:
    """Say whether a package is current, and how it differs."""
    folder, present = package.folder, package.other_models()
    states = api.check(package.files, folder)
    if isinstance(states, api.Problem):
        complain(states)
        return Exit.USAGE
    command = package.given.command()
    if all(state.state == "missing" for state in states):
        complain(api.Problem(f"there is no package yet at {folder}", f"run: {command}"))
        return Exit.STALE
    outdated = [state for state in states if state.state != "current"]
    for state in outdated:
        reason = f" ({state.reason})" if state.reason else ""
        show(f"{state.state}: {folder / state.name}{reason}")
        show_diff(state.diff)
    if not outdated:
        return Exit.FINE
    problem = api.Problem(f"{folder} is not current", f"to write it anew: {command}")
    if present is not None:
        models = package.target.models
        message = f"{folder} was written with --models {present}, and is checked with {models}"
        hint = f"to write it anew: {models_command(package.target, models)}"
        problem = api.Problem(message, hint)
    complain(problem)
    return Exit.STALE
