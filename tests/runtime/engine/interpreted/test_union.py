"""Branches side by side, held to the naive evaluator."""

from __future__ import annotations

from tests.runtime.engine.asking import select, union, where
from tests.runtime.engine.judging import Judged, MakeExecutor
from tests.runtime.engine.tables import TableSource, commit
from tests.runtime.engine.things import Thing

from streamdb.engine.planning import plan_of


def test_a_source_in_two_branches_and_another_one(make: MakeExecutor) -> None:
    things, others = TableSource("things", {1: Thing(1, 5)}), TableSource("others")
    query = union(where(things.node, lambda t: t.a > 3), others.node, things.node)
    judged = Judged(plan_of(query), make)
    judged.load()
    old, new, other = Thing(1, 5), Thing(1, 1), Thing(9)
    assert judged.step(commit({things: [(1, new)], others: [(9, other)]})) == [
        ((0, 1), old, None),
        ((1, 9), None, other),
        ((2, 1), old, new),
    ]
    assert judged.step(commit({others: [(9, None)]})) == [((1, 9), other, None)]


def test_a_row_that_moved_in_its_branch_moved(make: MakeExecutor) -> None:
    things = TableSource("things", {1: Thing(1, 5), 2: Thing(2, 5)})
    query = select(union(things.node, things.node), lambda t: (t.a,))
    judged = Judged(plan_of(query), make)
    judged.load()
    assert judged.step(commit({things: [(1, None), (1, Thing(1, 5)), (2, Thing(2, 5))]})) == [
        ((0, 1), (5,), (5,)),
        ((1, 1), (5,), (5,)),
    ]
