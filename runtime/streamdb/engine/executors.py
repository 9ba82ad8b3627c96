"""Which executor runs a plan."""

from __future__ import annotations

from streamdb.engine.executor import Executor
from streamdb.engine.plan import Plan


def executor_for(plan: Plan) -> Executor:
    """Return the fastest executor that there is for a plan."""
    from streamdb.engine.compiled import Compiled  # programs without queries do without

    return Compiled(plan)
