"""Findings for machines: JSON, GitHub's workflow commands, and SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from streamdb_gen.findings import Finding
from streamdb_gen.version import version

_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(findings: Sequence[Finding]) -> str:
    """One JSON array, an object for each finding; ASCII only."""
    return json.dumps([asdict(finding) for finding in findings], indent=2) + "\n"


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands that GitHub shows at the lines of a pull request."""
    return "".join(_github_command(finding) for finding in findings)


def as_sarif(findings: Sequence[Finding]) -> str:
    """A SARIF log with one run."""
    rules = sorted({finding.rule for finding in findings})
    driver = {
        "name": "streamdb-gen",
        "version": version(),
        "rules": [{"id": rule} for rule in rules],
    }
    results = [_sarif_result(finding) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return (
        json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"
    )


FORMATS: Final[Mapping[str, Callable[[Sequence[Finding]], str]]] = {
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}


def _github_command(finding: Finding) -> str:
    properties = {
        "file": finding.file,
        "line": str(finding.line),
        "col": str(finding.column),
        "title": finding.rule,
    }
    listed = ",".join(f"{name}={_github_property(value)}" for name, value in properties.items())
    return f"::{finding.severity} {listed}::{_github_text(_message(finding))}\n"


def _github_property(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")


def _github_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _sarif_result(finding: Finding) -> dict[str, Any]:
    region = {"startLine": finding.line, "startColumn": finding.column}
    location = {"artifactLocation": {"uri": finding.file}, "region": region}
    return {
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": location}],
        "properties": {"pointer": finding.pointer},
    }


def _message(finding: Finding) -> str:
    return f"{finding.message} ({finding.hint})" if finding.hint else finding.message
