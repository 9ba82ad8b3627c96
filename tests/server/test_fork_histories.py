"""Random histories of forks, compared with a model that copies whatever a fork shares."""

from __future__ import annotations

import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streamdb_server import open_store
from streamdb_server.errors import SoftDeleted
from streamdb_server.storage.appending import Append, AppendOutcome
from streamdb_server.storage.creating import CreateOutcome, Creation
from streamdb_server.storage.deleting import DeleteOutcome
from streamdb_server.storage.forks import ForkPoint

TEXT = "text/plain"
NAMES = "abcde"
PICKS = st.integers(0, 9)
CONTENT = st.binary(min_size=1, max_size=4)


@dataclass
class Model:
    """A stream with all its content, shared or not."""

    parts: list[bytes]
    source: str | None = None
    is_deleted: bool = False

    def ends(self) -> list[int]:
        """The offsets that a reader may have got."""
        return [len(b"".join(self.parts[:count])) for count in range(len(self.parts) + 1)]


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "streams.db"
        self.model: dict[str, Model] = {}
        self.store = open_store(self.path)
        self.put("a", b"")
        for content in (b"one", b"two", b"three"):
            self.post("a", content)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def picked(self, pick: int) -> str:
        """Mostly a stream that is there, sometimes a name that is free."""
        there = sorted(self.model)
        return there[pick % len(there)] if there and pick else NAMES[-1]

    def has_forks(self, path: str) -> bool:
        return any(one.source == path for one in self.model.values())

    @rule(pick=PICKS, content=st.just(b"") | CONTENT)
    def create(self, pick: int, content: bytes) -> None:
        self.put(self.picked(pick), content)

    def put(self, path: str, content: bytes) -> None:
        asked = Creation(content_type=TEXT, content=content)
        outcome = self.store.create(path, asked).result().outcome
        model = self.model.get(path)
        if model is None:
            assert outcome is CreateOutcome.CREATED
            self.model[path] = Model([content] if content else [])
        elif model.is_deleted:
            assert outcome is CreateOutcome.DELETED
        elif model.source is not None:
            assert outcome is CreateOutcome.DIFFERENT
        else:
            assert outcome is CreateOutcome.EXISTS

    @precondition(lambda self: len(self.model) < len(NAMES))
    @rule(
        pick=PICKS,
        content=st.just(b"") | CONTENT,
        boundary=st.none() | st.integers(0, 8),
        beside=st.sampled_from([0, 0, 0, 0, 1]),
        sub_offset=st.sampled_from([0, 0, 0, 1, 2, 4]),
    )
    def fork(
        self, pick: int, content: bytes, boundary: int | None, beside: int, sub_offset: int
    ) -> None:
        source = self.picked(pick)
        path = min(set(NAMES) - self.model.keys())
        at = None
        if boundary is not None:
            ends = self.model[source].ends() if source in self.model else [0]
            at = ends[boundary % len(ends)] + beside
        point = ForkPoint(source, at, sub_offset)
        asked = Creation(content_type=TEXT, content=content, fork=point)
        outcome = self.store.create(path, asked).result().outcome
        origin = self.model.get(source)
        if origin is None:
            assert outcome is CreateOutcome.SOURCE_MISSING
            return
        if origin.is_deleted:
            assert outcome is CreateOutcome.SOURCE_DELETED
            return
        ends = origin.ends()
        position = ends[-1] if at is None else at
        index = ends.index(position) if position in ends else None
        following = b"" if index is None else b"".join(origin.parts[index : index + 1])
        if index is None or sub_offset > len(following):
            assert outcome is CreateOutcome.BAD_FORK_POINT
            return
        assert outcome is CreateOutcome.CREATED
        own = [part for part in (following[:sub_offset], content) if part]
        self.model[path] = Model([*origin.parts[:index], *own], source)

    @rule(pick=PICKS, content=CONTENT)
    def append(self, pick: int, content: bytes) -> None:
        self.post(self.picked(pick), content)

    def post(self, path: str, content: bytes) -> None:
        request = Append(content=content, content_type=TEXT)
        outcome = self.store.append(path, request).result().outcome
        model = self.model.get(path)
        if model is None:
            assert outcome is AppendOutcome.MISSING
        elif model.is_deleted:
            assert outcome is AppendOutcome.GONE
        else:
            assert outcome is AppendOutcome.STORED
            model.parts.append(content)

    @rule(pick=PICKS)
    def delete(self, pick: int) -> None:
        path = self.picked(pick)
        outcome = self.store.delete(path).result()
        model = self.model.get(path)
        if model is None:
            assert outcome is DeleteOutcome.MISSING
            return
        assert outcome is (DeleteOutcome.GONE if model.is_deleted else DeleteOutcome.DELETED)
        model.is_deleted = True
        while (unneeded := self.find_unneeded()) is not None:
            del self.model[unneeded]

    def find_unneeded(self) -> str | None:
        for path, model in self.model.items():
            if model.is_deleted and not self.has_forks(path):
                return path
        return None

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_store(self.path)

    @rule(pick=PICKS, limit=st.integers(1, 8), boundary=st.integers(0, 8))
    def read(self, pick: int, limit: int, boundary: int) -> None:
        path = self.picked(pick)
        model = self.model.get(path)
        if model is None or model.is_deleted:
            return
        ends = model.ends()
        start = ends[boundary % len(ends)]
        position, parts = start, list[bytes]()
        while (page := self.store.read(path, position, limit=limit)) is not None:
            parts += page.contents
            if page.up_to_date:
                break
            assert page.contents
            position = page.end
        assert parts == model.parts[ends.index(start) :]

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        for path in NAMES:
            model = self.model.get(path)
            try:
                stream = self.store.head(path)
            except SoftDeleted:
                assert model is not None
                assert model.is_deleted
                continue
            assert (stream is None) is (model is None)
            if stream is not None and model is not None:
                assert not model.is_deleted
                assert stream.tail == model.ends()[-1]
        db = sqlite3.connect(self.path)
        assert {path for (path,) in db.execute("SELECT path FROM streams")} == set(self.model)
        db.close()


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
