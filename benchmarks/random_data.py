"""Random numbers and text, as JavaScript programs draw them: either language makes the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_MASK: Final = 0xFFFFFFFF
_TEXT: Final = (
    "the quick brown fox jumps over a lazy dog while seven agents stream durable events into typed "
    "tables and people watch live views update without any reload or polling at all today"
)
_WORDS: Final = _TEXT.split()


def mulberry32(seed: int) -> Callable[[], float]:
    """Return a function that draws a number from 0 to below 1."""
    state = seed & _MASK

    def next_float() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & _MASK
        mixed = ((state ^ (state >> 15)) * (state | 1)) & _MASK
        mixed ^= (mixed + ((mixed ^ (mixed >> 7)) * (mixed | 61))) & _MASK
        return ((mixed ^ (mixed >> 14)) & _MASK) / 4294967296

    return next_float


def random_text(draw: Callable[[], float], length: int) -> str:
    """Return words, cut to so many characters."""
    text = ""
    while len(text) < length:
        text += (" " if text else "") + _WORDS[int(draw() * len(_WORDS))]
    return text[:length]
