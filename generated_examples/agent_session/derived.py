"""What follows from a session: messages as they grow out of chunks, and what waits for approval.

Each layer is a live query of the one below: chunks and tool calls, messages, approvals.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent_session import AsyncAgentSession, Chunk, Message, ToolCall

from streamdb import AsyncLiveQuery, Opaque, fn


@dataclass(frozen=True)
class Transcript:
    """A message with what it has grown out of, and the tool calls made for it."""

    message: Message
    chunks: Sequence[Chunk] = field(default=(), repr=False)
    calls: Sequence[ToolCall] = ()

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(chunk.part.text for chunk in self.chunks)

    @property
    def waiting(self) -> list[ToolCall]:
        """Its tool calls that wait for a decision."""
        return [call for call in self.calls if call.status == "waiting"]


def materialize(
    message: Message,
    _of_chunks: str | None,
    chunks: Sequence[Chunk] | None,
    _of_calls: str | None,
    calls: Sequence[ToolCall] | None,
) -> Transcript:
    """Make a message of what belongs to it; there may be nothing yet."""
    return Transcript(message, chunks or (), calls or ())


class Derived:
    """The live queries of one session."""

    def __init__(self, db: AsyncAgentSession) -> None:
        chunks = db.chunks.group_by(lambda c: c.message_id).agg(lambda c: fn.collect(c, by=c.seq))
        calls = db.tool_calls.group_by(lambda t: t.message_id).agg(lambda t: fn.collect(t))
        self.messages: AsyncLiveQuery[Transcript, Opaque[Transcript]] = db.live(
            db.messages.join(chunks, on=lambda m, of, _: m.id == of, how="left")
            .join(calls, on=lambda m, _of, _chunks, by, _: m.id == by, how="left")
            .order_by(lambda m, _of, _chunks, _by, _calls: (m.created_at, m.id))
            .map(materialize)
        )
        self.approvals = db.live(self.messages.filter(lambda transcript: bool(transcript.waiting)))
