"""What the peers are installed from.

`overrides` in package.json holds back an optional native helper of the reference server: its
newest release is not out for every platform, and `npm ci` refuses a lock file with such holes.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from tests.interop.node import FOLDER

_PACKAGE: Final[dict[str, Any]] = json.loads((FOLDER / "package.json").read_text())
_LOCK: Final[dict[str, Any]] = json.loads((FOLDER / "package-lock.json").read_text())


def test_versions_are_exact() -> None:
    for version in _PACKAGE["dependencies"].values():
        assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version)


def test_the_lock_file_is_of_this_package() -> None:
    assert _LOCK["packages"][""]["dependencies"] == _PACKAGE["dependencies"]


def test_the_lock_file_names_no_registry() -> None:
    """Whoever installs uses a registry of their own; the digests say what they must get."""
    packages = {name: package for name, package in _LOCK["packages"].items() if name}
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []
