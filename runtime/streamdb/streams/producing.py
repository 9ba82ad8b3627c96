"""What both producers share: what values become, and how their losses are told."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final, TypedDict, cast

from streamdb.errors import HandleClosed, ProducerFailed, StreamError
from streamdb.protocol import json_text, names
from streamdb.protocol.calling import Answered, call
from streamdb.protocol.exchange import Operation
from streamdb.protocol.pipeline import Loss, Parcel, Pipeline, ProducerOptions
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
        on_error: told of every failure at once, besides `flush` and `close`, which raise it.
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

    def __init__(self, producer_id: str | None, url: str, settings: ProducerSettings) -> None:
        options = dict(settings)
        self._retry = cast("RetryPolicy", options.pop("retry", DEFAULT_PRODUCER_RETRY))
        self._on_error = cast(
            "Callable[[ProducerFailed], object] | None", options.pop("on_error", None)
        )
        given_id = str(uuid.uuid4()) if producer_id is None else producer_id
        if not given_id or not given_id.isascii() or not given_id.isprintable():
            raise ValueError(f"the producer id is {given_id!r}: printable ASCII, not empty")
        bounds = cast("dict[str, Any]", options)
        self._pipeline: Final = Pipeline(given_id, url, ProducerOptions(**bounds))
        self._is_json: bool | None = None
        self._is_detached = False
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

    def _check_usable(self) -> None:
        if self._is_detached:
            raise HandleClosed(f"producer {self.id}: it was detached; make another one")
        if self._pipeline.failure is not None:
            raise self._failed([Loss(self._pipeline.failure)])

    def _operation(self, parcel: Parcel) -> Operation[Answered]:
        request = self._pipeline.request(parcel, self._content_type)
        url = self._pipeline.url
        return call(request, self._retry, url=url, doing="append", doubt=parcel.doubt)

    def _settle(self, parcel: Parcel, outcome: Answered | Exception) -> None:
        """Note what came of a batch, and tell what it lost."""
        known = self._pipeline.duplicates
        if isinstance(outcome, Answered):
            self._pipeline.answered(parcel, outcome)
        elif isinstance(outcome, StreamError):
            self._pipeline.gave_up(parcel, outcome)
        else:  # not about the stream: a header that cannot be sent, a handle that was closed
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
        self._tell_losses()

    def _abandon(self) -> None:
        """Stop, and tell what that leaves unwritten."""
        self._is_detached = True
        told = "append: the producer was given up before it was detached"
        self._pipeline.abandon(StreamError(told, url=self._pipeline.url))
        self._tell_losses()
        for loss in self._untold:
            log.error("%s", self._failed([loss]))

    def _tell_losses(self) -> None:
        for loss in self._pipeline.pop_losses():
            self._untold.append(loss)
            if self._on_error is not None:
                self._on_error(self._failed([loss]))

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
        losses, self._untold = self._untold, []
        if losses:
            raise self._failed(losses) from losses[0].error

    def _failed(self, losses: list[Loss]) -> ProducerFailed:
        first = losses[0].error
        unwritten = tuple(self._values(item for loss in losses for item in loss.unwritten))
        unknown = tuple(self._values(item for loss in losses for item in loss.unknown))
        told = [f"{len(unwritten)} values are not on the stream"] if unwritten else []
        told += [f"{len(unknown)} values may be on the stream or not"] if unknown else []
        failed = ProducerFailed(
            f"producer {self.id}: {'; '.join(told) or 'it has stopped'}: {first}",
            unwritten=unwritten,
            unknown=unknown,
            is_stopped=self._pipeline.failure is not None,
            url=self._pipeline.url,
            status=first.status,
        )
        failed.__cause__ = first
        return failed

    def _values(self, items: Iterable[bytes]) -> list[Any]:
        # By the standard library, which takes the lone surrogates that it wrote.
        return [json.loads(item) if self._is_json else item for item in items]
