"""Whether other versions of Python write the same packages, byte for byte.

Run it in the project's folder: `python -m tests.codegen.other_pythons [PYTHON ...]`, with the
interpreters to be tried; without any, python3.11 to python3.13 as far as they are on PATH. Each
gets a virtual environment with the compiler, and checks the committed golden packages.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

_PROJECT: Final = Path(__file__).parent.parent.parent
_GOLDEN: Final = _PROJECT / "tests" / "golden"
_VERSIONS: Final = ("python3.11", "python3.12", "python3.13")


def main() -> None:
    """Print a line for each interpreter and package; exit with 1 where one differs."""
    pythons = sys.argv[1:] or [found for v in _VERSIONS if (found := shutil.which(v))]
    differing = 0
    for python in pythons:
        with tempfile.TemporaryDirectory() as folder:
            command = _installed(python, Path(folder))
            version = _output(python, "--version")
            for what, arguments in _packages():
                done = subprocess.run([*command, "check", *arguments], check=False)
                differing += done.returncode != 0
                print(f"{version}: {what}: {'same' if done.returncode == 0 else 'differs'}")
    sys.exit(1 if differing else 0)


def _packages() -> list[tuple[str, list[str]]]:
    """The committed packages, and how each is checked."""
    found: list[tuple[str, list[str]]] = []
    for spec in sorted(_GOLDEN.glob("*.json")):
        found.append((spec.stem, [str(spec), "-o", str(_GOLDEN / spec.stem)]))
        typescript = _GOLDEN / "typescript" / spec.stem
        if typescript.is_dir():
            arguments = [str(spec), "-o", str(typescript), "--target", "typescript"]
            found.append((f"typescript/{spec.stem}", arguments))
        pydantic = _GOLDEN / f"{spec.stem}_pydantic"
        if pydantic.is_dir():
            arguments = [str(spec), "-o", str(pydantic), "--models", "pydantic"]
            found.append((pydantic.name, arguments))
    return found


def _installed(python: str, folder: Path) -> list[str]:
    """The command of the compiler, installed for that interpreter."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    constraints = ["--constraint", str(_PROJECT / "constraints.txt")]
    subprocess.run([*pip, *constraints, f"{_PROJECT}[gen]"], check=True, capture_output=True)
    return [str(folder / "bin" / "streamdb-gen")]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
