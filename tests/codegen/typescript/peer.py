"""TypeScript, prettier and ajv, in one process of Node.js that all tests share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from tests.interop.processes import Peer


class Documented(TypedDict):
    """A comment: its text, and the tags that TypeScript finds in it."""

    text: str
    tags: list[list[str]]


class Member(Documented):
    """A property of an interface; the literals are those of its type, if it has any."""

    name: str
    optional: bool
    literals: list[Any]


class Definition(Documented, total=False):
    """A type of `models.ts`: an interface has members, an alias literals."""

    name: str
    members: list[Member]
    literals: list[Any]


class Verdict(TypedDict, total=False):
    """What a Standard Schema says: the same value back and nothing else, or issues."""

    same: bool
    issues: list[dict[str, Any]]


class TypeScript:
    """What `peers/typescript.mjs` does, as functions."""

    def __init__(self, peer: Peer) -> None:
        self._peer: Final = peer

    def formatted(self, sources: Sequence[str]) -> list[str]:
        """The sources as prettier would leave them."""
        answer: list[str] = self._ask("format", sources=sources)
        return answer

    def errors(self, files: Mapping[str, str]) -> list[str]:
        """The syntax errors of some modules."""
        answer: list[str] = self._ask("errors", files=files)
        return answer

    def types(self, models: str) -> list[Definition]:
        """The definitions of a `models.ts`."""
        answer: list[Definition] = self._ask("types", source=models)
        return answer

    def exports(self, index: str) -> dict[str, Any]:
        """What an `index.ts` exports: `collections`, names of `inputs` and the `jsonSchema`."""
        answer: dict[str, Any] = self._ask("exports", source=index)
        return answer

    def verdicts(self, index: str, texts: Sequence[str], **schema: str) -> list[Verdict]:
        """What the schema of a `collection` or `action` says of values, given as JSON text."""
        answer: list[Verdict] = self._ask("verdicts", source=index, texts=texts, **schema)
        return answer

    def rewritten(self, index: str, texts: Sequence[str], *, collection: str) -> list[str]:
        """What is written of valid rows of a collection, given as JSON text."""
        found: list[str] = self._ask("rewritten", source=index, texts=texts, collection=collection)
        return found

    def searches(self, patterns: Sequence[str], texts: Sequence[str]) -> list[list[bool] | str]:
        """For each pattern in which texts it is found; the error of one that is none."""
        answer: list[list[bool] | str] = self._ask("searches", patterns=patterns, texts=texts)
        return answer

    def _ask(self, command: str, **arguments: Any) -> Any:
        return self._peer.ask(command, **arguments)
