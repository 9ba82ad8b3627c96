"""The TypeScript peer's database, `createStreamDB`, as the tests use it."""

from __future__ import annotations

import itertools
from typing import Any, Final, Protocol

from tests.interop.processes import Peer
from tests.interop.writes import Rows, Write, without_additions

_NAMES: Final = itertools.count()


class TypeScriptDatabase:
    """One open database in the process of ``peers/database.mjs``; it follows live.

    Args:
        live: ``"sse"``, ``"long-poll"``, or True for the library's own choice.
    """

    def __init__(self, process: Peer, url: str, live: str | bool) -> None:
        self._process = process
        self._name = f"database {next(_NAMES)}"
        self._ask("open", url=url, live=live)

    def rows(self, txid: str | None = None) -> Rows:
        """The rows, once a transaction has come by."""
        return without_additions(self._ask("rows", txid=txid))

    def changes(self) -> list[list[str]]:
        """`[collection, kind, key]` of what was seen, the first rows as inserts."""
        changes: list[list[str]] = self._ask("changes")
        return changes

    def put(self, write: Write) -> bool:
        """Insert by an optimistic action, until it has come back; tell if it showed before."""
        showed_at_once: bool = self._ask(
            "put", collection=write.collection, value=write.value, txid=write.txid
        )
        return showed_at_once

    def close(self) -> None:
        self._ask("close")

    def _ask(self, command: str, **arguments: Any) -> Any:
        return self._process.ask(command, name=self._name, **arguments)


class OpenTypeScript(Protocol):
    """Opens databases; the fixture closes them."""

    def __call__(self, url: str, live: str | bool = True) -> TypeScriptDatabase: ...
