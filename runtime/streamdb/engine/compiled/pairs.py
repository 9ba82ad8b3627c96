"""The rows of a join as generated functions: one loop, and no row of the pair itself."""

from __future__ import annotations

from collections.abc import Sequence

from streamdb.engine.compiled.functions import slot_sources
from streamdb.engine.compiled.source_code import SourceCode
from streamdb.engine.compiled.steps import StepWriter, sender_of
from streamdb.engine.interpreted.join_side import FollowPairs, LoadPairs
from streamdb.engine.interpreted.pairs import Making, may_drop
from streamdb.engine.plan import Join, Step
from streamdb.expr.shape import Shape


def compiled_making_of(node: Join, steps: Sequence[Step], shape: Shape) -> Making:
    """Return what :func:`~streamdb.engine.interpreted.pairs.making_of` does, only faster."""
    return Making(
        _load_of(node, steps),
        (_follow_of(node, steps, is_left=True), _follow_of(node, steps, is_left=False)),
        sender_of(steps, node.shape),
        may_drop(node, steps),
        shape,
    )


def _load_of(node: Join, steps: Sequence[Step]) -> LoadPairs:
    pairs = _Pairs(node, is_left=True)
    pairs.open_loop()
    row = pairs.write_steps(steps)
    pairs.code.line(f"rows[{pairs.pair}] = {row.item}")
    pairs.close_loop()
    load: LoadPairs = pairs.code.function("moves", "partners", "others", "rows")
    return load


def _follow_of(node: Join, steps: Sequence[Step], *, is_left: bool) -> FollowPairs:
    pairs = _Pairs(node, is_left=is_left)
    code = pairs.code
    pairs.open_loop()
    code.indent("if partner in done:")
    code.line("continue")
    code.dedent()
    row = pairs.write_steps(steps)
    code.line(f"pair = {pairs.pair}")
    code.indent("if before:")
    code.line("before.pop(pair, None)")
    code.dedent()
    code.line("old = rows.get(pair)")
    code.indent(f"if old is None or {row.differs_from('old')}:")
    code.line(f"rows[pair] = new = {row.item}")
    code.line("changes.append((pair, old, new))")
    code.dedent()
    code.indent("elif has_moved(pair):")
    code.line("changes.append((pair, old, old))")
    code.dedent()
    pairs.close_loop()
    follow: FollowPairs = code.function(
        "moves", "partners", "others", "done", "rows", "before", "has_moved", "changes"
    )
    return follow


class _Pairs:
    """Writes the loop over rows of one side and their partners."""

    def __init__(self, node: Join, *, is_left: bool) -> None:
        self.code = SourceCode()
        self.pair = "(key, partner)" if is_left else "(partner, key)"
        self._node = node
        self._own, self._other = ("left", "right") if is_left else ("right", "left")

    def open_loop(self) -> None:
        """Write what comes before each pair; the rows of both sides are not read yet."""
        code = self.code
        code.line("alone = []")
        code.indent(f"for key, _, value, {self._own} in moves:")
        code.line("found = () if value is None else partners(value)")
        code.indent("if not found:")
        code.line("alone.append(key)")
        code.line("continue")
        code.dedent()
        code.indent("for partner in found:")

    def write_steps(self, steps: Sequence[Step]) -> StepWriter:
        """Write what is done with each pair, and return what knows what has become of it."""
        node = self._node
        self.code.line(f"{self._other} = others[partner]")
        slots = [*slot_sources("left", node.left.shape), *slot_sources("right", node.right.shape)]
        row = StepWriter(self.code, f"({', '.join(slots)})", slots, self.pair, is_tuple=True)
        if node.residual is not None:
            row.keep(node.residual, node.shape)
        for step in steps:
            row.write(step)
        return row

    def close_loop(self) -> None:
        """Write what comes behind the last pair."""
        self.code.dedent(self.code.depth - 1)
        self.code.line("return alone")
