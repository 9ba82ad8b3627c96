"""What the tests need and the repository does not hold: other people's schemas and test suites.

They come from the package registry, by pip, once: into `.downloads/`, which git ignores. A folder
there is named by the digest of what it was made from and never changes, so runs beside each other
can share it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).parent
_DOWNLOADS: Final = _HERE / ".downloads"
_REQUIREMENTS: Final = _HERE / "requirements.txt"
_EXPORT: Final = _HERE / "export_types.py"


@cache
def packages() -> Path:
    """The folder with the packages of `requirements.txt`.

    :raises RuntimeError: pip failed; the message holds its own.
    """
    return _made_once("packages", _REQUIREMENTS.read_text("utf-8"), _install)


@cache
def exported_types() -> dict[str, Any]:
    """The JSON Schemas that pydantic makes of the types in `export_types.py`, by name.

    :raises RuntimeError: the export failed; the message holds its own.
    """
    made_from = _REQUIREMENTS.read_text("utf-8") + _EXPORT.read_text("utf-8")
    exported = _made_once("types", made_from, _export_types) / "types.json"
    schemas: dict[str, Any] = json.loads(exported.read_text("utf-8"))
    return schemas


@cache
def jsonschema_source() -> Path:
    """The source distribution of the installed `jsonschema`, a `.tar.gz`: it has the test suite.

    :raises RuntimeError: pip failed; the message holds its own.
    """
    requirement = f"jsonschema=={version('jsonschema')}"
    folder = _made_once("jsonschema", requirement, lambda into: _download(requirement, into))
    (archive,) = folder.glob("*.tar.gz")
    return archive


def _made_once(name: str, made_from: str, make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` fills, unless an earlier run has filled it."""
    python = f"{sys.implementation.cache_tag} {sys.platform}"
    digest = hashlib.sha256(f"{python}\n{made_from}".encode()).hexdigest()
    folder = _DOWNLOADS / f"{name}-{digest[:16]}"
    if folder.exists():
        return folder
    _DOWNLOADS.mkdir(exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=_DOWNLOADS))
    try:
        make(unfinished)
        unfinished.rename(folder)
    except OSError:
        if not folder.exists():  # otherwise another run was quicker
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _install(into: Path) -> None:
    options = ("--no-deps", "--no-compile", "--target", str(into))
    _pip("install", *options, "--requirement", str(_REQUIREMENTS))


def _download(requirement: str, into: Path) -> None:
    _pip("download", "--no-deps", "--no-binary", "jsonschema", "--dest", str(into), requirement)


def _pip(*arguments: str) -> None:
    _run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments])


def _export_types(into: Path) -> None:
    exported = _run([sys.executable, str(_EXPORT)], PYTHONPATH=str(packages()))
    (into / "types.json").write_text(exported, "utf-8")


def _run(command: list[str], **environment: str) -> str:
    run = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")
    return run.stdout
