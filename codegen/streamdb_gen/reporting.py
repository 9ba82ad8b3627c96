"""Collecting findings while a spec is compiled."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from streamdb_gen.findings import Finding
from streamdb_gen.fixes import DROPPING, FIXERS, TEXT_FIXERS, Edit, Fixer
from streamdb_gen.json_scanner import Fault
from streamdb_gen.json_source import Place, Source
from streamdb_gen.rules import RULES


class Report:
    """All findings about the files of one spec."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}
        self._broken: dict[str, frozenset[int]] = {}
        self._findings: set[Finding] = set()
        self._referred: list[tuple[str, str]] = []

    def open_file(self, file: str, source: Source, broken: frozenset[int] = frozenset()) -> None:
        """Take in a file, before anything is reported about it.

        ``broken`` holds the offsets of placeholders that the scanner left; what is wrong with them
        was said already, so nothing more is reported about them.
        """
        self._sources[file] = source
        self._broken[file] = broken

    def keep(self, places: Iterable[Place]) -> None:
        """Let no fix take away these places, to which something refers."""
        self._referred = sorted((place.file, place.pointer) for place in places)

    def add(
        self,
        rule: str,
        place: Place,
        message: str,
        hint: str | None = None,
        *,
        at_key: bool = False,
        fixer: Fixer | None = None,
    ) -> None:
        """Report a finding at a value, or at its key; ``fixer`` mends this very one."""
        if place.node.start in self._broken[place.file]:
            return
        at_its_key = at_key and place.key_start is not None
        offset = place.key_start if at_its_key and place.key_start is not None else place.node.start
        text = self._sources[place.file].text
        fixer = fixer or FIXERS.get(rule)
        if fixer in DROPPING and self._is_referred(place):
            fixer = None
        fix = fixer(text, place) if fixer is not None else None
        self._add(rule, place.file, offset, place.pointer, message, hint, fix)

    def add_faults(self, file: str, faults: Iterable[Fault]) -> None:
        """Report what is wrong with the text itself."""
        for fault in faults:
            fixer = TEXT_FIXERS.get(fault.rule)
            fix = fixer(fault.offset) if fixer is not None else None
            self._add(fault.rule, file, fault.offset, fault.pointer, fault.message, fault.hint, fix)

    def findings(self) -> tuple[Finding, ...]:
        """Everything reported, in the order of the text."""
        return tuple(sorted(self._findings))

    def has_errors(self) -> bool:
        """Whether something was found that forbids compiling."""
        return any(finding.severity == "error" for finding in self._findings)

    def texts(self) -> dict[str, str]:
        """The text of each file, for excerpts."""
        return {file: source.text for file, source in self._sources.items()}

    def _is_referred(self, place: Place) -> bool:
        """Whether something refers to a place, or to something in it."""
        for pointer in (place.pointer, f"{place.pointer}/"):
            at = bisect_left(self._referred, (place.file, pointer))
            if at < len(self._referred):
                file, found = self._referred[at]
                if file == place.file and f"{found}/".startswith(f"{place.pointer}/"):
                    return True
        return False

    def _add(
        self,
        rule: str,
        file: str,
        offset: int,
        pointer: str,
        message: str,
        hint: str | None,
        fix: Edit | None,
    ) -> None:
        line, column = self._sources[file].position(offset)
        severity = RULES[rule].severity
        self._findings.add(Finding(rule, severity, file, line, column, pointer, message, hint, fix))
