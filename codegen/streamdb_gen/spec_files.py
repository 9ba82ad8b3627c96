"""The files of one spec: the spec itself, and those below its folder that it refers to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from streamdb_gen.json_scanner import Fault, scan
from streamdb_gen.json_source import Place, Source
from streamdb_gen.problems import file_problem
from streamdb_gen.reporting import Report

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MAX_FILES: Final = 1000


def read_document(text: bytes | str, file: str, report: Report) -> Place | None:
    """Read the text of a file, reporting every fault of it; None if it has no value."""
    decoded, encoding_fault = _decoded(text)
    scanned = scan(decoded)
    report.open_file(file, Source(decoded), scanned.broken)
    if encoding_fault is not None:
        report.add_faults(file, [encoding_fault])
    if encoding_fault is None or scanned.root is not None:
        # Of a file in another encoding nothing more is worth saying.
        report.add_faults(file, scanned.faults)
    return Place(scanned.root, file=file) if scanned.root is not None else None


class SpecFiles:
    """Opens files by their path relative to the folder of a spec, and none outside it.

    Where the spec has no folder (it is a text), there are none.
    """

    def __init__(self, spec: Path | None, report: Report) -> None:
        self._folder = spec.parent if spec is not None else None
        self._report = report
        self._opened = 0

    def open(self, path: str) -> Place | str:
        """The whole file; or why it cannot be read."""
        if self._folder is None:
            return "the spec is no file, so there is no folder to look in"
        if self._opened >= _MAX_FILES:
            return f"a spec may refer to {_MAX_FILES} files"
        self._opened += 1
        file = self._folder / path
        try:
            if not file.resolve(strict=True).is_relative_to(self._folder.resolve()):
                return "it lies outside the spec's folder"
            if not file.is_file():
                return "it is no regular file"
            text = file.read_bytes()
        except (OSError, ValueError, RuntimeError) as error:
            if isinstance(error, OSError):
                return file_problem("read", path, error).message.rpartition(": ")[2]
            return "the path is not possible"
        return read_document(text, str(file), self._report) or "it is not JSON"


def _decoded(text: bytes | str) -> tuple[str, Fault | None]:
    """The text, with the replacement character where it is not UTF-8, and the first such place."""
    if isinstance(text, str):
        bad = _SURROGATE.search(text)
        if bad is None:
            return text, None
        return _SURROGATE.sub("\ufffd", text), _encoding_fault(bad.start())
    try:
        return text.decode("utf-8"), None
    except UnicodeDecodeError as error:
        return text.decode("utf-8", "replace"), _encoding_fault(len(text[: error.start].decode()))


def _encoding_fault(offset: int) -> Fault:
    return Fault("JSON_ENCODING", offset, "", "this is not UTF-8", "save the file as UTF-8")
