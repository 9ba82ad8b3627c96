"""The idempotent producer as a state machine without I/O (sections 7 and 8 of the protocol).

Data goes in at one end and collects in batches; a driver takes batches out at the other, sends
each, and tells what the server answered. What this module decides is all that matters: which number
a batch carries, what may be sent beside what, what a refusal means for the batches behind it, and
what became of every single value.

Three rules keep values from being lost or doubled:

- A number is never given to other data while a request with it may still be under way (CLIENT-31).
  After a refusal everything in flight is waited for; if one of those answers never came, the
  numbers begin anew in a new epoch, which fences the stray (PROD-15).
- A batch is stored when the server says so, or when it says so of a later one of its epoch.
- What was not stored is told, with the values: as unwritten, or as unknown if an answer was lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from streamdb.errors import (
    BadRequest,
    ConnectionFailed,
    HandleClosed,
    NotReached,
    PayloadTooLarge,
    ProducerFenced,
    ProducerGap,
    StreamError,
)
from streamdb.protocol import names
from streamdb.protocol.answers import header
from streamdb.protocol.calling import Answered, raise_for_write
from streamdb.protocol.exchange import Reply
from streamdb.protocol.parcel import Loss, Parcel
from streamdb.protocol.producer_options import ProducerOptions
from streamdb.protocol.results import Appended

# What a smaller batch may not meet: one value that is no JSON, or a body that is too large.
_MAY_FIT_IN_PARTS: Final = (BadRequest, PayloadTooLarge)
# A server that goes on telling of a gap means it: its data was restored from before.
_MOST_BELIED_GAPS: Final = 5


@dataclass(slots=True)
class Pipeline:
    """One producer: numbers, batches, and the fate of every value.

    Attributes:
        id: the producer id.
        url: the stream's address, for messages.
        options: its bounds.
        epoch: the current epoch; may grow (see the module).
        failure: what stopped the producer, if something did. Nothing is sent any more.
        losses: refusals that are still to be told.
        offset: the tail behind the last batch that was stored; None where the server does not say
            it: an older one would have a reader go over what came since (PROD-12).
        duplicates: values in batches that the server says it had before this producer sent them.
        duplicate_bytes: the same in bytes.
        is_closed: True once a closing batch was stored.
        room: bytes that may still be added before `append` should wait; 0 or less if none.
    """

    id: str
    url: str
    options: ProducerOptions
    epoch: int = field(init=False)
    failure: StreamError | None = field(init=False, default=None)
    losses: list[Loss] = field(init=False, default_factory=list[Loss])
    offset: str | None = field(init=False, default=None)
    duplicates: int = field(init=False, default=0)
    duplicate_bytes: int = field(init=False, default=0)
    is_closed: bool = field(init=False, default=False)
    room: int = field(init=False)
    _most_bytes: int = field(init=False)
    _most_items: int | None = field(init=False)
    _collecting: list[bytes] = field(init=False, default_factory=list[bytes])
    _collecting_bytes: int = field(init=False, default=0)
    _due_at: float | None = field(init=False, default=None)
    _ready: deque[Parcel] = field(init=False, default_factory=deque[Parcel])
    _in_flight: list[Parcel] = field(init=False, default_factory=list[Parcel])  # by number
    _put_so_far: int = field(init=False, default=0)  # weight of all that was ever ready
    _next_seq: int = field(init=False, default=0)
    _stored_seq: int = field(init=False, default=-1)  # of this epoch
    _is_settling: bool = field(init=False, default=False)  # nothing is sent until all is answered

    def __post_init__(self) -> None:
        """Begin with the epoch that was given."""
        self.epoch = self.options.epoch
        self.room = self.options.max_buffered_bytes
        self._most_bytes = self.options.max_batch_bytes
        self._most_items = self.options.max_batch_items

    # --- values go in

    def add(self, item: bytes, clock: Callable[[], float]) -> bool:
        """Take a value. Return True if the driver has something to do: a timer, or a request.

        Raises:
            HandleClosed: the stream is closed behind what was added before, or will be.
            StreamError: the producer has failed.
        """
        size = len(item)
        collecting = self._collecting
        total = self._collecting_bytes + size
        is_first = not collecting or total > self._most_bytes
        if is_first:
            if self.failure is not None:  # nothing is collected beyond a failure
                raise self.failure
            if self.is_ending:  # nor behind the closing
                raise HandleClosed(
                    f"producer {self.id}: it closes the stream behind what was appended before; "
                    "nothing more can be appended"
                )
            self.seal()
            collecting, total = self._collecting, size
            self._due_at = clock() + self.options.linger
        collecting.append(item)
        self._collecting_bytes = total
        self.room -= size
        if total >= self._most_bytes or len(collecting) == self._most_items:
            self.seal()
            return True
        return is_first

    def seal(self) -> None:
        """Let what has been collected go as it is."""
        if self._collecting:
            self._put(Parcel(self._collecting))
            self._collecting, self._collecting_bytes, self._due_at = [], 0, None

    def close(self, last: Sequence[bytes]) -> None:
        """Close the stream behind all that was added, with last values (PROD-17, PROD-18).

        Raises:
            StreamError: the producer has failed.
        """
        if self.failure is not None:
            raise self.failure
        self.seal()
        parcel = Parcel(last, closes=True)
        self.room -= parcel.size
        self._put(parcel)

    def _put(self, parcel: Parcel) -> None:
        self._ready.append(parcel)
        self._put_so_far += parcel.weight

    # --- requests come out

    def take(self, now: float) -> Parcel | None:
        """Return the next batch to send, if one may be sent now."""
        if self._is_settling or self.failure is not None:
            return None
        in_flight = self._in_flight
        if in_flight and not in_flight[0].is_under_way:
            return self._send(in_flight[0], is_first=True)  # it came before its turn (CLIENT-34)
        if self._is_window_full():
            return None
        if not self._ready:
            if self._due_at is None or now < self._due_at:
                return None
            self.seal()
        parcel = self._ready.popleft()
        parcel.epoch, parcel.seq = self.epoch, self._next_seq
        self._next_seq += 1
        in_flight.append(parcel)
        return self._send(parcel, is_first=len(in_flight) == 1)

    def _is_window_full(self) -> bool:
        # The first of an epoch goes alone: a second one that overtakes it would look like a bad
        # beginning (decision table: e > E, s != 0), and a claim may fail (CLIENT-33).
        window = self.options.max_in_flight if self._stored_seq >= 0 else 1
        return len(self._in_flight) >= window

    def _send(self, parcel: Parcel, *, is_first: bool) -> Parcel:
        parcel.is_under_way = True
        parcel.was_first = is_first
        return parcel

    # --- answers come back

    def answered(self, parcel: Parcel, answered: Answered) -> None:
        """Take the answer to a batch that was taken."""
        parcel.is_under_way = False
        parcel.in_doubt = parcel.in_doubt or answered.in_doubt
        try:
            raise_for_write(Answered(answered.reply, parcel.in_doubt), url=self.url, doing="append")
        except ProducerGap as gap:
            if parcel.was_first and not self._is_belied(parcel, gap):
                self._stop(parcel, gap)  # all before it were stored, and the server forgot them
        except StreamError as refusal:
            self._stop(parcel, refusal)
        else:
            self._take_success(parcel, answered.reply)
        self._settle()

    def _is_belied(self, parcel: Parcel, gap: ProducerGap) -> bool:
        # An old answer, from when this batch came before its turn: the number that it wants is
        # known to be stored. Who has forgotten this producer would want 0 (PROD-14).
        if not 0 < gap.expected <= self._stored_seq:
            return False
        parcel.belied_gaps += 1
        return parcel.belied_gaps <= _MOST_BELIED_GAPS

    def _take_success(self, parcel: Parcel, reply: Reply) -> None:
        # Known already, although no answer of ours was lost: another run used this number of this
        # epoch. Who does not keep epochs cannot mean a repetition, nor does a new epoch repeat
        # anything; who gave the epoch may (CLIENT-32).
        is_foreign = reply.status == 204 and bool(parcel.items) and not parcel.in_doubt
        is_given = not self.options.auto_claim and parcel.epoch == self.options.epoch
        if is_foreign and not is_given and self._stored_seq < 0:
            # Or the network delivered it twice, and this answer is to the second delivery.
            parcel.in_doubt = not self.options.auto_claim
            message = f"append: epoch {parcel.epoch} of this producer id was used before"
            self._stop(parcel, ProducerFenced(message, epoch=parcel.epoch, url=self.url))
            return
        if is_foreign:
            self.duplicates += len(parcel.items)
            self.duplicate_bytes += parcel.size
        self._stored(parcel, header(reply, names.STREAM_NEXT_OFFSET))

    def gave_up(self, parcel: Parcel, error: StreamError) -> None:
        """Take that a batch was never answered, or could not be sent."""
        parcel.is_under_way = False
        is_lost = isinstance(error, ConnectionFailed) and not isinstance(error, NotReached)
        parcel.in_doubt = parcel.in_doubt or is_lost
        self._stop(parcel, error)
        self._settle()

    def _stored(self, parcel: Parcel, offset: str | None) -> None:
        if parcel not in self._in_flight:
            return  # an answer to a later one told before
        if parcel.epoch == self.epoch and parcel.seq > self._stored_seq:
            self._stored_seq = parcel.seq
            self.offset = offset
        for known in [one for one in self._in_flight if one.seq <= parcel.seq]:
            self.is_closed = self.is_closed or known.closes
            self._release(known)

    def _release(self, parcel: Parcel) -> None:
        self._in_flight.remove(parcel)
        self.room += parcel.size

    def _stop(self, parcel: Parcel, error: StreamError) -> None:
        if parcel in self._in_flight:
            parcel.error = error
            self._is_settling = True

    def _settle(self) -> None:
        """Decide, once everything in flight is answered, what the refusals among it mean."""
        if not self._is_settling or any(one.is_under_way for one in self._in_flight):
            return
        self._is_settling = False
        stopped = next((one for one in self._in_flight if one.error is not None), None)
        if stopped is None or stopped.error is None:
            return  # an answer to a later one told that it is stored
        error = stopped.error
        if isinstance(error, ProducerFenced) and self.options.auto_claim:
            self._begin_epoch(error.epoch + 1)
            self._send_again([])
        elif isinstance(error, _MAY_FIT_IN_PARTS):
            # A copy of it may be under way still, or was stored and refused by a proxy when it came
            # again: another batch under its number would be taken for it, and be lost.
            if stopped.in_doubt:
                self._begin_epoch(self.epoch + 1)
            self._send_again(self._parts(stopped, error))
        else:
            self._fail(error)

    def _parts(self, refused: Parcel, error: StreamError) -> list[Parcel]:
        """Halve a batch that was refused, or let go of the one value that it is."""
        self._release(refused)
        items = refused.items
        if len(items) < 2:
            self.losses.append(Loss(error, unwritten=tuple(items)))
            return []
        middle = len(items) // 2
        return [Parcel(items[:middle]), Parcel(items[middle:], closes=refused.closes)]

    def _send_again(self, parts: Iterable[Parcel]) -> None:
        """Put back what was in flight, behind the parts of what was refused."""
        if any(one.in_doubt for one in self._in_flight):
            self._begin_epoch(self.epoch + 1)
        again = [*parts, *self._in_flight]
        self._in_flight.clear()
        self._next_seq = self._stored_seq + 1
        for parcel in reversed(again):
            parcel.in_doubt, parcel.error = False, None
            self._ready.appendleft(parcel)
        self._count_room()

    def abandon(self, error: StreamError) -> None:
        """Stop here: what is under way is unknown, what waits is unwritten."""
        if not self.is_idle and self.failure is None:
            for parcel in self._in_flight:
                parcel.in_doubt = parcel.in_doubt or parcel.is_under_way
            self._fail(error)

    def _begin_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self._next_seq = 0
        self._stored_seq = -1

    def _fail(self, error: StreamError) -> None:
        self.failure = error
        self.seal()
        unknown = [one for one in self._in_flight if one.in_doubt]
        unwritten = [one for one in (*self._in_flight, *self._ready) if not one.in_doubt]
        self.losses.append(Loss(error, _items(unwritten), _items(unknown)))
        self._in_flight.clear()
        self._ready.clear()
        self._count_room()
        self._next_seq = self._stored_seq + 1

    def _count_room(self) -> None:
        held = sum(parcel.size for parcel in (*self._in_flight, *self._ready))
        self.room = self.options.max_buffered_bytes - held - self._collecting_bytes

    # --- state

    @property
    def is_ending(self) -> bool:
        """True if the stream was closed, or a batch that closes it is on its way: the last one."""
        waiting = self._ready or self._in_flight
        return self.is_closed or (bool(waiting) and waiting[-1].closes)

    @property
    def is_idle(self) -> bool:
        """True if every value that was added has met its fate."""
        return not (self._collecting or self._ready or self._in_flight)

    def mark(self) -> int:
        """Let go what was collected, and return a mark behind it for :meth:`is_settled`."""
        self.seal()
        return self._put_so_far

    def is_settled(self, mark: int) -> bool:
        """True if every value before the mark has met its fate: they do so in order."""
        waiting = sum(one.weight for one in (*self._in_flight, *self._ready))
        return self._put_so_far - waiting >= mark

    @property
    def is_full(self) -> bool:
        """True if so much waits that `append` should, too."""
        return self.room <= 0

    @property
    def has_more(self) -> bool:
        """True if something waits to be sent."""
        return bool(self._ready or self._collecting)

    @property
    def due_at(self) -> float | None:
        """When to look again without an answer: when what is collected has lingered enough."""
        held_back = self._is_settling or self.failure is not None or self._is_window_full()
        return None if held_back else self._due_at

    def restart(self) -> None:
        """Begin the next epoch, after a failure or to fence a copy of oneself (PROD-15)."""
        fenced_by = self.failure.epoch if isinstance(self.failure, ProducerFenced) else self.epoch
        self.failure = None
        self._begin_epoch(max(self.epoch, fenced_by) + 1)

    def pop_losses(self) -> list[Loss]:
        """Return what is still to be told, once."""
        told, self.losses = self.losses, []
        return told

    def last(self) -> Appended:
        """What the last batch that was stored came to."""
        return Appended(self.offset, duplicate=self.duplicates > 0)


def _items(parcels: Iterable[Parcel]) -> tuple[bytes, ...]:
    return tuple(item for parcel in parcels for item in parcel.items)
