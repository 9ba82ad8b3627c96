"""What both producers share: what values become, and how their losses are told."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final, TypedDict, cast

from streamdb.errors import HandleClosed, ProducerFailed, StreamError
from streamdb.known_options import refuse_unknown
from streamdb.plain_functions import refuse_async
from streamdb.protocol import json_text, names
from streamdb.protocol.calling import Answered, call
from streamdb.protocol.exchange import Answer, Operation
from streamdb.protocol.parcel import Loss, Parcel
from streamdb.protocol.pipeline import Pipeline
from streamdb.protocol.producer_options import ProducerOptions
from streamdb.protocol.retry import RetryPolicy

log: Final = logging.getLogger("streamdb.streams")

#: Two minutes of trying, for a batch that was never answered.
DEFAULT_PRODUCER_RETRY: Final = RetryPolicy(initial=0.1, multiplier=1.5, maximum=10.0, elapsed=120)


class ProducerSettings(TypedDict, total=False):
    """What `producer` takes besides the id; see :class:`ProducerOptions`.

    Attributes:
        epoch: fences earlier writers of the same id; one more than the last one used.
        auto_claim: when the epoch is fenced, or was used before, take the id over with the next
            one instead of failing: for who does not keep epochs. Without it, batches with numbers
            that the server has had before are taken for repetitions, and not stored again; a
            warning says so, as does ``duplicate`` of what `flush` returns.
        linger: seconds that a value may wait for company before it is sent.
        max_batch_bytes: a batch that has reached this size is sent at once.
        max_batch_items: the same in values.
        max_in_flight: requests under way at once.
        max_buffered_bytes: with so much not yet stored, `append` waits.
        retry: how long a batch is repeated that gets no answer, or 429, or 5xx.
        on_error: told of every failure at once, besides `flush` and `close`, which raise it
            afterwards. What it raises itself is logged, and changes nothing.
    """

    epoch: int
    auto_claim: bool
    linger: float
    max_batch_bytes: int
    max_batch_items: int | None
    max_in_flight: int
    max_buffered_bytes: int
    retry: RetryPolicy
    on_error: Callable[[ProducerFailed], object]


class ProducerBase:
    """Encoding, and errors; the pipeline decides everything else."""

    def __init__(
        self,
        producer_id: str | None,
        url: str,
        settings: ProducerSettings,
        busy: set[ProducerBase],
    ) -> None:
        refuse_unknown(settings, ProducerSettings.__optional_keys__)
        options = dict(settings)
        self._retry = cast("RetryPolicy", options.pop("retry", DEFAULT_PRODUCER_RETRY))
        self._on_error = cast(
            "Callable[[ProducerFailed], object] | None", options.pop("on_error", None)
        )
        if self._on_error is not None:
            refuse_async(
                self._on_error,
                "on_error of a producer",
                "pass a function that creates a task, or await `flush()`, which raises the failure",
            )
        given_id = str(uuid.uuid4()) if producer_id is None else producer_id
        if not given_id or not given_id.isascii() or not given_id.isprintable():
            raise ValueError(f"the producer id is {given_id!r}: printable ASCII, not empty")
        bounds = cast("dict[str, Any]", options)
        self._pipeline: Final = Pipeline(given_id, url, ProducerOptions(**bounds))
        self._is_json: bool | None = None
        self._is_detached = False
        self._is_given_up = False
        self._busy: Final = busy  # held by the handle, as long as something is to be sent or told
        self._content_type = names.DEFAULT_MEDIA_TYPE
        self._untold: list[Loss] = []

    @property
    def id(self) -> str:
        """The producer id."""
        return self._pipeline.id

    @property
    def epoch(self) -> int:
        """The epoch now: it grows with `restart`, with a claim, and where a request was lost.

        Who keeps an id over restarts begins with this plus one.
        """
        return self._pipeline.epoch

    @property
    def offset(self) -> str | None:
        """The tail behind what was stored last, where the server has said it."""
        return self._pipeline.offset

    @property
    def duplicates(self) -> int:
        """How many values the server took for repetitions of an earlier run, and did not store."""
        return self._pipeline.duplicates

    @property
    def duplicate_bytes(self) -> int:
        """The same in bytes, as they were sent."""
        return self._pipeline.duplicate_bytes

    def _check_usable(self) -> None:
        if self._is_detached:
            raise HandleClosed(f"producer {self.id}: it was detached; make another one")
        if self._pipeline.failure is not None:
            raise self._failed([Loss(self._pipeline.failure)])

    def _operation(self, parcel: Parcel) -> Operation[Answered]:
        request = parcel.request(self.id, self._content_type)
        url = self._pipeline.url
        operation = call(request, self._retry, url=url, doing="append", doubt=parcel.doubt)
        answer: Answer = None
        while not self._is_given_up:
            try:
                effect = operation.send(answer)
            except StopIteration as stop:
                answered: Answered = stop.value
                return answered
            answer = yield effect
        raise HandleClosed(f"producer {self.id}: it was given up")

    def _settle(self, parcel: Parcel, outcome: Answered | Exception) -> list[ProducerFailed]:
        """Note what came of a batch; return what is to be told to the handler."""
        known = self._pipeline.duplicates
        if isinstance(outcome, Answered):
            self._pipeline.answered(parcel, outcome)
        elif isinstance(outcome, StreamError):
            self._pipeline.gave_up(parcel, outcome)
        else:  # not about the stream: a header that cannot be sent, a handle that was closed
            if isinstance(outcome, HandleClosed):
                parcel.doubt()  # perhaps in the midst of the request: the server may act upon it
            told = f"append: {type(outcome).__name__}: {outcome}"
            error = StreamError(told, url=self._pipeline.url)
            error.__cause__ = outcome
            self._pipeline.gave_up(parcel, error)
        if known == 0 < self._pipeline.duplicates:
            log.warning(
                "%s: producer %s: the server has had batch %d of epoch %d before: what is appended "
                "now is stored only if this repeats an earlier run; if not, use a higher epoch",
                self._pipeline.url,
                self.id,
                parcel.seq,
                parcel.epoch,
            )
        return self._take_losses()

    def _abandon(self) -> list[ProducerFailed]:
        """Stop, and log what that leaves unwritten; return what is to be told to the handler."""
        if self._is_given_up:
            return []
        self._is_detached = self._is_given_up = True
        told = "append: the producer was given up before it was detached"
        self._pipeline.abandon(StreamError(told, url=self._pipeline.url))
        failures = self._take_losses()
        for loss in self._untold:
            log.error("%s", self._failed([loss]))
        self._busy.discard(self)
        return failures

    def _take_losses(self) -> list[ProducerFailed]:
        losses = self._pipeline.pop_losses()
        self._untold += losses
        self._let_go_if_done()
        return [self._failed([loss]) for loss in losses] if self._on_error is not None else []

    def _let_go_if_done(self) -> None:
        if self._pipeline.is_idle and not self._untold:
            self._busy.discard(self)

    def _tell(self, failures: Iterable[ProducerFailed]) -> None:
        """Call the handler; no lock may be held, for it may do what it likes."""
        for failure in failures:
            try:
                if self._on_error is not None:
                    self._on_error(failure)
            except Exception:
                log.exception("%s: producer %s: on_error failed", self._pipeline.url, self.id)

    def _learn(self, content_type: str) -> None:
        self._content_type = content_type
        self._is_json = names.media_type(content_type) == names.JSON_MEDIA_TYPE

    def _encode(self, value: Any) -> bytes:
        if self._is_json:
            return json_text.encode(value)
        if type(value) is bytes and value:
            return value
        if isinstance(value, str):
            value = value.encode()
        if not isinstance(value, bytes):
            raise TypeError(
                f"a stream of {self._content_type} takes bytes or text, not {type(value).__name__}"
            )
        if not value:
            raise ValueError("an append must hold data (CLIENT-28)")
        return value

    def _raise_losses(self) -> None:
        if self._untold:
            failed = self._failed(self._untold)
            self._untold = []
            self._let_go_if_done()
            raise failed

    def _check_closed(self) -> None:
        """Raise if the stream is open still, though another call was told why."""
        if not self._pipeline.is_closed:
            self._check_usable()
            told = "close: the stream is still open; the call that began to close it was told why"
            raise self._failed([Loss(StreamError(told, url=self._pipeline.url))])

    def _failed(self, losses: list[Loss]) -> ProducerFailed:
        first = losses[0].error
        unwritten = tuple(self._values(item for loss in losses for item in loss.unwritten))
        unknown = tuple(self._values(item for loss in losses for item in loss.unknown))
        told = [f"{len(unwritten)} values are not on the stream"] if unwritten else []
        told += [f"{len(unknown)} values may be on the stream or not"] if unknown else []
        if not told and self._pipeline.failure is not None:
            told = ["it has stopped"]
        failed = ProducerFailed(
            ": ".join([f"producer {self.id}", *(["; ".join(told)] if told else []), str(first)]),
            unwritten=unwritten,
            unknown=unknown,
            is_stopped=self._pipeline.failure is not None,
            url=self._pipeline.url,
            status=first.status,
        )
        failed.__cause__ = first
        return failed

    def _values(self, items: Iterable[bytes]) -> list[Any]:
        return [self._value(item) if self._is_json else item for item in items]

    def _value(self, item: bytes) -> Any:
        # By the standard library, which takes the lone surrogates that it wrote. What it does not
        # take (a number of thousands of digits, written by `__json__`) stays as it was sent.
        try:
            return json.loads(item)
        except (ValueError, RecursionError):
            return item
