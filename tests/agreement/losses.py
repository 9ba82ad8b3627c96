"""Rows written back compared with what was read: nothing is lost but what is listed."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal

from tests.agreement.cases import Case, Instance, Json
from tests.agreement.compiled import collection_of
from tests.agreement.declared import Declared
from tests.agreement.sides import Writer
from tests.agreement.wire import at_microseconds, is_same

from streamdb_gen.ir import Spec

What = Literal[
    "undeclared properties", "digits beyond 2^53", "digits finer than microseconds", "value"
]
"""What is lost: properties that the type has no place for, what doubles round, what Python's types
of time do not hold, or anything else."""

_EXCEPTIONS: Final = Path(__file__).parent / "exceptions.toml"


@dataclass(frozen=True)
class KnownLoss:
    """A `loss` of `exceptions.toml`."""

    side: str
    what: What
    cases: tuple[str, ...]
    instances: tuple[str, ...]
    why: str

    def is_about(self, loss: Loss) -> bool:
        return (
            (self.side, self.what) == (loss.side, loss.what)
            and any(fnmatchcase(loss.case, pattern) for pattern in self.cases)
            and any(fnmatchcase(loss.instance.name, pattern) for pattern in self.instances)
        )


@dataclass(frozen=True)
class Loss:
    """A valid row that a side reads and writes back as another one, or not at all."""

    case: str
    instance: Instance
    side: str
    what: What
    written: str

    def __str__(self) -> str:
        return (
            f"{self.case} | {self.instance.name} | {self.side} loses {self.what}\n"
            f"    {self.instance.text[:500]}\n    {self.written[:500]}"
        )


@dataclass
class Losses:
    """What sides lost in a run."""

    known: Sequence[KnownLoss]
    written: Counter[str] = field(default_factory=Counter)  # rows, by side
    excused: Counter[KnownLoss] = field(default_factory=Counter)
    found: list[Loss] = field(default_factory=list)  # that are not known

    def take(self, case: Case, spec: Spec, side: Writer, instances: Sequence[Instance]) -> None:
        """Have a side write back instances that it judged to be valid."""
        rewritten = side.rewrite(case, spec, [instance.text for instance in instances])
        self.written[side.name] += len(rewritten)
        for instance, written in zip(instances, rewritten, strict=True):
            what = what_is_lost(spec, case, instance.text, written)
            if what is not None:
                self._take(Loss(case.name, instance, side.name, what, written))

    def _take(self, loss: Loss) -> None:
        known = [one for one in self.known if one.is_about(loss)]
        self.excused.update(known)
        if not known:
            self.found.append(loss)

    def stale(self, sources: Iterable[str]) -> Iterator[KnownLoss]:
        """The known losses in cases of these sources, on sides that wrote, that did not happen."""
        for known in self.known:
            if known.side not in self.written:
                continue
            within = {pattern.partition("/")[0] for pattern in known.cases} <= {*sources, "*"}
            if within and not self.excused[known]:
                yield known


def what_is_lost(spec: Spec, case: Case, read: str, written: str) -> What | None:
    """What of a row is not written back, None if it is the same JSON value."""
    try:
        before, after = json.loads(read), json.loads(written)
    except ValueError:  # it is no JSON but an error
        return "value"
    if is_same(before, after):
        return None
    before, after = at_microseconds(before), at_microseconds(after)
    if is_same(before, after):
        return "digits finer than microseconds"
    if Declared(spec, collection_of(spec, case)).has_all(before, after):
        return "undeclared properties"
    # As doubles: JavaScript has no other numbers.
    return "digits beyond 2^53" if is_same(_as_doubles(before), _as_doubles(after)) else "value"


def _as_doubles(value: Json) -> Json:
    return json.loads(json.dumps(value), parse_int=float)


def known_losses() -> tuple[KnownLoss, ...]:
    """The committed ones."""
    listed = tomllib.loads(_EXCEPTIONS.read_text("utf-8"))["loss"]
    return tuple(
        KnownLoss(e["side"], e["what"], tuple(e["cases"]), tuple(e["instances"]), e["why"])
        for e in listed
    )
