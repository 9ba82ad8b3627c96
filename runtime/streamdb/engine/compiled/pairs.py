"""The rows of a join as generated functions: one loop, and no row of the pair itself."""

from __future__ import annotations

from collections.abc import Sequence

from streamdb.engine.compiled.functions import slot_sources
from streamdb.engine.compiled.source_code import SourceCode
from streamdb.engine.compiled.steps import StepWriter
from streamdb.engine.interpreted.join_side import MakePairs
from streamdb.engine.plan import Join, Step


def compiled_pairs_of(node: Join, steps: Sequence[Step], *, is_left: bool) -> MakePairs:
    """Return what :func:`~streamdb.engine.interpreted.pairs.pairs_of` does, only faster."""
    code = SourceCode()
    own, other = ("left", "right") if is_left else ("right", "left")
    pair = "(key, partner)" if is_left else "(partner, key)"
    slots = [*slot_sources("left", node.left.shape), *slot_sources("right", node.right.shape)]
    writer = StepWriter(code, f"({', '.join(slots)})", slots, pair)
    code.line("alone = []")
    code.indent(f"for key, _, value, {own} in moves:")
    code.line("found = () if value is None else partners(value)")
    code.indent("if not found:")
    code.line("alone.append(key)")
    code.line("continue")
    code.dedent()
    code.indent("for partner in found:")
    code.indent("if partner in skipped:")
    code.line("continue")
    code.dedent()
    code.line(f"{other} = others[partner]")
    depth = code.depth
    if node.residual is not None:
        writer.keep(node.residual, node.shape)
    for step in steps:
        writer.write(step)
    code.line(f"made[{pair}] = {writer.item}")
    code.dedent(code.depth - depth + 2)
    code.line("return alone")
    make_pairs: MakePairs = code.function("moves", "partners", "others", "skipped", "made")
    return make_pairs
