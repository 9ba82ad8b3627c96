"""Who follows the rows of a place is told of what has changed there."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor

from streamdb.collections.origin import Followers


class Someone:
    def drain(self) -> None:
        """Take in what has changed."""


def test_some_may_come_while_others_are_listed() -> None:
    """One thread makes a query over rows that another one writes."""
    followers, kept = Followers(), list[Someone]()

    def come() -> None:
        for _ in range(10_000):
            kept.append(Someone())
            followers.add(kept[-1])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor() as pool:
            coming = pool.submit(come)
            while not coming.done():
                assert len(followers.now()) <= 10_000
            coming.result()
    finally:
        sys.setswitchinterval(interval)
    assert set(followers.now()) == set(kept)


def test_they_are_held_by_others_alone() -> None:
    followers, kept = Followers(), Someone()
    assert not followers.were_any
    followers.add(kept)
    followers.add(Someone())
    gc.collect()
    assert followers.now() == [kept]
    assert followers.were_any
