"""Verdicts compared: on one instance, all sides but the listed exceptions say the same."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tests.agreement.cases import Case, Instance
from tests.agreement.compiled import Refused, compiled
from tests.agreement.losses import Losses, known_losses
from tests.agreement.sides import Side, Verdict, Writer

MOST_EXCUSED: Final = 0.005
"""The share of instances for which exceptions may be made."""

LEAST_NEEDED: Final = 0.1
"""The share of the instances that an exception is about in which it must be needed.

One that is needed more rarely would excuse what nobody has looked at.
"""

_EXCEPTIONS: Final = Path(__file__).parent / "exceptions.toml"

_SOURCES: Final = {
    "suite": "suite",
    "own": "author",
    "public": "author",
    "random": "author",
    "joined": "author",
}
"""Who states the expected verdict, by the first part of a case's name."""


@dataclass(frozen=True)
class Excuse:
    """An entry of `exceptions.toml`."""

    side: str
    cases: tuple[str, ...]
    instances: tuple[str, ...]
    why: str

    def is_about(self, case: str, instance: str) -> bool:
        return _is_named(case, self.cases) and _is_named(instance, self.instances)

    def is_within(self, sources: Iterable[str]) -> bool:
        """Whether all that it is about can be met in cases of these sources."""
        return {pattern.partition("/")[0] for pattern in self.cases} <= {*sources, "*"}


@dataclass(frozen=True)
class Disagreement:
    """An instance on which sides differ that are not excused."""

    case: str
    instance: Instance
    verdicts: Mapping[str, Verdict]

    def __str__(self) -> str:
        said = ", ".join(f"{side}: {_WORDS[verdict]}" for side, verdict in self.verdicts.items())
        return f"{self.case} | {self.instance.name}\n    {said}\n    {self.instance.text[:500]}"


_WORDS: Final = {True: "valid", False: "invalid", None: "cannot tell"}


@dataclass
class Tally:
    """What came of a run."""

    excuses: Sequence[Excuse]
    losses: Losses = field(default_factory=lambda: Losses(known_losses()))
    instances: int = 0
    judged: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    covered: Counter[Excuse] = field(default_factory=Counter)  # instances that one is about
    excused: Counter[Excuse] = field(default_factory=Counter)  # those of them that need it
    excused_instances: int = 0
    compiled: Counter[str] = field(default_factory=Counter)  # by the source of cases
    refused: dict[str, Refused] = field(default_factory=dict)  # by case
    disagreements: list[Disagreement] = field(default_factory=list)

    def take(self, case: Case, sides: Sequence[Side]) -> None:
        """Compile a case and have its instances judged by every side."""
        spec = compiled(case.spec)
        if isinstance(spec, Refused):
            self.refused[case.name] = spec
            return
        self.compiled[source_of(case)] += 1
        texts = [instance.text for instance in case.instances]
        judged = {side.name: side.judge(case, spec, texts) for side in sides}
        for side in sides:
            if isinstance(side, Writer):
                pairs = zip(case.instances, judged[side.name], strict=True)
                self.losses.take(case, spec, side, [i for i, verdict in pairs if verdict])
        author = _SOURCES[source_of(case)]
        for number, instance in enumerate(case.instances):
            verdicts = {name: verdicts[number] for name, verdicts in judged.items()}
            if instance.expected is not None:
                verdicts[author] = instance.expected
            self._compare(case, instance, verdicts)

    def _compare(self, case: Case, instance: Instance, verdicts: Mapping[str, Verdict]) -> None:
        self.instances += 1
        self.judged.update(verdicts.keys())
        excuses = [e for e in self.excuses if e.is_about(case.name, instance.name)]
        self.covered.update(excuse for excuse in excuses if excuse.side in verdicts)
        excused = {excuse.side for excuse in excuses}
        rest = {verdict for side, verdict in verdicts.items() if side not in excused}
        if len(rest) != 1 or None in rest:
            self.disagreements.append(Disagreement(case.name, instance, verdicts))
            return
        (settled,) = rest
        apart = {side for side, verdict in verdicts.items() if verdict != settled}
        self.agreed.update(verdicts.keys() - apart)
        self.excused.update(excuse for excuse in excuses if excuse.side in apart)
        self.excused_instances += bool(apart)

    def stale(self, sources: Iterable[str]) -> Iterator[Excuse]:
        """The exceptions for cases of these sources that excused nothing."""
        for excuse in self.excuses:
            if excuse.is_within(sources) and not self.excused[excuse]:
                yield excuse

    def too_wide(self, sources: Iterable[str]) -> Iterator[str]:
        """The exceptions for cases of these sources that are needed too rarely."""
        for excuse in self.excuses:
            needed, covered = self.excused[excuse], self.covered[excuse]
            if excuse.is_within(sources) and 0 < needed < LEAST_NEEDED * covered:
                yield f"needed in {needed} of {covered} instances: {excuse}"


def source_of(case: Case) -> str:
    """Where a case comes from: `suite`, `own`, `public`, `random` or `joined`."""
    return case.name.partition("/")[0]


def read_excuses() -> tuple[Excuse, ...]:
    """The committed exceptions."""
    listed = tomllib.loads(_EXCEPTIONS.read_text("utf-8"))["exception"]
    return tuple(
        Excuse(e["side"], tuple(e["cases"]), tuple(e["instances"]), e["why"]) for e in listed
    )


def _is_named(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
