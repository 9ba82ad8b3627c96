"""Old values in a log that never forgets, read by a schema that has changed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, Message, Profile, message, messages
from tests.runtime.task_rows import KINDS, NOON_TEXT, SCHEMA, field, task

from streamdb import AsyncStream, AsyncStreamDB, StreamDB, collection

OLD_TASK = {"name": "write", "count": "3", "at": NOON_TEXT}


def upcast_task(old: dict[str, Any]) -> dict[str, Any]:
    """What was called `name` is the title, and counts were text."""
    new = {**old, "title": old["name"], "count": int(old["count"])}
    del new["name"]
    return new


def event(key: str, value: Any, operation: str = "insert", type_: str = "task") -> dict[str, Any]:
    return {"type": type_, "key": key, "value": value, "headers": {"operation": operation}}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("base", [AsyncStreamDB, StreamDB])
@pytest.mark.parametrize("strict", [False, True])
async def test_old_values_become_rows_of_today(
    kind: Any, base: Any, strict: bool, embedded_url: str
) -> None:
    declared = collection(kind, type="task", primary_key="id", schema=SCHEMA)
    tasks_class: Any = type("Tasks", (base,), {"tasks": declared})
    new = {"title": "new", "count": 1, "at": NOON_TEXT}
    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append_many(
            [event("t1", OLD_TASK), event("t2", new), event("t3", {**OLD_TASK, "count": "x"})]
        )
        db = tasks_class(
            embedded_url, upcast={"task": upcast_task}, strict=strict, on_invalid="ignore"
        )
        await run(db.preload)
        await stream.append_many([event("t4", {**OLD_TASK, "id": "t4"}, "upsert")])  # live
        await run(db.until, lambda: "t4" in db.tasks, timeout=20)
        expected = [("t1", "write", 3), ("t2", "new", 1), ("t4", "write", 3)]
        rows = list(db.tasks)
        assert [tuple(field(row, name) for name in ("id", "title", "count")) for row in rows] == (
            expected
        )
        assert type(rows[0]) is type(task(kind))
        [invalid] = db.invalid_events
        assert (invalid.key, invalid.pointer) == ("t3", "/value")
        assert invalid.message == "upcast raised ValueError"
        await run(db.aclose if base is AsyncStreamDB else db.close)


async def run(function: Any, *args: Any, **options: Any) -> Any:
    if asyncio.iscoroutinefunction(function):
        return await function(*args, **options)
    return await asyncio.to_thread(function, *args, **options)


@pytest.mark.parametrize(
    "upcast",
    [
        lambda old: {"id": "m1", "role": old["role"], "content": old["text"]},
        lambda old: Message(id="other", role=old["role"], content=old["text"]),  # the key wins
        lambda old: {"role": old["role"], "content": old["text"]},  # KEY-4 holds for it, too
    ],
)
@pytest.mark.parametrize("form", [AsyncChat, Chat])
async def test_json_or_a_row_may_be_returned(embedded_url: str, upcast: Any, form: Any) -> None:
    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append(
            event("m1", {"role": "user", "text": "hi", "content": 5}, type_="message")
        )
        db = form(embedded_url, upcast={"message": upcast}, on_invalid="raise")
        await run(db.preload)
        assert list(db.messages) == [message("m1", "hi", role="user")]
        await run(db.aclose if form is AsyncChat else db.close)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"content": 5}, "after its upcast: expected `str`, got `int`"),
        (None, "after its upcast: expected `object`, got `null`"),
        ([], "after its upcast: expected `object`, got `array`"),
        (object(), "after its upcast: "),
        (message("m1", 5), "after its upcast: "),  # type: ignore[arg-type]  # the fault
    ],
)
async def test_what_still_does_not_fit_is_invalid(
    embedded_url: str, made: Any, reason: str
) -> None:
    """INVALID-2, INVALID-3: the value before stays."""
    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append(messages.insert(message("m1", "before")))
        await stream.append(event("m1", {"content": []}, "update", "message"))
        async with AsyncChat(
            embedded_url, upcast={"message": lambda _: made}, on_invalid="ignore"
        ) as db:
            assert list(db.messages) == [message("m1", "before")]
            [invalid] = db.invalid_events
            assert invalid.message.startswith(reason)


async def test_values_that_fit_are_not_touched(embedded_url: str) -> None:
    calls: list[Any] = []
    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append_many(
            [
                messages.insert(message(1)),
                event("2", {}, type_="message"),  # its key is put right
                messages.delete("1"),
                {"type": "message", "key": "3", "headers": {"operation": "insert"}},
                event("x", {"room": 5}, type_="sensor"),  # of another type
            ]
        )
        async with AsyncChat(
            embedded_url, upcast={"message": calls.append}, on_invalid="ignore"
        ) as db:
            assert db.messages.keys() == ["2"]
            assert db.metrics.invalid == 2
    assert calls == []


async def test_of_merged_rows_the_whole_object_is_upcast(embedded_url: str) -> None:
    """UPDATE-4: fields are laid over the row first, and the result is what may not fit."""

    def upcast(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "plan": {"gratis": "free"}[old["plan"]]}

    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append_many(
            [
                event("a", {"name": "Ada", "city": "London"}, type_="profile"),
                event("a", {"plan": "gratis"}, "update", "profile"),
                event("b", {"name": "B", "plan": "unknown"}, type_="profile"),
            ]
        )
        async with AsyncChat(embedded_url, upcast={"profile": upcast}, on_invalid="ignore") as db:
            assert list(db.profiles) == [Profile(id="a", name="Ada", city="London", plan="free")]
            assert [one.message for one in db.invalid_events] == ["upcast raised KeyError"]


async def test_reports_quote_nothing_of_the_value(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def upcast(old: dict[str, Any]) -> Any:
        raise ValueError(f"I do not know {old}")

    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append(event("m1", {"content": ["s3cret"]}, type_="message"))
        async with AsyncChat(embedded_url, upcast={"message": upcast}) as db:
            assert "upcast raised ValueError" in caplog.text
            assert "s3cret" not in caplog.text + str(db.invalid_events)


async def test_writes_are_never_upcast(embedded_url: str) -> None:
    async with AsyncChat(
        embedded_url, create=True, upcast={"message": lambda _: {"content": "made up"}}
    ) as db:
        with pytest.raises(ValueError, match="/content"):
            db.messages.insert(message(1, 5))  # type: ignore[arg-type]  # the fault


def test_upcasts_are_checked(embedded_url: str) -> None:
    async def never(old: Any) -> Any: ...

    with pytest.raises(ValueError, match=r"no collection of type 'mesage'. Did you mean 'message'"):
        AsyncChat(embedded_url, upcast={"mesage": dict})
    with pytest.raises(TypeError, match="upcast of 'message' calls a plain function"):
        AsyncChat(embedded_url, upcast={"message": never})


async def test_a_cache_does_not_outlive_an_upcast_that_is_added(
    embedded_url: str, tmp_path: Path
) -> None:
    """Without it, the event was skipped: a cache would go on without the row."""
    cache = tmp_path / "session.cache"
    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append(event("m1", {"content": 5}, type_="message"))
        async with AsyncChat(embedded_url, cache=cache, on_invalid="ignore") as db:
            assert len(db.messages) == 0
        for _ in range(2):
            async with AsyncChat(
                embedded_url, cache=cache, upcast={"message": lambda old: {"content": "5"}}
            ) as db:
                assert list(db.messages) == [message("m1", "5")]
