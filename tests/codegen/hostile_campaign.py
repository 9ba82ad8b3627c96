"""The long form of the test of hostile text.

Run it in the project's folder: `python -m tests.codegen.hostile_campaign [COUNT [SEED]]`. It prints
the seed, which repeats a failure, and how many specs were compiled and how many lint refused.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from tests.codegen.hostile_specs import SPECS, carries_its_text

DEFAULT_COUNT = 10_000


def main() -> None:
    """Run the campaign."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_COUNT
    start = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    verdicts: Counter[bool] = Counter()

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(SPECS)
    def campaign(document: dict[str, Any]) -> None:
        verdicts[carries_its_text(document)] += 1

    print(f"seed {start}", flush=True)
    campaign()
    print(f"{verdicts.total()} specs: {verdicts[True]} compiled, {verdicts[False]} refused by lint")


if __name__ == "__main__":
    main()
