"""The long form of the test of hostile text.

Run it in the project's folder: `python -m tests.codegen.hostile_campaign [COUNT [SEED]]`. It prints
the seed, which repeats a failure, and how many specs were compiled and how many lint refused. Where
there is Node.js, the packages are compiled to TypeScript, too.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from tests.codegen.hostile_schemas import documents, is_compiled_or_refused
from tests.codegen.hostile_specs import SPECS, carries_its_text
from tests.codegen.typescript.hostile_specs import (
    carries_its_text as carries_its_text_in_typescript,
)
from tests.codegen.typescript.peer import TypeScript
from tests.interop.node import FOLDER, find_node, packages_installed
from tests.interop.processes import Peer, running

DEFAULT_COUNT = 10_000


def main() -> None:
    """Run the campaign."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_COUNT
    start = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    verdicts: Counter[bool] = Counter()
    print(f"seed {start}", flush=True)
    with typescript_if_there() as typescript:
        run(count, start, verdicts, typescript)
    print(f"{verdicts.total()} specs: {verdicts[True]} compiled, {verdicts[False]} refused by lint")
    verdicts.clear()
    run_schemas(count, start, verdicts)
    told = f"{verdicts[True]} compiled, {verdicts[False]} refused by lint"
    print(f"{verdicts.total()} specs of schemas of every keyword: {told}")


def run(count: int, start: int, verdicts: Counter[bool], typescript: TypeScript | None) -> None:
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
        if typescript is not None:
            carries_its_text_in_typescript(document, typescript)

    campaign()


def run_schemas(count: int, start: int, verdicts: Counter[bool]) -> None:
    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents())
    def campaign(document: dict[str, Any]) -> None:
        verdicts[is_compiled_or_refused(document)] += 1

    campaign()


@contextmanager
def typescript_if_there() -> Iterator[TypeScript | None]:
    """TypeScript, or None without Node.js."""
    found = find_node()
    if found is None:
        print("without TypeScript: there is no Node.js")
        yield None
        return
    with (
        packages_installed(found),
        running([found.node, FOLDER / "peers" / "typescript.mjs"]) as process,
    ):
        yield TypeScript(Peer(process))


if __name__ == "__main__":
    main()
