"""The store without HTTP: commits, order, sharing, and a model to compare with."""

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streamdb_server import Store, StoreClosed, open_store
from streamdb_server.storage.appending import Append, AppendOutcome
from streamdb_server.storage.creating import CreateOutcome, Creation
from streamdb_server.storage.deleting import DeleteOutcome
from streamdb_server.storage.producers import Claim
from streamdb_server.storage.transaction import Transaction

TEXT = "text/plain"


def text(content: bytes, **rest: object) -> Append:
    return Append(content=content, content_type=TEXT, **rest)  # type: ignore[arg-type] # passed on


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "streams.db") as store:
        yield store


@pytest.fixture
def stream(store: Store) -> str:
    store.create("s", Creation(content_type=TEXT)).result()
    return "s"


def content(store: Store, path: str) -> bytes:
    page = store.read(path, 0, limit=10**9)
    assert page is not None
    return b"".join(page.contents)


def test_concurrent_appends_are_all_there_in_one_order_server_3(store: Store, stream: str) -> None:
    tails: dict[str, list[int]] = {}

    def write(name: str) -> None:
        tails[name] = []
        for number in range(50):
            appended = store.append(stream, text(f"{name}{number};".encode())).result()
            assert appended.stream is not None
            tails[name].append(appended.stream.tail)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = sorted(tail for mine in tails.values() for tail in mine)
    assert len(set(every)) == 200
    assert all(mine == sorted(mine) for mine in tails.values())
    words = content(store, stream).decode().split(";")[:-1]
    for name in "abcd":
        assert [word for word in words if word[0] == name] == [f"{name}{n}" for n in range(50)]


def test_one_producer_on_many_threads_is_serialised_prod_6(store: Store, stream: str) -> None:
    futures = [store.append(stream, text(b"x", claim=Claim("p", 0, n))) for n in range(100)]
    assert {future.result().outcome for future in futures} == {AppendOutcome.STORED}


def test_waiting_commands_share_a_commit(store: Store, stream: str) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def block(_: Transaction) -> None:
        entered.set()
        assert go_on.wait(20)

    blocked = store.write(block)
    assert entered.wait(20)
    transactions: list[Transaction] = []
    waiting = [store.write(transactions.append) for _ in range(10)]
    go_on.set()
    for future in [blocked, *waiting]:
        future.result()
    assert len({id(transaction) for transaction in transactions}) == 1


def test_a_failing_command_takes_no_other_along_append_1(store: Store, stream: str) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def block(_: Transaction) -> None:
        entered.set()
        assert go_on.wait(20)

    def fail_half_way(tx: Transaction) -> None:
        tx.db.execute("UPDATE streams SET tail = 12345")
        raise ZeroDivisionError

    store.write(block)
    assert entered.wait(20)
    before = store.append(stream, text(b"a"))
    failing = store.write(fail_half_way)
    after = store.append(stream, text(b"b"))
    go_on.set()
    assert before.result().outcome is after.result().outcome is AppendOutcome.STORED
    with pytest.raises(ZeroDivisionError):
        failing.result()
    assert content(store, stream) == b"ab"


def test_a_caller_that_goes_away_does_not_undo_its_append(store: Store, stream: str) -> None:
    future = store.append(stream, text(b"abc"))
    assert not future.cancel()
    future.result()
    assert content(store, stream) == b"abc"


def test_a_read_is_one_snapshot_server_7(store: Store, stream: str) -> None:
    """A page never claims a tail or a closing that its content does not reach."""
    stop = threading.Event()
    odd: list[str] = []

    def read() -> None:
        while not stop.is_set():
            page = store.read(stream, 0)
            assert page is not None
            if page.end != page.stream.tail or sum(map(len, page.contents)) != page.end:
                odd.append(f"{page.end} {page.stream.tail}")
            if page.final and not b"".join(page.contents).endswith(b"end"):
                odd.append("closed without its last data")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(100):
        store.append(stream, text(b"x")).result()
    store.append(stream, text(b"end", close=True)).result()
    stop.set()
    for reader in readers:
        reader.join()
    assert odd == []


