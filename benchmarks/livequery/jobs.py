"""Our side of the benchmark, in a process for each case: ``... .jobs CASE FILE``.

It prints `{rows, load, changes}`, as the peer in TypeScript does: how many rows the query gives at
first, the seconds until it did, and for each kind of change the median of seconds from the bytes of
one event to the call of the query's subscriber. The peer is handed events that are parsed already.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import streamdb
from benchmarks.ingest.jobs import Clock, waited
from benchmarks.livequery.rows import Chat, Grown, Writing, grown
from streamdb import fn
from streamdb.protocol import names
from streamdb.protocol.exchange import Batch


def none(db: Chat) -> Any:
    """No query: the collection's own subscriber is called."""
    return db.messages


def filtered(db: Chat) -> Any:
    return db.live(db.messages.where(lambda m: m.role == "assistant"))


def top50(db: Chat) -> Any:
    return db.live(db.messages.order_by(lambda m: m.created_at.desc()).limit(50))


def full(db: Chat) -> Any:
    return db.live(db.messages.order_by(lambda m: m.created_at))


def join(db: Chat) -> Any:
    pairs = db.messages.join(db.users, on=lambda m, u: m.user_id == u.id, how="left")
    return db.live(pairs.select(lambda m, u: (m.id, m.content, u.name)))


def join_inner(db: Chat) -> Any:
    pairs = db.messages.join(db.users, on=lambda m, u: m.user_id == u.id, how="inner")
    return db.live(pairs.select(lambda m, u: (m.id, m.content, u.name)))


def group(db: Chat) -> Any:
    groups = db.chunks.group_by(lambda c: c.message_id)
    return db.live(groups.agg(lambda c: (fn.count(), fn.sum(c.tokens), fn.min(c.created_at))))


def group_collect(db: Chat) -> Any:
    groups = db.chunks.group_by(lambda c: c.message_id)
    return db.live(
        groups.agg(
            lambda c: (fn.count(), fn.sum(c.tokens), fn.min(c.created_at), fn.collect(c)),
        )
    )


def chain(db: Chat) -> streamdb.AsyncLiveQuery[Grown, Any]:
    groups = db.chunks.group_by(lambda c: c.message_id).agg(
        lambda c: (fn.accumulate(Writing, c), fn.min(c.created_at))
    )
    return db.live(groups.order_by(lambda key, written, started: started).map(grown))


def chain_approvals(db: Chat) -> Any:
    return db.live(chain(db).filter(lambda message: message.asks))


CASES: Final[Mapping[str, Callable[[Chat], Any]]] = {
    "none": none,
    "filter": filtered,
    "top50": top50,
    "full": full,
    "join": join,
    "join-inner": join_inner,
    "group": group,
    "group-collect": group_collect,
    "chain": chain,
    "chain-approvals": chain_approvals,
}


async def measured(case: str, work: dict[str, Any]) -> dict[str, Any]:
    """Load the base rows, build the query, and feed it one change after the other."""
    db = Chat("http://127.0.0.1:9/never-connected")
    db._session.status.set("live")  # nothing is connected: batches are handed over as read
    _feed(db, work["base"])
    gc.collect()
    gc.freeze()  # what a program holds for good is not gone through again and again
    clock = Clock()
    target = CASES[case](db)
    load = clock.seconds()
    rows = len(target)
    called = 0.0

    def note(_: object) -> None:
        nonlocal called
        called = time.perf_counter()

    subscription = target.subscribe(note)
    seconds: dict[str, list[float]] = {}
    changes = [(what, _batch([event])) for what, event in work["changes"]]
    for what, batch in changes:
        called, others = 0.0, waited()
        began = time.perf_counter()
        db._state.take(batch)
        if called and waited() == others:
            seconds.setdefault(what, []).append(called - began)
    subscription.close()
    medians = {what: statistics.median(each) for what, each in seconds.items()}
    return {"rows": rows, "load": load, "changes": medians}


def _feed(db: Chat, events: list[Any]) -> None:
    db._state.take(_batch(events))


def _batch(events: list[Any]) -> Batch:
    text = json.dumps(events, separators=(",", ":")).encode()
    return Batch((text,), "1", None, True, False, names.JSON_MEDIA_TYPE)


if __name__ == "__main__":
    print(
        json.dumps(asyncio.run(measured(sys.argv[1], json.loads(Path(sys.argv[2]).read_bytes()))))
    )
