"""A spec file's bytes to the IR, with every finding of one run.

>>> loaded = load_spec_text('{"collections": {}}', "schema.json")
>>> [finding.rule for finding in loaded.findings], loaded.spec
(['SPEC_VALUE'], None)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamdb_gen.findings import Finding
from streamdb_gen.ir import Spec
from streamdb_gen.json_scanner import Fault, scan
from streamdb_gen.json_source import Place, Source
from streamdb_gen.lowering.spec import lower_spec
from streamdb_gen.reporting import Report

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """What came out of one file.

    ``spec`` is None when ``findings`` holds errors; the findings are in the order of the text.
    ``sources`` maps file names to their text, for excerpts (:func:`findings.render_text`).
    """

    spec: Spec | None
    findings: tuple[Finding, ...]
    sources: Mapping[str, str]


def load_spec(path: Path) -> LoadedSpec:
    """Read and compile a spec file.

    :raises OSError: the file cannot be read.
    """
    return load_spec_text(path.read_bytes(), str(path))


def load_spec_text(text: bytes | str, file: str) -> LoadedSpec:
    """Compile a spec; ``file`` is its name in findings, and its default name (up to the first dot).

    Never raises for anything in the text.
    """
    decoded, encoding_fault = _decoded(text)
    source = Source(decoded)
    scanned = scan(decoded)
    report = Report(file, source, scanned.broken)
    if encoding_fault is not None:
        report.add_faults([encoding_fault])
    if encoding_fault is None or scanned.root is not None:
        # Of a file in another encoding nothing more is worth saying.
        report.add_faults(scanned.faults)
    spec = None
    if scanned.root is not None:
        spec = lower_spec(Place(scanned.root), file, report)
    return LoadedSpec(spec, report.findings(), {file: decoded})


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
