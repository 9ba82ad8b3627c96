"""The long form of the test of names: 20,000 random edits, of which none may rename anything else.

Run it in the project's folder: `python -m tests.codegen.name_campaign [COUNT [SEED]]`. It prints
the seed, which repeats a failure. Edits of specs that lint refuses do not count.
"""

from __future__ import annotations

from hypothesis import strategies as st
from tests.campaigns import count_and_seed, run_examples
from tests.codegen.name_stability import compiled, edits, renamed, specs

DEFAULT_COUNT = 20_000
_ROUND = 2_000
_EDITS_OF_ONE_SPEC = 4


def main() -> None:
    """Run the campaign."""
    count, start = count_and_seed(DEFAULT_COUNT)
    done = 0
    while done < count:
        done += _run_round(start)
        start += 1
    print(f"{done} edits, nothing renamed")


def _run_round(start: int) -> int:
    """Edit random specs; return how many edits were judged."""
    judged = 0

    def edit(data: st.DataObject) -> None:
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

    run_examples(edit, st.data(), count=_ROUND, start=start)
    return judged


if __name__ == "__main__":
    main()
