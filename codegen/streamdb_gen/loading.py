"""A spec file's bytes to the IR, with every finding of one run.

>>> loaded = load_spec_text('{"collections": {}}', "schema.json")
>>> [finding.rule for finding in loaded.findings], loaded.spec
(['SPEC_VALUE'], None)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streamdb_gen.findings import Finding
from streamdb_gen.ir import Spec
from streamdb_gen.lowering.spec import lower_spec
from streamdb_gen.reporting import Report
from streamdb_gen.spec_files import SpecFiles, read_document


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """What came out of one spec.

    ``spec`` is None when ``findings`` holds errors; the findings are in the order of the text.
    ``sources`` maps file names to their text, for excerpts (:func:`findings.render_text`).
    """

    spec: Spec | None
    findings: tuple[Finding, ...]
    sources: Mapping[str, str]


def load_spec(path: Path) -> LoadedSpec:
    """Read and compile a spec file, and the files below its folder that it refers to.

    :raises OSError: the file cannot be read.
    """
    return _load(path.read_bytes(), str(path), path)


def load_spec_text(text: bytes | str, file: str) -> LoadedSpec:
    """Compile a spec; ``file`` is its name in findings, and its default name (up to the first dot).

    Never raises for anything in the text.
    """
    return _load(text, file, None)


def _load(text: bytes | str, file: str, path: Path | None) -> LoadedSpec:
    report = Report()
    root = read_document(text, file, report)
    spec = lower_spec(root, SpecFiles(path, report).open, report) if root is not None else None
    return LoadedSpec(spec, report.findings(), report.texts())
