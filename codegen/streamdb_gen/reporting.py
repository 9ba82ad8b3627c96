"""Collecting findings while a spec is compiled."""

from __future__ import annotations

from collections.abc import Iterable

from streamdb_gen.findings import Finding
from streamdb_gen.json_scanner import Fault
from streamdb_gen.json_source import Place, Source
from streamdb_gen.rules import RULES


class Report:
    """All findings about one file.

    ``broken`` holds the offsets of placeholders that the scanner left; what is wrong with them was
    said already, so nothing more is reported about them.
    """

    def __init__(self, file: str, source: Source, broken: frozenset[int] = frozenset()) -> None:
        self._file = file
        self._source = source
        self._broken = broken
        self._findings: set[Finding] = set()

    def add(
        self,
        rule: str,
        place: Place,
        message: str,
        hint: str | None = None,
        *,
        at_key: bool = False,
        inside: int = 0,
    ) -> None:
        """Report a finding at a value, at its key, or ``inside`` characters after its start."""
        if place.node.start in self._broken:
            return
        at_its_key = at_key and place.key_start is not None
        offset = place.key_start if at_its_key and place.key_start is not None else place.node.start
        self._add(rule, offset + inside, place.pointer, message, hint)

    def add_faults(self, faults: Iterable[Fault]) -> None:
        """Report what is wrong with the text itself."""
        for fault in faults:
            self._add(fault.rule, fault.offset, fault.pointer, fault.message, fault.hint)

    def findings(self) -> tuple[Finding, ...]:
        """Everything reported, in the order of the text."""
        return tuple(sorted(self._findings))

    def has_errors(self) -> bool:
        """Whether something was found that forbids compiling."""
        return any(finding.severity == "error" for finding in self._findings)

    def _add(self, rule: str, offset: int, pointer: str, message: str, hint: str | None) -> None:
        line, column = self._source.position(offset)
        severity = RULES[rule].severity
        self._findings.add(
            Finding(rule, severity, self._file, line, column, pointer, message, hint)
        )
