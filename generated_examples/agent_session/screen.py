"""How a session looks: a table drawn in place on a terminal, plain lines elsewhere."""

import sys
from types import TracebackType
from typing import Self

from agent_session import Chunk, Decision, Message, Presence, TextDelta, ToolCall
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

LEAST_LINES = 3
FRAME_LINES = 3  # of a message: its border, and one line to spare
STATUS_STYLES = {
    "waiting": "bold yellow",
    "running": "cyan",
    "done": "green",
    "failed": "red",
    "denied": "red",
    "online": "green",
    "away": "yellow",
    "offline": "dim",
}


def printable(text: str) -> str:
    """Text of a stream is data: control characters must not reach the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


class Screen:
    """What a follower shows, event by event and as a whole."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the last picture standing."""

    def draw(
        self, messages: list[tuple[Message, str]], calls: list[ToolCall], people: list[Presence]
    ) -> None:
        """Show the session as it is now; the text of a message may still grow."""

    def chunk(self, chunk: Chunk) -> None:
        """A chunk came."""

    def message(self, message: Message) -> None:
        """A message came or changed."""

    def tool_call(self, call: ToolCall) -> None:
        """A tool call came or changed."""

    def decision(self, decision: Decision) -> None:
        """This user decided."""

    def presence(self, presence: Presence) -> None:
        """Somebody came, went or does something else."""


class PlainScreen(Screen):
    """One line for every event; text by the line."""

    def __init__(self) -> None:
        self._line = ""

    def draw(
        self, messages: list[tuple[Message, str]], calls: list[ToolCall], people: list[Presence]
    ) -> None:
        """The lines have said it all."""

    def chunk(self, chunk: Chunk) -> None:
        *lines, self._line = (self._line + chunk.part.text).split("\n")
        mark = " " if isinstance(chunk.part, TextDelta) else "|"
        for line in lines:
            self._say(f"{chunk.message_id} {mark} {line}")

    def message(self, message: Message) -> None:
        if message.role == "user":
            self._say(f"{message.id}   {message.author} asks: {message.content}")
        else:
            self._say(f"{message.id}   {message.author}: {message.status}")

    def tool_call(self, call: ToolCall) -> None:
        ended = "" if call.exit_code is None else f" (exit {call.exit_code})"
        self._say(f"tool {call.call_id} {call.status}{ended}: {' '.join(call.command)}")

    def decision(self, decision: Decision) -> None:
        reason = f": {decision.reason}" if decision.reason else ""
        self._say(f"tool {decision.call_id} {decision.verdict} by {decision.decided_by}{reason}")

    def presence(self, presence: Presence) -> None:
        self._say(f"{presence.user_id} is {presence.status} {presence.activity or ''}".rstrip())

    def _say(self, line: str) -> None:
        print(printable(line)[:110], file=sys.stderr, flush=True)


class TableScreen(Screen):
    """One picture, drawn in place."""

    def __init__(self) -> None:
        # Standard output carries reports to the demo: rich must leave it alone.
        self._live = Live(
            console=Console(file=sys.stderr),
            refresh_per_second=12,
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def draw(
        self, messages: list[tuple[Message, str]], calls: list[ToolCall], people: list[Presence]
    ) -> None:
        # The tool calls must be seen, for they may wait for an answer; messages take the rest.
        taken = 1 + 5 + len(calls) + FRAME_LINES * len(messages)
        free = self._live.console.size.height - taken - (len(messages) - 1)
        lines = max(LEAST_LINES, free)
        self._live.update(Group(_people(people), _calls(calls), _messages(messages, lines)))


def _people(people: list[Presence]) -> Text:
    line = Text("here: ")
    for person in people:
        line.append(f"● {printable(person.user_id)} ", STATUS_STYLES[person.status])
        line.append(f"{printable(person.activity or person.status)}   ", "dim")
    return line


def _messages(messages: list[tuple[Message, str]], shown_lines: int) -> Group:
    panels: list[Panel] = []
    for message, text in messages:
        lines = printable(text).rstrip("\n").split("\n")[-shown_lines:]
        state = " …" if message.status == "streaming" else ""
        title = Text(f"{printable(message.author)}{state}")
        body = Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
        panels.append(Panel(body, title=title, title_align="left"))
    return Group(*panels)


def _calls(calls: list[ToolCall]) -> Table:
    waiting = sum(call.status == "waiting" for call in calls)
    table = Table(title=f"tool calls, {waiting} waiting for approval", expand=True)
    table.add_column("call", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("command", no_wrap=True, overflow="ellipsis", ratio=1)
    for call in calls:
        ended = "" if call.exit_code is None else f" ({call.exit_code})"
        table.add_row(
            Text(printable(call.call_id)),
            Text(call.status + ended, STATUS_STYLES[call.status]),
            Text(printable(" ".join(call.command))),
        )
    return table
