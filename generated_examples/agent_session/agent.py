"""The agent: answers a question by running real commands, and streams what they print.

It owns the session's data file: its own database reads and writes it in process, and a server on
loopback shares the same file with everybody else. Run by ``demo.py``; talks to it in JSON lines.
"""

import asyncio
import shlex
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from agent_session import (
    Agent,
    AsyncAgentSession,
    Chunk,
    FinishToolCallInput,
    Message,
    Part,
    Presence,
    PresenceStatus,
    TextDelta,
    ToolCall,
    ToolOutput,
    ToolOutputChannel,
)
from digest import digest
from parent import orders, report, utc_now
from summaries import AGENT_ID, AgentActions, decision_on, summarize

from streamdb_server import serving

SUMMARIES = ("A summary for everybody", "A summary for maria")
QUESTION = "What machine is this, is there room on its disk, and how big is this project?"
COUNT_LINES = "find {root} -name '*.py' -not -path '*/.venv/*' | xargs wc -l | sort -n | tail -6"


class Step:
    """One thing to do: a sentence, then a command; dangerous ones are asked for first."""

    def __init__(self, sentence: str, *command: str, ask: bool = False) -> None:
        self.sentence = sentence
        self.command = command
        self.ask = ask


def plan(root: Path) -> list[Step]:
    """What the agent does to answer: commands that any machine with a shell has."""
    count = COUNT_LINES.format(root=shlex.quote(str(root)))
    return [
        Step("First, what this machine is.", "uname", "-srm"),
        Step("Then, room on the disk.", "df", "-h", str(root)),
        Step(
            "Is it busy? I look at the load, five times.",
            "sh",
            "-c",
            "for i in 1 2 3 4 5; do cat /proc/loadavg; sleep 0.4; done",
        ),
        Step("May I read the project's files to count lines?", "sh", "-c", count, ask=True),
        Step("And may I clean up behind you?", "rm", "-rf", str(root / ".demo"), ask=True),
    ]


class Writer:
    """Writes one streaming message, chunk by chunk."""

    def __init__(self, db: AsyncAgentSession, message_id: str) -> None:
        self.db = db
        self.message_id = message_id
        self.text = ""
        self.seq = 0

    def write(self, part: Part) -> None:
        """Append a chunk; it is on its way when this returns."""
        self.db.chunks.insert(
            Chunk(
                id=f"{self.message_id}:{self.seq}",
                message_id=self.message_id,
                seq=self.seq,
                part=part,
                created_at=utc_now(),
            )
        )
        self.seq += 1
        self.text += part.text

    async def say(self, sentence: str) -> None:
        """Write a sentence as a model would: word by word."""
        for word in sentence.split():
            self.write(TextDelta(text=word + " "))
            await asyncio.sleep(0.02)
        self.write(TextDelta(text="\n"))


async def run_step(db: AsyncAgentSession, writer: Writer, number: int, step: Step) -> None:
    """Say what comes, ask if need be, run the command and stream its output."""
    await writer.say(step.sentence)
    call = ToolCall(
        call_id=f"call-{number}",
        message_id=writer.message_id,
        agent_id=AGENT_ID,
        command=step.command,
        needs_approval=step.ask,
        status="waiting" if step.ask else "running",
    )
    await db.tool_calls.insert(call).synced()
    if step.ask:
        decision = await decision_on(db, call.call_id)
        if decision.verdict == "denied":
            db.actions.finish_tool_call(
                FinishToolCallInput(call_id=call.call_id, status="denied", finished_at=utc_now())
            )
            await writer.say(f"Then I leave that ({decision.reason or 'no reason given'}).")
            return
        db.tool_calls.update(call.call_id, status="running")
    exit_code = await stream_command(writer, call)
    db.actions.finish_tool_call(
        FinishToolCallInput(
            call_id=call.call_id,
            status="done" if exit_code == 0 else "failed",
            exit_code=exit_code,
            finished_at=utc_now(),
        )
    )


async def stream_command(writer: Writer, call: ToolCall) -> int:
    """Run a command and write its output line by line as it comes."""
    process = await asyncio.create_subprocess_exec(
        *call.command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None

    async def pump(lines: AsyncIterator[bytes], channel: ToolOutputChannel) -> None:
        async for line in lines:
            text = line.decode("utf-8", "replace")
            writer.write(ToolOutput(call_id=call.call_id, channel=channel, text=text))

    try:
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(pump(process.stdout, "stdout"))
            pumps.create_task(pump(process.stderr, "stderr"))
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def answer(db: AsyncAgentSession, root: Path) -> None:
    """Take the question and answer it, start to end."""
    await db.actions.say(
        Message(
            id="m1",
            role="user",
            author="maria",
            status="complete",
            content=QUESTION,
            created_at=utc_now(),
        )
    )
    writer = Writer(db, "m2")
    db.messages.insert(
        Message(
            id="m2",
            role="assistant",
            author=AGENT_ID,
            status="streaming",
            content="",
            created_at=utc_now(),
        )
    )
    for number, step in enumerate(plan(root), start=1):
        show(db, "online", f"step {number}")
        await run_step(db, writer, number, step)
    await writer.say("That is all.")
    await db.messages.update("m2", content=writer.text, status="complete").synced()


def show(db: AsyncAgentSession, status: PresenceStatus, activity: str) -> None:
    """Tell the others what the agent is at."""
    db.presence.upsert(
        Presence(user_id=AGENT_ID, status=status, activity=activity, seen_at=utc_now())
    )


async def work(db: AsyncAgentSession, root: Path) -> None:
    """Answer the question, then tell the demo how it went."""
    started = time.perf_counter()
    db.agents.upsert(Agent(agent_id=AGENT_ID, name="Ada", tools=["sh", "df", "uname", "rm"]))
    await answer(db, root)
    summaries = [await summarize(db, title) for title in SUMMARIES]
    seconds = time.perf_counter() - started
    show(db, "offline", "done")
    last = db.agents.update(AGENT_ID, name="Ada (retired)")
    await last.synced()
    report(
        last_txid=last.txid,
        digest=digest(db.collections),
        events=db.metrics.events,
        chunks=len(db.chunks),
        seconds=seconds,
        summaries=summaries,
    )


async def main(file: Path, root: Path) -> None:
    """Serve the session's file, work, and stay until the demo lets go."""
    with serving(file) as server:
        session = AsyncAgentSession(f"embedded:{file}#demo", create=True, actions=AgentActions)
        async with orders() as lines, session as db:
            report(url=server.url + "demo")
            working = asyncio.create_task(work(db, root))
            leaving = asyncio.create_task(lines.read())
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()  # raises what went wrong
                await leaving
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
    except KeyboardInterrupt:
        sys.exit(130)
