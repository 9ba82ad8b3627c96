"""The agreement table: who agrees with whom, on how many instances, and with which exceptions.

Run it in the project's folder: `python -m tests.agreement.table [--random N] [--seed S]`. N is the
number of random schemas of each kind, 2,000 if it is not said. The seed, which is printed, repeats
a run.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.agreement.agreement import MOST_EXCUSED, Tally, read_excuses
from tests.agreement.cases import Case
from tests.agreement.corpus import own_cases, public_cases
from tests.agreement.downloads import jsonschema_source
from tests.agreement.joined_schemas import joined_case, sides_for
from tests.agreement.losses import Losses
from tests.agreement.random_cases import random_cases
from tests.agreement.sides import Side, all_sides
from tests.agreement.suite import suite_cases
from tests.agreement.typescript_side import typescript_side
from tests.agreement.varied import with_changes
from tests.campaigns import run_examples
from tests.interop.node import find_node, packages_installed

_CHANGES: Final = 100
_SHOWN: Final = 20


def main() -> None:
    """Run everything, and print what came of it; exit with 1 where sides disagree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random", type=int, default=2000, metavar="N")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), metavar="S")
    options = parser.parse_args()
    tally = Tally(read_excuses())
    node = find_node()
    if node is None:
        sys.exit("needs Node.js with npm: on PATH, or by the extra `dev`")
    with (
        tempfile.TemporaryDirectory() as folder,
        packages_installed(node),
        typescript_side(node) as typescript,
    ):
        sides = (*all_sides(Path(folder)), typescript)
        for case in suite_cases(jsonschema_source()):
            tally.take(case, sides)
        for case in [*own_cases(), *public_cases()]:
            tally.take(with_changes(case, _CHANGES, options.seed), sides)
        _take_random(tally, sides, options.random, options.seed)
    print(f"seed {options.seed}")
    print("\n".join(report(tally)))
    stale = [*tally.stale(tally.compiled)]
    for excuse in stale:
        print(f"stale exception: {excuse}")
    too_wide = [*tally.too_wide(tally.compiled)]
    for told in too_wide:
        print(f"exception that is too wide, {told}")
    too_many = tally.excused_instances > MOST_EXCUSED * tally.instances
    if too_many:
        print(f"exceptions for more than {MOST_EXCUSED:.1%} of the instances")
    stale_losses = [*tally.losses.stale(tally.compiled)]
    for known in stale_losses:
        print(f"stale loss: {known}")
    wrong = (tally.disagreements, stale, too_wide, too_many, tally.losses.found, stale_losses)
    sys.exit(1 if any(wrong) else 0)


def _take_random(tally: Tally, sides: tuple[Side, ...], count: int, seed: int) -> None:
    numbers = iter(range(10**9))

    def take(case: Case) -> None:
        tally.take(case.renamed(f"random/{next(numbers)}"), sides)

    if count > 0:
        run_examples(take, random_cases(), count=count, start=seed)
    for number in range(count):
        case = joined_case(number, seed)
        tally.take(case, sides_for(case, sides))


def report(tally: Tally) -> Iterator[str]:
    """The lines of the table."""
    yield f"{tally.instances:,} instances, {len(tally.disagreements):,} disagreements"
    yield ""
    yield from _agreement(tally)
    yield ""
    yield from _exceptions(tally)
    yield ""
    yield from _compiled(tally)
    yield ""
    yield from _losses(tally.losses)
    for disagreement in tally.disagreements[:_SHOWN]:
        yield f"\ndisagreement: {disagreement}"
    for loss in tally.losses.found[:_SHOWN]:
        yield f"\nloss: {loss}"


def _agreement(tally: Tally) -> Iterator[str]:
    yield f"{'side':<16}{'judged':>10}{'agreed':>10}{'share':>10}"
    for side, judged in tally.judged.items():
        agreed = tally.agreed[side]
        yield f"{side:<16}{judged:>10,}{agreed:>10,}{agreed / judged:>10.3%}"


def _exceptions(tally: Tally) -> Iterator[str]:
    share = tally.excused_instances / max(tally.instances, 1)
    yield f"exceptions: {tally.excused_instances:,} instances, {share:.3%}"
    for excuse, count in tally.excused.items():
        needed = f"{count:,} of {tally.covered[excuse]:,}"
        yield f"{needed:>16}  {excuse.side}, {' '.join(excuse.cases)}: {excuse.why}"


def _losses(losses: Losses) -> Iterator[str]:
    yield f"{'written back by':<16}{'rows':>10}{'unknown losses':>16}"
    found = Counter(loss.side for loss in losses.found)
    for side, count in losses.written.items():
        yield f"{side:<16}{count:>10,}{found[side]:>16,}"
    for known, count in losses.excused.items():
        yield f"{count:>16,}  {known.side} loses {known.what}: {known.why}"


def _compiled(tally: Tally) -> Iterator[str]:
    refused: dict[str, Counter[str]] = {}  # how many cases of a source each rule refused
    refused_cases: Counter[str] = Counter()
    for case, refusal in tally.refused.items():
        source = case.partition("/")[0]
        rules = refused.setdefault(source, Counter())
        rules.update(refusal.rules)
        refused_cases[source] += 1
    yield f"{'schemas':<16}{'compiled':>10}{'refused':>10}{'share':>10}"
    for source in sorted({*tally.compiled, *refused}):
        compiled, no = tally.compiled[source], refused_cases[source]
        yield f"{source:<16}{compiled:>10,}{no:>10,}{compiled / (compiled + no):>10.1%}"
        for rule, count in refused.get(source, Counter()).most_common():
            yield f"{'':<16}{'':>10}{count:>10,}  {rule}"


if __name__ == "__main__":
    main()
