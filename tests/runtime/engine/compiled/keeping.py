"""A condition as generated code has it: by whether a step keeps a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamdb.engine.compiled.steps import sender_of
from streamdb.engine.plan import Where
from streamdb.expr.nodes import Node
from streamdb.expr.shape import Shape


def keeps(condition: Node, shape: Shape) -> Callable[[Any], bool]:
    """Return the function that tells whether a condition keeps a row."""
    send = sender_of([Where(condition, shape)], shape)
    return lambda row: send("key", row) is not None
