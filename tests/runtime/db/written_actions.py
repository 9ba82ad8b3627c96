"""The durable part of an action in random histories, in either form, and what is noted of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, cast

from tests.runtime.chat_schema import message, sensor
from tests.runtime.db.write_model import (
    OWN_ROW,
    TYPES,
    Acted,
    Deed,
    Laid,
    Local,
    Made,
    Place,
    Released,
    renamed,
    said,
)

from streamdb import AsyncStream, StreamDBError

if TYPE_CHECKING:
    from tests.runtime.db.written_database import Opened


class ActionFailed(Exception):
    """What a durable part raises that fails of itself."""


class DurablePart:
    """Puts on the stream what its action is to put there, as the application would."""

    def __init__(
        self,
        opened: Opened,
        local: Local,
        acted: Acted,
        stream: AsyncStream,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._opened: Final = opened
        self._local: Final = local
        self._acted: Final = acted
        self._stream: Final = stream
        self._loop: Final = loop

    async def in_task(self, tx: Any) -> None:
        """Do it for an async database."""
        self._opened.persisting += 1
        try:
            await self._may_go_on()
            if (inner := self._write_itself()) is not None:
                await inner
            await self._carry_out(tx)
            if self._acted.way == "sends":
                await tx.send()
        finally:
            self._opened.persisting -= 1

    def on_thread(self, tx: Any) -> None:
        """Do it for a blocking one."""
        self._opened.persisting += 1
        try:
            self._on_loop(self._may_go_on())
            if (inner := self._write_itself()) is not None:
                inner.result()
            self._on_loop(self._carry_out(tx))
            if self._acted.way == "sends":
                tx.send()
        finally:
            self._opened.persisting -= 1

    def _on_loop(self, doing: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop).result()

    def _write_itself(self) -> Any:
        """Write through the database, if it is to: what it waits for then goes ahead of all."""
        opened, acted = self._opened, self._acted
        if acted.way not in ("writes itself", "acts itself"):
            return None
        inner = acted.inner = Local(acted=Acted("sends") if acted.way == "acts itself" else None)
        inner.by = [*self._local.by, self._local]
        with opened.lock:
            place, row = self._own_row()
            now = opened.called_now(place, inner)
            inner.add(now, Deed("upsert", renamed(row, now)))
            opened.trace.append(Laid(inner, opened.view()))
            try:
                inner.tx = self._written(inner, place[0], row)
            except BaseException:
                inner.deeds.clear()
                raise
            opened.locals.append(inner)
            return inner.tx

    def _own_row(self) -> tuple[Place, Any]:
        """Return a row of its action, or one that durable parts alone write."""
        text = str(len(self._opened.trace))
        place = OWN_ROW if int(text) % 3 == 0 else next(iter(self._local.deeds), OWN_ROW)
        make = message if place[0] == "messages" else sensor
        return place, make(cast("Any", place[1]), text)

    def _written(self, inner: Local, name: str, row: Any) -> Any:
        db, collection = self._opened.db, self._opened.collection(name)
        if inner.acted is None:
            return collection.upsert(row)
        part = DurablePart(self._opened, inner, inner.acted, self._stream, self._loop)
        return db.perform(
            lambda: collection.upsert(row),
            part.in_task if self._opened.is_async else part.on_thread,
        )

    async def _carry_out(self, tx: Any) -> None:
        match self._acted.way:
            case "sends":
                return
            case "fails":
                self._fail()
            case "fails late":
                await self._append(tx, self._events(tx))
                self._fail()
            case "releases":
                self._release(tx)
            case "appends" | "writes itself" | "acts itself":
                await self._append(tx, self._events(tx))
            case "writes other rows":
                await self._append(tx, self._other_events())
            case "maps":
                if (place := self._inserted()) is not None:
                    self._map_key(tx, place, self._assign(place))
                await self._append(tx, self._events(tx))
            case "is mapped":
                await self._append_and_map(tx)

    async def _append_and_map(self, tx: Any) -> None:
        events, place = self._events(tx), self._inserted()
        if place is None:
            await self._append(tx, events)
            return
        assigned = self._assign(place)
        at = TYPES[place[0]], str(place[1])
        for event in events:
            if (event["type"], event["key"]) == at:
                event["key"] = str(assigned[1])
                if "value" in event:
                    event["value"]["id"] = assigned[1]
        await self._append(tx, events)
        await asyncio.sleep(0.005)
        await self._may_go_on()
        self._map_key(tx, place, assigned)

    async def _may_go_on(self) -> None:
        while self._opened.hold.persisting and not self._opened.is_over:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if self._opened.is_over:
            self._fail()

    def _fail(self) -> None:
        self._acted.raised = True
        raise ActionFailed

    def _events(self, tx: Any) -> list[Any]:
        with self._opened.lock:
            view = self._opened.view()
            try:
                events = [json.loads(event.to_json()) for event in tx.events]
            except StreamDBError:
                self._opened.trace.append(Made(self._local, view, None))
                raise
            made = Made(self._local, view, [said(event) for event in events])
            self._opened.trace.append(made)
            return events

    def _other_events(self) -> list[Any]:
        headers = {"operation": "upsert", "txid": self._local.tx.txid}
        values = {
            "messages": {"role": "user", "content": "other"},
            "sensors": {"room": "other", "celsius": 9},
        }
        return [
            {"type": TYPES[name], "key": str(key), "value": values[name], "headers": headers}
            for name, key in self._local.deeds
        ]

    def _inserted(self) -> Place | None:
        """Return the first row that it inserted, which a server may call otherwise."""
        for place, deeds in self._local.deeds.items():
            if deeds[0].kind == "insert":
                return place
        return None

    def _assign(self, place: Place) -> Place:
        assigned = self._opened.assign(place)
        self._acted.assigned.add(assigned)
        return assigned

    def _map_key(self, tx: Any, old: Place, new: Place) -> None:
        tx.map_key(self._opened.db.collections[old[0]], old[1], new[1])

    def _release(self, tx: Any) -> None:
        with self._opened.lock:
            self._opened.trace.append(Released(self._local, self._opened.view()))
            tx.release()

    async def _append(self, tx: Any, events: list[Any]) -> None:
        if not events:
            self._release(tx)
            return
        self._acted.tried = [said(event) for event in events]
        self._acted.events = self._acted.tried  # before, for it may be cancelled
        try:
            await self._stream.append_many(events)
        except StreamDBError:
            self._acted.events = []
            raise
