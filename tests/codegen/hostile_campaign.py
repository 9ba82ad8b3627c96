"""The long form of the test of hostile text.

Run it in the project's folder: `python -m tests.codegen.hostile_campaign [COUNT [SEED]]`. It prints
the seed, which repeats a failure, and how many specs were compiled and how many lint refused. Where
there is Node.js, the packages are compiled to TypeScript, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.campaigns import count_and_seed, run_examples
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
    count, start = count_and_seed(DEFAULT_COUNT)
    texts: Counter[bool] = Counter()
    with typescript_if_there() as typescript:

        def judge_text(document: dict[str, Any]) -> None:
            texts[carries_its_text(document)] += 1
            if typescript is not None:
                carries_its_text_in_typescript(document, typescript)

        run_examples(judge_text, SPECS, count=count, start=start)
    _tell("specs", texts)
    keywords: Counter[bool] = Counter()

    def judge_keywords(document: dict[str, Any]) -> None:
        keywords[is_compiled_or_refused(document)] += 1

    run_examples(judge_keywords, documents(), count=count, start=start)
    _tell("specs of schemas of every keyword", keywords)


def _tell(what: str, verdicts: Counter[bool]) -> None:
    told = f"{verdicts[True]} compiled, {verdicts[False]} refused by lint"
    print(f"{verdicts.total()} {what}: {told}", flush=True)


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
