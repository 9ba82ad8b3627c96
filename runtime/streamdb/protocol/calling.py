"""One request, repeated until it is answered, and what its last answer means.

What is safe to repeat, and whether an earlier try may have been carried out, is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from streamdb.errors import (
    AccessDenied,
    ConnectionFailed,
    NotReached,
    ProducerFenced,
    RateLimited,
    StreamClosed,
    StreamError,
    StreamTimeout,
    UnexpectedStatus,
)
from streamdb.protocol import names
from streamdb.protocol.answers import header, integer, raise_for_answer
from streamdb.protocol.exchange import (
    Interrupted,
    NoReply,
    Operation,
    Reply,
    Request,
    Sleep,
    consult,
    exchange,
    pause,
)
from streamdb.protocol.retry import Failures, RetryPolicy, is_retryable, retry_after

# A plain append is repeated only where the server says that it did not act (CLIENT-23).
_NOT_ACTED_UPON: Final = frozenset({429, 503})
_WANTS_CREDENTIALS: Final = frozenset({401, 403})
#: The statuses of an append that is on the stream.
STORED: Final = frozenset({200, 204})

# Refusals that depend on the moment and not on the request: an earlier try that was never answered
# may well have been carried out before.
_SAYS_NOTHING_OF_EARLIER_TRIES: Final = (
    AccessDenied,
    ProducerFenced,
    RateLimited,
    StreamClosed,
    UnexpectedStatus,
)


class Answered(NamedTuple):
    """What came of a request that was repeated until it was answered.

    Attributes:
        reply: the last answer, which may be that the server failed.
        in_doubt: True if the server may have acted upon a try whose answer was lost.
    """

    reply: Reply
    in_doubt: bool


def call(
    request: Request,
    retry: RetryPolicy,
    *,
    url: str,
    doing: str,
    consults: bool = True,
    doubt: Callable[[], None] = lambda: None,
    in_doubt: bool = False,
) -> Operation[Answered]:
    """Send a request that is safe to repeat until it is answered or the policy is used up.

    Every failure that is tried again is told by :class:`Interrupted`, so that tries without end
    can be seen. ``consults`` is False where the operation around it asks the caller's handler.
    ``doubt`` is called when a try may have been acted upon without an answer: who carries this out
    may fail before the next one (a header that cannot be sent, a handle that was closed).
    ``in_doubt`` says that it may have been acted upon before this.

    Raises:
        ConnectionFailed: no answer, and no tries left.
        NotReached: not even a connection, at any try.
    """
    failures = retry.begin()
    while True:
        reply = yield from exchange(request)
        if isinstance(reply, Reply) and _is_of_another_batch(request, reply):
            reply = NoReply("the answer is to an earlier request")
        if isinstance(reply, Reply) and not is_retryable(reply.status):
            if consults and (yield from is_amended(reply, failures, url=url, doing=doing)):
                continue
            return Answered(reply, in_doubt)
        if not was_turned_away(reply):
            in_doubt = True
            doubt()
        interrupted = interruption(reply, failures, doing=doing)
        if interrupted is not None:
            yield from pause(interrupted)
        elif isinstance(reply, Reply):
            return Answered(reply, in_doubt)  # the caller turns the status into its error
        else:
            raise no_answer(reply, failures, url=url, doing=doing, in_doubt=in_doubt)


def is_amended(reply: Reply, failures: Failures, *, url: str, doing: str) -> Operation[bool]:
    """Where the server wants other credentials, ask the caller's handler for them (C10).

    Return True if the request shall go again, with what the handler gave.
    """
    if reply.status not in _WANTS_CREDENTIALS or header(reply, names.PRODUCER_EPOCH) is not None:
        return False
    try:
        raise_for_answer(reply, url=url, doing=doing, allow=frozenset())
    except StreamError as error:
        if not (yield from consult(error)):
            return False
    wait = failures.next_delay()
    if wait is not None:
        yield Sleep(wait)
    return wait is not None


def interruption(reply: Reply | NoReply, failures: Failures, *, doing: str) -> Interrupted | None:
    """Return what to tell before a failed request is repeated; None if the policy is used up."""
    if isinstance(reply, Reply):
        reason, asked = f"the server answered {reply.status}", retry_after(reply.headers)
    else:
        reason, asked = reply.reason, None
    wait = failures.next_delay(asked)
    return None if wait is None else Interrupted(doing, reason, wait, failures.count)


def back_off(
    reply: Reply | NoReply, failures: Failures, *, url: str, offset: str
) -> Operation[None]:
    """Wait before a failed request for what lies behind an offset is repeated.

    Raises:
        StreamError: what the last try came to, if the policy is used up.
    """
    interrupted = interruption(reply, failures, doing="read")
    if interrupted is not None:
        yield from pause(interrupted)
    elif isinstance(reply, Reply):
        raise_for_answer(reply, url=url, doing="read", offset=offset, allow=frozenset())
    else:
        raise no_answer(reply, failures, url=url, doing="read", offset=offset)


def no_answer(
    reply: NoReply,
    failures: Failures,
    *,
    url: str,
    doing: str,
    offset: str | None = None,
    in_doubt: bool = True,
) -> ConnectionFailed:
    """Make the error of a request that was never answered; ``in_doubt`` is that of the tries."""
    reached = StreamTimeout if reply.is_timeout else ConnectionFailed
    error = reached if in_doubt else NotReached
    return error(
        f"{doing}: {reply.reason}; gave up after {failures.count} tries: "
        "is the server running at this address?",
        url=url,
        offset=offset,
    )


def raise_for_write(answered: Answered, *, url: str, doing: str) -> None:
    """Do nothing if a write succeeded, else raise what its answer means.

    Raises:
        ConnectionFailed: it was refused, but an earlier try may have been stored (trap 20).
        StreamError: the subclass that fits; the data is not on the stream.
    """
    try:
        raise_for_answer(answered.reply, url=url, doing=doing, allow=STORED)
    except _SAYS_NOTHING_OF_EARLIER_TRIES as refusal:
        if not answered.in_doubt:
            raise
        raise unknown_outcome(
            "the server failed or an answer was lost", answered.reply, url=url, doing=doing
        ) from refusal


def _is_of_another_batch(request: Request, reply: Reply) -> bool:
    """Tell whether the numbers in an answer cannot be those of the batch that was sent.

    To take an old answer for it would lose the data silently, or stop the producer without need.
    """
    sent, epoch = request.headers.get(names.PRODUCER_SEQ), request.headers.get(names.PRODUCER_EPOCH)
    if sent is None or epoch is None:
        return False
    told_epoch = integer(reply.headers, names.PRODUCER_EPOCH)
    if reply.status in STORED:
        # PROD-9: once this number is stored, the highest one is no lower.
        told = integer(reply.headers, names.PRODUCER_SEQ)
        return (told is not None and told < int(sent)) or told_epoch not in (None, int(epoch))
    if reply.status == 409:
        return integer(reply.headers, names.PRODUCER_RECEIVED_SEQ) not in (None, int(sent))
    # Only a higher epoch fences.
    return reply.status == 403 and told_epoch is not None and told_epoch <= int(epoch)


def was_turned_away(reply: Reply | NoReply) -> bool:
    """Tell whether a try was certainly not acted upon: the server says so, or was not reached."""
    if isinstance(reply, Reply):
        return reply.status in _NOT_ACTED_UPON
    return not reply.was_sent


def unknown_outcome(reason: str, reply: Reply | None, *, url: str, doing: str) -> ConnectionFailed:
    """Make the error of a write that may be stored or not; ``reply`` is its last answer, if any."""
    return ConnectionFailed(
        f"{doing}: {reason}; whether the data was stored is unknown",
        url=url,
        status=reply.status if reply is not None else None,
    )
