"""The short form of the oracle: random queries and commits, held to the naive evaluator."""

from __future__ import annotations

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.runtime.engine.oracle.campaigns import judge


@settings(max_examples=100, deadline=None, phases=[Phase.reuse, Phase.generate])
@given(st.integers(0, 2**32))
def test_executors_give_what_the_naive_evaluator_gives(seed: int) -> None:
    """What fails is made smaller by itself, for a seed cannot be."""
    judge(str(seed))
