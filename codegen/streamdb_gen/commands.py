"""The commands of `streamdb-gen`, over the functions of :mod:`streamdb_gen.api`."""

from __future__ import annotations

import difflib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

import click

from streamdb_gen import api
from streamdb_gen.exit_codes import Exit
from streamdb_gen.finding_formats import FORMATS
from streamdb_gen.package_commands import check_package, each_target, write_package
from streamdb_gen.selection import Given, from_here, targets
from streamdb_gen.spec_first import SpecFirst
from streamdb_gen.terminal import (
    OutputClosed,
    complain,
    complain_raw,
    give_output_up,
    show,
    show_raw,
)

_INTERRUPTED: Final = 130


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
    cls=SpecFirst,
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
    return each_target(
        Given(spec, out, language, models), check_package if only_check else write_package
    )


@_group.command()
@_spec
@_out
@_target
@_models
def check(
    spec: Path | None, out: Path | None, language: api.TargetName | None, models: api.Models | None
) -> Exit:
    """Say whether the package is what the spec gives now, and how it differs."""
    return each_target(Given(spec, out, language, models), check_package)


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


def _has_errors(loaded: api.LoadedSpec) -> bool:
    return any(finding.severity == "error" for finding in loaded.findings)
