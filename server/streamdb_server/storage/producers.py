"""The decision table of idempotent producers (section 8), as a pure function."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


class Claim(NamedTuple):
    """What a request says: ``Producer-Id``, ``Producer-Epoch``, ``Producer-Seq``."""

    id: str
    epoch: int
    seq: int


class State(NamedTuple):
    """What a stream remembers of a producer: its epoch and the highest accepted sequence."""

    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class Accept:
    """New: store it, and this state with it."""

    state: State


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Stored before; the state as it stands (PROD-9)."""

    state: State


@dataclass(frozen=True, slots=True)
class Fenced:
    """A newer epoch has taken over."""

    epoch: int


@dataclass(frozen=True, slots=True)
class BadEpochStart:
    """A new epoch must begin at sequence 0."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An earlier request is missing."""

    expected: int


Verdict: TypeAlias = Accept | Duplicate | Fenced | BadEpochStart | Gap


def judge(state: State | None, claim: Claim) -> Verdict:
    """Decide on a claim, given what is remembered of its producer.

    >>> judge(State(epoch=1, seq=5), Claim("p", 1, 0))
    Duplicate(state=State(epoch=1, seq=5))
    >>> judge(None, Claim("p", 7, 2))
    Gap(expected=0)
    """
    if state is None:
        return Accept(State(claim.epoch, 0)) if claim.seq == 0 else Gap(expected=0)
    if claim.epoch < state.epoch:
        return Fenced(state.epoch)
    if claim.epoch > state.epoch:
        return Accept(State(claim.epoch, 0)) if claim.seq == 0 else BadEpochStart()
    if claim.seq <= state.seq:
        return Duplicate(state)
    if claim.seq == state.seq + 1:
        return Accept(State(claim.epoch, claim.seq))
    return Gap(expected=state.seq + 1)
