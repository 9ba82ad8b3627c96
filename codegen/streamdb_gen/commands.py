"""The commands of `streamdb-gen`, over the functions of :mod:`streamdb_gen.api`.

Exit codes: 0 fine, 2 usage, 3 the package is not current, 4 findings, 70 a fault of ours.
"""

from __future__ import annotations

import enum
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import click

from streamdb_gen import api
from streamdb_gen.finding_formats import FORMATS
from streamdb_gen.terminal import (
    complain,
    complain_raw,
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
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us went away
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


class _SpecFirst(click.Group):
    """A group for which `generate` may be left out: `streamdb-gen schema.json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in self.commands and first not in _NOT_VERBS:
            args = ["generate", *args]
        return super().parse_args(ctx, args)


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
    return _each_target(_Given(spec, out, language, models), _check if only_check else _write)


@_group.command()
@_spec
@_out
@_target
@_models
def check(
    spec: Path | None, out: Path | None, language: api.TargetName | None, models: api.Models | None
) -> Exit:
    """Say whether the package is what the spec gives now, and how it differs."""
    return _each_target(_Given(spec, out, language, models), _check)


@_group.command()
@click.argument("spec", type=_PATH)
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
def lint(spec: Path, format_: str, fix: bool) -> Exit:
    """Find every fault of a spec."""
    loaded = _fixed(spec) if fix else api.lint(spec)
    if isinstance(loaded, api.Problem):
        complain(loaded)
        return Exit.USAGE
    if format_ == "text":
        show_raw(api.render_text(loaded.findings, loaded.sources))
    else:
        show_raw(FORMATS[format_](loaded.findings))
    return Exit.FINDINGS if _has_errors(loaded) else Exit.FINE


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
@click.argument("rule")
def explain(rule: str) -> Exit:
    """Say what a rule of `lint` means."""
    found = api.RULES.get(rule.upper())
    if found is None:
        complain(api.Problem(f"there is no rule {rule}", f"rules: {', '.join(api.RULES)}"))
        return Exit.USAGE
    show(f"{found.id} ({found.severity}): {found.title}\n\n{found.explanation}")
    show(f"\nFor example:\n\n    {found.example}\n\nWays out:\n")
    for way in found.ways_out:
        show(f"  - {way}")
    return Exit.FINE


@dataclass(frozen=True, slots=True)
class _Given:
    """What the command line says of the target; without a spec, the configuration says it all."""

    spec: Path | None
    out: Path | None
    language: api.TargetName | None
    models: api.Models | None


def _each_target(given: _Given, act: Callable[[dict[str, str], Path], Exit]) -> Exit:
    """Compile the spec, or those of the configuration, and act on each; the worst code counts."""
    targets = _targets(given)
    if isinstance(targets, api.Problem):
        complain(targets)
        return Exit.USAGE
    return max(_compile(target, act) for target in targets)


def _targets(given: _Given) -> tuple[api.Target, ...] | api.Problem:
    if given.language == "typescript" and given.models is not None:
        return api.Problem("--models goes with Python packages", "leave out one of the two")
    if given.spec is not None:
        return (
            api.Target(
                given.spec, given.out, given.language or "python", given.models or "msgspec"
            ),
        )
    for option, value, example in (
        ("--out", given.out, "DIR"),
        ("--target", given.language, given.language),
        ("--models", given.models, given.models),
    ):
        if value is not None:
            return api.Problem(
                f"{option} goes with a spec",
                f"streamdb-gen SPEC {option} {example}, or write it into the configuration",
            )
    config = api.load_config(Path.cwd())
    return config if isinstance(config, api.Problem) else config.targets


def _compile(target: api.Target, act: Callable[[dict[str, str], Path], Exit]) -> Exit:
    loaded = api.lint(target.schema)
    if isinstance(loaded, api.Problem):
        complain(loaded)
        return Exit.USAGE
    complain_raw(api.render_text(loaded.findings, loaded.sources))
    if loaded.spec is None:
        return Exit.FINDINGS
    if problem := api.models_problem(loaded.spec, target.models):
        complain(problem)
        return Exit.USAGE
    folder = target.out or api.package_folder(target.schema, loaded.spec, target.language)
    return act(api.generate(loaded.spec, target.language, target.models), folder)


def _write(files: dict[str, str], folder: Path) -> Exit:
    report = api.write(files, folder)
    if isinstance(report, api.Problem):
        complain(report)
        return Exit.USAGE
    _list("wrote", report.written, folder)
    _list("removed", report.removed, folder)
    _list("kept, for it was changed by hand:", report.kept, folder)
    if not (report.written or report.removed):
        show(f"{folder} is current")
    return Exit.FINE


def _list(verb: str, names: Iterable[str], folder: Path) -> None:
    for name in names:
        show(f"{verb} {folder / name}")


def _check(files: dict[str, str], folder: Path) -> Exit:
    states = api.check(files, folder)
    if isinstance(states, api.Problem):
        complain(states)
        return Exit.USAGE
    outdated = [state for state in states if state.state != "current"]
    for state in outdated:
        reason = f" ({state.reason})" if state.reason else ""
        show(f"{state.state}: {folder / state.name}{reason}")
        show_diff(state.diff)
    if outdated:
        complain(api.Problem(f"{folder} is not current", "run streamdb-gen to write it anew"))
    return Exit.STALE if outdated else Exit.FINE


def _has_errors(loaded: api.LoadedSpec) -> bool:
    return any(finding.severity == "error" for finding in loaded.findings)
