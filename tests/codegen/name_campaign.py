"""The long form of the test of names: 20,000 random edits, of which none may rename anything else.

Run it in the project's folder: `python -m tests.codegen.name_campaign [COUNT [SEED]]`. It prints
the seed, which repeats a failure. Edits of specs that lint refuses do not count.
"""

from __future__ import annotations

import random
import sys

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.codegen.name_stability import compiled, edits, renamed, specs

DEFAULT_COUNT = 20_000
_ROUND = 2_000
_EDITS_OF_ONE_SPEC = 4


def main() -> None:
    """Run the campaign."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_COUNT
    start = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    print(f"seed {start}", flush=True)
    done = 0
    while done < count:
        done += _run_round(start)
        start += 1
    print(f"{done} edits, nothing renamed")


def _run_round(start: int) -> int:
    """Edit random specs; return how many edits were judged."""
    judged = 0

    @seed(start)
    @settings(
        max_examples=_ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def round_of_edits(data: st.DataObject) -> None:
        nonlocal judged
        spec = data.draw(specs())
        before = compiled(spec)
        if before is None:
            return
        for _ in range(_EDITS_OF_ONE_SPEC):
            after = compiled(data.draw(edits(spec)))
            if after is not None:
                judged += 1
                assert renamed(before, after) == []

    round_of_edits()
    return judged


if __name__ == "__main__":
    main()
