"""The follower: another process that sees the session live, shows it, and decides on approvals.

On a terminal it draws one table in place; elsewhere it prints a line for every event. Run by
``demo.py``; what it shows goes to standard error, which the demo joins to its own output.
"""

import asyncio
import datetime as dt
import json
import statistics
import sys

from agent_session import (
    AsyncAgentSession,
    Decision,
    DecisionVerdict,
    Presence,
    PresenceStatus,
    ToolCall,
)
from derived import Derived, Transcript
from digest import digest
from parent import orders, report, utc_now
from screen import PlainScreen, Screen, TableScreen

USER_ID = "maria"
# Words of a command, and why not.
FORBIDDEN = {"rm": "nothing shall be deleted", "everybody": "that is between us"}
THINKING_SECONDS = 0.8


class Follower:
    """Shows the messages as they grow, decides on what waits, and measures how fresh it all is."""

    def __init__(self, db: AsyncAgentSession, screen: Screen) -> None:
        self.db = db
        self.screen = screen
        self.derived = Derived(db)
        self.delays: list[float] = []
        self.shown_at_once: list[bool] = []
        self.started = utc_now()

    async def follow_messages(self) -> None:
        """Show messages that come, and what is new in those that grow."""
        async for changes in self.derived.messages.changes(initial=True):
            now = utc_now()
            for change in changes:
                if change.new is not None:
                    self.show(change.old, change.new, now)
            self.draw()

    def show(self, old: Transcript | None, new: Transcript, now: dt.datetime) -> None:
        """Show what a message has become."""
        if old is None or old.message != new.message:
            self.screen.message(new.message)
        for chunk in new.chunks[len(old.chunks) if old else 0 :]:
            if chunk.created_at > self.started:  # older ones waited for this process
                self.delays.append((now - chunk.created_at).total_seconds())
            self.screen.chunk(chunk)

    async def follow_presence(self) -> None:
        """Show who comes and goes."""
        async for changes in self.db.presence.changes(initial=True):
            for change in changes:
                if change.new is not None:
                    self.screen.presence(change.new)
            self.draw()

    async def follow_tool_calls(self) -> None:
        """Show tool calls."""
        async for changes in self.db.tool_calls.changes(initial=True):
            for change in changes:
                if change.new is not None:
                    self.screen.tool_call(change.new)
            self.draw()

    async def follow_approvals(self) -> None:
        """Decide on tool calls that wait for it."""
        async for changes in self.derived.approvals.changes(initial=True):
            for change in changes:
                known = change.old.waiting if change.old else []
                for call in change.new.waiting if change.new else []:
                    if call not in known and call.call_id not in self.db.decisions:
                        await asyncio.sleep(THINKING_SECONDS)
                        await self.decide(call)

    async def decide(self, call: ToolCall) -> None:
        """Allow what only reads, deny what deletes or tells others; it shows here at once."""
        reason = next((FORBIDDEN[word] for word in call.command if word in FORBIDDEN), None)
        verdict: DecisionVerdict = "approved" if reason is None else "denied"
        decision = Decision(
            call_id=call.call_id,
            verdict=verdict,
            decided_by=USER_ID,
            reason=reason,
            decided_at=utc_now(),
        )
        transaction = self.db.actions.decide(decision)
        self.shown_at_once.append(
            self.db.decisions.get(call.call_id) == decision and transaction.status == "queued"
        )
        await transaction
        self.screen.decision(decision)

    def draw(self) -> None:
        """Bring the screen up to date."""
        messages = [(t.message, t.message.content or t.text) for t in self.derived.messages]
        self.screen.draw(messages, list(self.db.tool_calls), list(self.db.presence))

    def show_presence(self, status: PresenceStatus) -> None:
        """Tell the others that this user is here."""
        self.db.presence.upsert(Presence(user_id=USER_ID, status=status, seen_at=utc_now()))


async def until_told(follower: Follower, lines: asyncio.StreamReader) -> None:
    """Follow until the demo says where the session ends; then report what was seen."""
    line = await lines.readline()
    if not line:
        return
    db = follower.db
    await db.await_txid(json.loads(line)["last_txid"], timeout=20)
    await asyncio.sleep(0)  # let the iterations take that commit
    grown = [transcript for transcript in follower.derived.messages if transcript.chunks]
    delays = sorted(follower.delays)
    report(
        digest=digest(db.collections),
        events=db.metrics.events,
        commits=db.metrics.commits,
        grown_is_final=all(transcript.text == transcript.message.content for transcript in grown),
        decisions=len(follower.shown_at_once),
        shown_at_once=all(follower.shown_at_once),
        delay_p50_ms=statistics.median(delays) * 1000,
        delay_p99_ms=delays[int(len(delays) * 0.99)] * 1000,
    )
    await lines.read()


async def main(url: str) -> None:
    """Follow the session until the demo lets go."""
    screen: Screen = TableScreen() if sys.stderr.isatty() else PlainScreen()
    async with orders() as lines, AsyncAgentSession(url) as db:
        follower = Follower(db, screen)
        follower.show_presence("online")
        with screen:
            following = [
                asyncio.create_task(following)
                for following in (
                    follower.follow_messages(),
                    follower.follow_approvals(),
                    follower.follow_presence(),
                    follower.follow_tool_calls(),
                )
            ]
            told = asyncio.create_task(until_told(follower, lines))
            await asyncio.wait({told, *following}, return_when=asyncio.FIRST_COMPLETED)
            for task in (told, *following):
                task.cancel()
            results = await asyncio.gather(told, *following, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