def test_everything_survives_reopening_server_4(tmp_path: Path) -> None:
    path = tmp_path / "streams.db"
    with open_store(path) as store:
        store.create("s", Creation(content_type=TEXT)).result()
        store.append("s", text(b"abc", claim=Claim("p", 1, 0), seq="5")).result()
        store.append("s", text(b"def", claim=Claim("p", 1, 1), close=True)).result()
        store.create("open", Creation(content_type=TEXT, content=b"x")).result()
        store.append("open", text(b"y", claim=Claim("p", 7, 0), seq="5")).result()
        before = store.head("s")
    with open_store(path) as store:
        assert store.head("s") == before
        assert content(store, "s") == b"abcdef"
        again = store.append("s", text(b"def", claim=Claim("p", 1, 1), close=True)).result()
        assert again.outcome is AppendOutcome.DUPLICATE
        regression = store.append("open", text(b"z", seq="5")).result()
        assert regression.outcome is AppendOutcome.SEQ_REGRESSION
        fenced = store.append("open", text(b"z", claim=Claim("p", 6, 0))).result()
        assert fenced.outcome is AppendOutcome.FENCED


def test_opened_twice_it_is_one_store(tmp_path: Path) -> None:
    path = tmp_path / "streams.db"
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with open_store(path) as one:
        with open_store(link) as two:
            assert two is one
        one.create("s", Creation(content_type=TEXT)).result()  # still open
    with pytest.raises(StoreClosed):
        one.head("s")
    with pytest.raises(StoreClosed):
        one.create("s", Creation(content_type=TEXT))


