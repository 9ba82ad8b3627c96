"""The files below the folder of a spec, to which its schemas may refer; nothing else is opened."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urljoin

from streamdb.state.schema_document import without_surrogates
from streamdb.state.spec_text import SpecText, read_spec_text

_FILES: Final = "file:///"  # stands for the folder
_MOST_FILES: Final = 1000


def address_of(path: str) -> str:
    """Return the base of the references in a file, given by its path below the folder.

    >>> address_of("parts/my file.json")
    'file:///parts/my%20file.json'
    """
    return _FILES + quote(without_surrogates(path))


def joined(base: str, reference: str) -> str | None:
    """Make a reference absolute; None if it is none, such as one to half an IPv6 address."""
    try:
        return urljoin(base, reference)
    except ValueError:
        return None


class SpecFolder:
    """Opens files by references to them."""

    def __init__(self, spec: Path) -> None:
        self._folder = spec.parent
        self._opened: dict[str, SpecText | str] = {}

    def path_to(self, reference: str, base: str) -> str | None:
        """Return the path below the folder that a reference of a file is to, if it is to one."""
        is_relative = base.startswith(_FILES) and not reference.startswith("/")
        absolute = joined(_FILES, reference) if is_relative else None
        is_file = absolute is not None and absolute.startswith("file:")
        if not is_file or reference.partition(":")[0] == "file":
            return None
        above = posixpath.dirname(unquote(base.removeprefix(_FILES)))
        path = posixpath.normpath(posixpath.join(above, unquote(reference)))
        return None if path == ".." or path.startswith(("../", "/")) else path

    def open(self, path: str) -> SpecText | str:
        """Return a file, or why there is none.

        Raises:
            SpecError: it is there, and is not JSON.
        """
        if path not in self._opened:
            if len(self._opened) >= _MOST_FILES:
                return f"a spec may refer to {_MOST_FILES} files"
            self._opened[path] = self._read(path)
        return self._opened[path]

    def _read(self, path: str) -> SpecText | str:
        file = self._folder / path
        try:
            if not file.resolve(strict=True).is_relative_to(self._folder.resolve()):
                return "it lies outside the spec's folder"
            if not file.is_file():
                return "it is no regular file"
        except OSError as error:
            return os.strerror(error.errno or 0).lower()
        except (ValueError, RuntimeError):  # a null character; links in a circle
            return "the path is not possible"
        return read_spec_text(file)
