"""Who is calling: what belongs to a block of code belongs to its task, or to its thread."""

from __future__ import annotations

import threading


def this_task_or_thread() -> object:
    """Return what runs the caller. A task that was started inside a block is another one."""
    import asyncio  # not above: programs that only build events do without

    try:
        return asyncio.current_task() or threading.current_thread()
    except RuntimeError:
        return threading.current_thread()