def test_closing_commits_what_is_queued_and_leaves_nothing(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    path = tmp_path / "streams.db"
    store = open_store(path)
    store.create("s", Creation(content_type=TEXT))
    appends = [store.append("s", text(b"x")) for _ in range(300)]
    store.in_thread(lambda: None).result()
    store.close()
    assert all(future.done() for future in appends)
    assert set(threading.enumerate()) == threads
    assert sorted(file.name for file in tmp_path.iterdir()) == ["streams.db", "streams.db-lock"]
    with open_store(path) as store:
        assert content(store, "s") == b"x" * 300


def test_an_empty_file_is_a_new_store(tmp_path: Path) -> None:
    path = tmp_path / "streams.db"
    path.touch()
    with open_store(path) as store:
        assert store.create("s", Creation(content_type=TEXT)).result().stream is not None


@dataclass
class Model:
    """What a stream is, in the plainest words."""

    content_type: str
    parts: list[bytes]
    closed: bool
    ttl: int | None
    deadline: float | None
    last_seq: str | None = None
    producers: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    closed_by: tuple[str, int, int] | None = None


PATHS = st.sampled_from(["a", "b"])
TYPES = st.sampled_from([TEXT, "text/html"])
CONTENT = st.sampled_from([b"x", b"yy", b"zzz"])
CLAIMS = st.none() | st.builds(Claim, st.sampled_from("pq"), st.integers(0, 2), st.integers(0, 3))


class Comparison(RuleBasedStateMachine):
    """Random histories give the same answers as the model, across reopening."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = 1_800_000_000.0
        self.model: dict[str, Model] = {}
        self.store = self.open()

    def open(self) -> Store:
        return open_store(Path(self.folder.name) / "streams.db", clock=lambda: self.now)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def find(self, path: str) -> Model | None:
        model = self.model.get(path)
        if model and model.deadline is not None and self.now >= model.deadline:
            del self.model[path]
            return None
        return model

    def access(self, path: str) -> Model | None:
        model = self.find(path)
        if model and model.ttl is not None:
            model.deadline = self.now + model.ttl
        return model

    @rule(
        path=PATHS,
        kind=TYPES,
        initial=st.just(b"") | CONTENT,
        closed=st.booleans(),
        ttl=st.sampled_from([None, 5]),
    )
    def create(self, path: str, kind: str, initial: bytes, closed: bool, ttl: int | None) -> None:
        created = self.store.create(
            path, Creation(content_type=kind, content=initial, closed=closed, ttl=ttl)
        ).result()
        model = self.find(path)
        if model is None:
            assert created.outcome is CreateOutcome.CREATED
            deadline = None if ttl is None else self.now + ttl
            self.model[path] = Model(kind, [initial] if initial else [], closed, ttl, deadline)
        elif (model.content_type, model.closed, model.ttl) == (kind, closed, ttl):
            assert created.outcome is CreateOutcome.EXISTS
        else:
            assert created.outcome is CreateOutcome.DIFFERENT

    @rule(
        path=PATHS,
        kind=TYPES,
        data=st.none() | CONTENT,
        close=st.booleans(),
        seq=st.none() | st.sampled_from(["1", "10", "2"]),
        claim=CLAIMS,
    )
    def append(
        self,
        path: str,
        kind: str,
        data: bytes | None,
        close: bool,
        seq: str | None,
        claim: Claim | None,
    ) -> None:
        close = close or data is None
        request = Append(content=data, content_type=kind, close=close, seq=seq, claim=claim)
        got = self.store.append(path, request).result()
        assert got.outcome is self.expect(self.access(path), request)

    def expect(self, model: Model | None, request: Append) -> AppendOutcome:
        claim = request.claim
        if model is None:
            return AppendOutcome.MISSING
        if model.closed:
            if claim is not None and claim == model.closed_by:
                return AppendOutcome.DUPLICATE
            if claim is None and request.content is None:
                return AppendOutcome.ALREADY_CLOSED
            return AppendOutcome.CLOSED
        if request.content is not None and request.content_type != model.content_type:
            return AppendOutcome.TYPE_MISMATCH
        if claim is not None:
            epoch, last = model.producers.get(claim.id, (claim.epoch, -1))
            if claim.epoch < epoch:
                return AppendOutcome.FENCED
            if claim.epoch > epoch and claim.seq != 0:
                return AppendOutcome.BAD_EPOCH_START
            if claim.epoch == epoch and claim.seq <= last:
                return AppendOutcome.DUPLICATE
            if claim.epoch == epoch and claim.seq > last + 1:
                return AppendOutcome.GAP
        if request.seq is not None and model.last_seq is not None and request.seq <= model.last_seq:
            return AppendOutcome.SEQ_REGRESSION
        if claim is not None:
            model.producers[claim.id] = (claim.epoch, claim.seq)
        if request.seq is not None:
            model.last_seq = request.seq
        if isinstance(request.content, bytes):
            model.parts.append(request.content)
        if request.close:
            model.closed = True
            model.closed_by = claim
        return AppendOutcome.STORED

    @rule(path=PATHS)
    def delete(self, path: str) -> None:
        outcome = self.store.delete(path).result()
        assert (outcome is DeleteOutcome.DELETED) is (self.find(path) is not None)
        self.model.pop(path, None)

    @rule(path=PATHS, limit=st.integers(1, 8))
    def read(self, path: str, limit: int) -> None:
        model = self.access(path)
        position, parts = 0, list[bytes]()
        while (page := self.store.read(path, position, limit=limit)) is not None:
            assert model is not None
            assert page.contents or page.up_to_date
            assert page.final is (model.closed and page.up_to_date)
            parts += page.contents
            if page.up_to_date:
                break
            position = page.end
        assert (page is None) is (model is None)
        assert model is None or parts == model.parts

    @rule(seconds=st.sampled_from([1, 4, 5, 100]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.model)
    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.open()

    @invariant()
    def heads_agree(self) -> None:
        for path in "ab":
            model, stream = self.find(path), self.store.head(path)
            assert (stream is None) is (model is None)
            if stream is not None and model is not None:
                assert stream.tail == len(b"".join(model.parts))
                assert stream.closed is model.closed


TestComparison = Comparison.TestCase
TestComparison.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
