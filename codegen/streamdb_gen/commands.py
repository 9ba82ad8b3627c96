"""The commands of `streamdb-gen`, over the functions of :mod:`streamdb_gen.api`.

Exit codes: 0 fine, 2 usage, 3 the package is not current, 4 findings, 70 a fault of ours.
"""

from __future__ import annotations

import difflib
import enum
import os
import sys
import traceback
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import click

from streamdb_gen import api
from streamdb_gen.finding_formats import FORMATS
from streamdb_gen.selection import Given, from_here, models_command, targets
from streamdb_gen.terminal import (
    OutputClosed,
    complain,
    complain_raw,
    give_output_up,
    show,
    show_diff,
    show_raw,
)

_NOT_VERBS: Final = frozenset({"-h", "--help", "--version"})
_INTERRUPTED: Final = 130


class Exit(enum.IntEnum):
    """The exit codes, from fine to worst."""

    FINE = 0
    USAGE = 2
    STALE = 3
    FINDINGS = 4
    FAULT = 70


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; nothing but `SystemExit` of click passes."""
    for stream in (sys.stdout, sys.stderr):
        if callable(reconfigure := getattr(stream, "reconfigure", None)):
            reconfigure(errors="backslashreplace")
    try:
        return int(_group.main(list(arguments), "streamdb-gen", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except click.Abort:
        return _INTERRUPTED
    except OutputClosed:
        give_output_up()
        return Exit.FINE
    except Exception:  # noqa: BLE001 - the last resort: a fault of ours, told as such
        traceback.print_exc()
        complain(
            api.Problem(
                f"this is a fault of streamdb-gen {api.version()}, not of yours",
                "please report it, with the lines above and the spec if you can share it",
            )
        )
        return Exit.FAULT


@contextmanager
def _output() -> Generator[None]:
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as error:  # click would make a failure of it
        raise OutputClosed from error


class _SpecFirst(click.Group):
    """A group for which `generate` may be left out: `streamdb-gen schema.json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in self.commands and first not in _NOT_VERBS:
            self._refuse_misspelt(first)
            args = ["generate", *args]
        return super().parse_args(ctx, args)

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        with _output():  # where the option `--help` prints
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> object:
        with _output():
            return super().invoke(ctx)

    def _refuse_misspelt(self, first: str) -> None:
        """Refuse what is no spec and nearly a command."""
        if first.startswith("-") or Path(first).suffix or os.path.lexists(first):
            return
        if near := difflib.get_close_matches(first, self.commands, n=1):
            raise click.UsageError(f"no such command `{first}`; did you mean `{near[0]}`?")


# Whether a path can be read is told by who reads it, with a reason.
_PATH: Final = click.Path(path_type=Path, readable=False)

_spec = click.argument("spec", required=False, type=_PATH)
_out = click.option(
    "-o",
    "--out",
    type=_PATH,
    metavar="DIR",
    help="The folder of the package; otherwise beside the spec, under the spec's name.",
)
_target = click.option(
    "--target",
    "language",
    type=click.Choice(list(api.TARGETS)),
    help="The language of the package.  [default: python]",
)
_models = click.option(
    "--models",
    type=click.Choice(get_args(api.Models)),
    help="What rows of Python packages are made of.  [default: msgspec]",
)


@click.group(
    cls=_SpecFirst,
    invoke_without_command=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 2 wrong usage or a file that cannot be read or written, "
    "3 a package is not current (check), 4 errors in a spec, 70 a fault of streamdb-gen.",
)
@click.version_option(api.version(), prog_name="streamdb-gen")
def _group() -> None:
    """Compile the spec of a stream database into a typed package for Python or TypeScript.

    `streamdb-gen SPEC` is short for `streamdb-gen generate SPEC`. Without a spec, the ones in
    [tool.streamdb-gen] of the nearest pyproject.toml are compiled.
    """


@_group.command()
@_spec
@_out
@_target
@_models
@click.option("--check", "only_check", is_flag=True, help="Write nothing; the same as `check`.")
def generate(
    spec: Path | None,
    out: Path | None,
    language: api.TargetName | None,
    models: api.Models | None,
    only_check: bool,
) -> Exit:
    """Write the package; only files that streamdb-gen made are touched."""
    return _each_target(Given(spec, out, language, models), _check if only_check else _write)


@_group.command()
@_spec
@_out
@_target
@_models
def check(
    spec: Path | None, out: Path | None, language: api.TargetName | None, models: api.Models | None
) -> Exit:
    """Say whether the package is what the spec gives now, and how it differs."""
    return _each_target(Given(spec, out, language, models), _check)


@_group.command()
@_spec
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", *FORMATS]),
    default="text",
    show_default=True,
    help="How findings are printed.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Write into the spec what mends a finding and changes nothing about what it accepts.",
)
def lint(spec: Path | None, format_: str, fix: bool) -> Exit:
    """Find every fault of a spec."""
    specs = _specs(spec)
    if isinstance(specs, api.Problem):
        complain(specs)
        return Exit.USAGE
    results = [_fixed(path) if fix else api.lint(path) for path in specs]
    problems = [result for result in results if isinstance(result, api.Problem)]
    loaded = [result for result in results if not isinstance(result, api.Problem)]
    for problem in problems:
        complain(problem)
    if loaded:
        findings = tuple(finding for one in loaded for finding in one.findings)
        sources = {file: text for one in loaded for file, text in one.sources.items()}
        text = format_ == "text"
        show_raw(api.render_text(findings, sources) if text else FORMATS[format_](findings))
    if any(map(_has_errors, loaded)):
        return Exit.FINDINGS
    return Exit.USAGE if problems else Exit.FINE


def _specs(given: Path | None) -> tuple[Path, ...] | api.Problem:
    """The spec, or those of the configuration, each once."""
    if given is not None:
        return (given,)
    found = targets(Given())
    if isinstance(found, api.Problem):
        return found
    return tuple(dict.fromkeys(from_here(target.schema) for target in found))


def _fixed(spec: Path) -> api.LoadedSpec | api.Problem:
    fixed = api.fix(spec)
    if isinstance(fixed, api.Problem):
        return fixed
    for finding in fixed.findings:
        place = f"{finding.file}:{finding.line}:{finding.column}"
        complain_raw(f"fixed {place}: {finding.message} [{finding.rule}]\n")
    return fixed.loaded


@_group.command("meta-schema")
def meta_schema() -> Exit:
    """Print the JSON Schema of spec files, for editors."""
    show_raw(api.meta_schema_text())
    return Exit.FINE


@_group.command()
@click.argument("rule", required=False)
def explain(rule: str | None) -> Exit:
    """Say what a rule of `lint` means; without one, list all rules."""
    if rule is None:
        for known in api.RULES.values():
            show(f"{known.id} ({known.severity}): {known.title}")
        return Exit.FINE
    found = api.RULES.get(rule.upper())
    if found is None:
        near = difflib.get_close_matches(rule.upper(), api.RULES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"rules: {', '.join(api.RULES)}"
        complain(api.Problem(f"there is no rule {rule}", hint))
        return Exit.USAGE
    show(f"{found.id} ({found.severity}): {found.title}\n\n{found.explanation}")
    show(f"\nFor example:\n\n    {found.example}\n\nWays out:\n")
    for way in found.ways_out:
        show(f"  - {way}")
    return Exit.FINE


@dataclass(frozen=True, slots=True)
class _Package:
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


def _each_target(given: Given, act: Callable[[_Package], Exit]) -> Exit:
    """Compile the spec, or those of the configuration, and act on each; the worst code counts."""
    found = targets(given)
    if isinstance(found, api.Problem):
        complain(found)
        return Exit.USAGE
    return max(_compile(target, given, act) for target in found)


def _compile(target: api.Target, given: Given, act: Callable[[_Package], Exit]) -> Exit:
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
    return act(_Package(target, given, files, folder))


def _write(package: _Package) -> Exit:
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


def _check(package: _Package) -> Exit:
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


def _has_errors(loaded: api.LoadedSpec) -> bool:
    return any(finding.severity == "error" for finding in loaded.findings)
