"""Which targets a command line means, and the command line that means a target.

The configuration is asked even when a spec is given: what it says of that spec counts, as far as
the command line says nothing else.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from streamdb_gen.config import Target, find_config, load_config
from streamdb_gen.problems import Problem
from streamdb_gen.targets.choices import Models, TargetName

_COMMAND: Final = "streamdb-gen"


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says of the target; without a spec, the configuration says it all."""

    spec: Path | None = None
    out: Path | None = None
    language: TargetName | None = None
    models: Models | None = None

    def command(self) -> str:
        """The command line that writes what is meant.

        >>> Given(Path("my spec.json"), models="pydantic").command()
        "streamdb-gen 'my spec.json' --models pydantic"
        """
        return _command_line(self.spec, self.out, self.language, self.models)


def targets(given: Given) -> tuple[Target, ...] | Problem:
    """The targets that are meant, one at least."""
    if given.language == "typescript" and given.models is not None:
        return Problem("--models goes with Python packages", "leave out one of the two")
    if given.spec is not None:
        return _of_spec(given.spec, given)
    for option, value, example in (
        ("--out", given.out, "DIR"),
        ("--target", given.language, given.language),
        ("--models", given.models, given.models),
    ):
        if value is not None:
            return Problem(
                f"{option} goes with a spec",
                f"streamdb-gen SPEC {option} {example}, or write it into the configuration",
            )
    config = load_config(Path.cwd())
    return config if isinstance(config, Problem) else config.targets


def models_command(target: Target, models: Models) -> str:
    """The command line that gives a Python package rows of that kind."""
    out = None if target.out is None else from_here(target.out)
    return _command_line(from_here(target.schema), out, None, models)


def from_here(path: Path) -> Path:
    """The path as one is used to write it: relative, if it is below the current folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _of_spec(spec: Path, given: Given) -> tuple[Target, ...] | Problem:
    """The configured targets of a spec that are meant; without any, what the command line says."""
    config = find_config(Path.cwd())
    if isinstance(config, Problem):
        return config
    # Rows of a kind are asked for of Python packages only.
    language = given.language or (None if given.models is None else "python")
    configured = [
        replace(target, schema=spec, models=given.models or target.models)
        for target in (config.targets if config is not None else ())
        if _is_same(spec, target.schema)
        and language in (None, target.language)
        and (given.out is None or (target.out is not None and _is_same(given.out, target.out)))
    ]
    if configured:
        return tuple(configured)
    return (Target(spec, given.out, language or "python", given.models or "msgspec"),)


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _command_line(
    spec: Path | None, out: Path | None, language: TargetName | None, models: Models | None
) -> str:
    options = {"-o": out, "--target": language, "--models": models}
    words = [_COMMAND, *([str(spec)] if spec is not None else [])]
    for option, value in options.items():
        words += [option, str(value)] if value is not None else []
    return shlex.join(words)
