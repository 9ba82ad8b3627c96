"""The producer's state machine against a model of the server, and a network that loses things."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.runtime.protocol.player import reply

from streamdb.errors import ConnectionFailed
from streamdb.protocol.calling import Answered
from streamdb.protocol.exchange import Reply, Request
from streamdb.protocol.parcel import Parcel
from streamdb.protocol.pipeline import Pipeline
from streamdb.protocol.producer_options import ProducerOptions

URL = "http://server/v1/stream/s"
BYTES = "application/octet-stream"


@dataclass
class Server:
    """The decision table of the protocol, on one stream and one producer."""

    poison: frozenset[bytes] = frozenset()
    log: list[bytes] = field(default_factory=list[bytes])
    epoch: int = -1
    seq: int = -1
    closer: tuple[int, int] | None = None

    def take(self, request: Request) -> Reply:
        epoch = int(request.headers["Producer-Epoch"])
        seq = int(request.headers["Producer-Seq"])
        if self.closer is not None:
            return reply(204 if self.closer == (epoch, seq) else 409, next="end", closed=True)
        if epoch < self.epoch:
            return reply(403, headers={"producer-epoch": str(self.epoch)})
        if epoch > self.epoch and seq != 0:
            return reply(400)
        if epoch == self.epoch and seq <= self.seq:
            return reply(204)
        if epoch == self.epoch and seq != self.seq + 1:
            expected = {"producer-expected-seq": str(self.seq + 1)}
            return reply(409, headers={**expected, "producer-received-seq": str(seq)})
        items = request.body.split(b",") if request.body else []
        if self.poison.intersection(items):
            return reply(400)
        self.epoch, self.seq = epoch, seq
        self.log += filter(None, items)
        if "Stream-Closed" in request.headers:
            self.closer = (epoch, seq)
        return reply(200, next=str(len(self.log)))


class Network:
    """Carries requests in any order, loses them or their answers, and lets strays arrive late."""

    def __init__(self, chance: random.Random, server: Server, machine: Pipeline) -> None:
        self._chance = chance
        self._server = server
        self._machine = machine
        self._under_way: list[tuple[Parcel, Request, bool]] = []
        self._strays: list[Request] = []

    def step(self, *, is_calm: bool) -> bool:
        """Let one thing happen. Return False if there is nothing that could."""
        while (parcel := self._machine.take(0.0)) is not None:
            self._under_way.append((parcel, parcel.request("p", BYTES), False))
        if not self._under_way:
            return False
        position = self._chance.randrange(len(self._under_way))
        parcel, request, in_doubt = self._under_way.pop(position)
        what = "answered" if is_calm else self._chance.choice(EVENTS)
        if what == "answered":
            self._machine.answered(parcel, Answered(self._server.take(request), in_doubt))
        elif what == "answer lost":
            self._server.take(request)
            self._under_way.append((parcel, request, True))  # it is repeated
        elif what == "astray":
            self._strays.append(request)
            self._under_way.append((parcel, request, True))
        elif what == "given up":
            self._strays.append(request)
            self._machine.gave_up(parcel, ConnectionFailed("gave up"))
        else:
            self._under_way.append((parcel, request, in_doubt))
            if self._strays:
                self._server.take(self._strays.pop(self._chance.randrange(len(self._strays))))
        return True


EVENTS = ["answered", "answered", "answered", "answer lost", "astray", "stray arrives", "given up"]


def run(
    seed: int, *, count: int, poison: Iterable[int], auto_claim: bool, closes: bool, size: int
) -> tuple[list[bytes], list[bytes], Server, Pipeline]:
    """Write values through a bad network, restarting after failures; then let it calm down."""
    chance = random.Random(seed)
    values = [b"%d," % number for number in range(count)]
    server = Server(frozenset(b"%d" % number for number in poison))
    options = ProducerOptions(
        auto_claim=auto_claim, max_batch_items=size, max_in_flight=3, linger=5
    )
    machine = Pipeline("p", URL, options)
    network = Network(chance, server, machine)
    unwritten: list[bytes] = []
    unknown: list[bytes] = []

    def settle() -> None:
        for loss in machine.pop_losses():
            unwritten.extend(loss.unwritten)
            unknown.extend(loss.unknown)
        if machine.failure is not None:
            machine.restart()

    for number, value in enumerate(values):
        machine.add(value, lambda: 0.0)
        for _ in range(chance.randrange(3)):
            network.step(is_calm=False)
            settle()
        if closes and number == count - 1:
            machine.close([])
    machine.seal()
    for _ in range(chance.randrange(10)):
        network.step(is_calm=False)
        settle()
    while network.step(is_calm=True):
        settle()
    assert machine.is_idle
    return unwritten, unknown, server, machine


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 14),
    poison=st.sets(st.integers(0, 13), max_size=2),
    auto_claim=st.booleans(),
    closes=st.booleans(),
    size=st.integers(1, 4),
)
@example(seed=0, count=3, poison=set(), auto_claim=False, closes=True, size=1)
def test_every_value_is_stored_once_or_told(
    seed: int, count: int, poison: set[int], auto_claim: bool, closes: bool, size: int
) -> None:
    unwritten, unknown, server, machine = run(
        seed, count=count, poison=poison, auto_claim=auto_claim, closes=closes, size=size
    )
    values = [b"%d" % number for number in range(count)]
    told_unwritten = [value.rstrip(b",") for value in unwritten]
    told_unknown = [value.rstrip(b",") for value in unknown]
    assert server.log == [value for value in values if value in server.log], "order, or a double"
    assert not set(told_unwritten) & set(server.log), "told as unwritten, and on the stream"
    assert sorted({*server.log, *told_unwritten, *told_unknown}) == sorted(values), "lost"
    assert len(told_unwritten) == len(set(told_unwritten))
    if machine.is_closed:
        assert server.closer is not None


def test_the_simulation_meets_what_it_is_for() -> None:
    met: set[str] = set()
    for seed in range(300):
        unwritten, unknown, server, _ = run(
            seed, count=9, poison=[4], auto_claim=False, closes=False, size=3
        )
        met |= {"unwritten"} if unwritten else set()
        met |= {"unknown"} if unknown else set()
        met |= {"all but the poison"} if len(server.log) == 8 else set()
        met |= {"new epoch"} if server.epoch > 0 else set()
    assert met == {"unwritten", "unknown", "all but the poison", "new epoch"}
