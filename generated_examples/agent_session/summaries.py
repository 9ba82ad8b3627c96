"""An action that the application writes: a summary that shows at once, if the user agrees for good.

The agent's process shows it and asks; the user decides in another process. What is denied is taken
back, as if it had never been there.
"""

import datetime as dt

from agent_session import (
    AsyncActions,
    AsyncAgentSession,
    AsyncSummarizeStub,
    Decision,
    FinishToolCallInput,
    Message,
    SummarizeInput,
    ToolCall,
)

from streamdb import AsyncActionTransaction, TransactionFailed

AGENT_ID = "ada"
SUMMARY_ID = "summary"


class Denied(Exception):
    """The user does not want it."""


class Summarize(AsyncSummarizeStub):
    """Shows a summary, and publishes it if it is allowed."""

    def on_mutate(self, data: SummarizeInput, /) -> None:
        """Show it to who looks in this process."""
        self.db.messages.insert(
            Message(
                id=SUMMARY_ID,
                role="assistant",
                author=AGENT_ID,
                status="complete",
                content=f"{data.title}: {len(self.db.tool_calls)} commands were wanted.",
                created_at=dt.datetime.now(dt.UTC),
            )
        )

    async def persist(self, data: SummarizeInput, tx: AsyncActionTransaction, /) -> None:
        """Ask, and send it as it shows."""
        call_id = f"call-{len(self.db.tool_calls) + 1}"
        self.db.tool_calls.insert(
            ToolCall(
                call_id=call_id,
                message_id="m2",
                agent_id=AGENT_ID,
                command=("publish", *data.title.split()),
                needs_approval=True,
                status="waiting",
            )
        )
        decision = await decision_on(self.db, call_id)
        is_denied = decision.verdict == "denied"
        self.db.actions.finish_tool_call(
            FinishToolCallInput(
                call_id=call_id,
                status="denied" if is_denied else "done",
                finished_at=dt.datetime.now(dt.UTC),
            )
        )
        if is_denied:
            raise Denied(f"{decision.decided_by} says: {decision.reason}")
        await tx.send()


class AgentActions(AsyncActions):
    """The actions of the agent's database."""

    summarize = Summarize()


async def decision_on(db: AsyncAgentSession, call_id: str) -> Decision:
    """Wait until somebody decides."""
    return await db.until(db.decisions, where=lambda d: d.call_id == call_id)


async def summarize(db: AsyncAgentSession, title: str) -> dict[str, str | int]:
    """Summarize, and tell what showed before, meanwhile and after."""
    before = len(db.messages)
    transaction = db.actions.summarize(SummarizeInput(title=title))
    meanwhile = len(db.messages)
    try:
        await transaction
        outcome = "it is on the stream"
    except TransactionFailed as error:
        outcome = f"taken back ({error.__cause__})"
    after = len(db.messages)
    return {
        "title": title,
        "before": before,
        "meanwhile": meanwhile,
        "after": after,
        "outcome": outcome,
    }
