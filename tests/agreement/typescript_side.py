"""The generated TypeScript package as a side: ajv, as `createStateSchema` calls it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from tests.agreement.cases import Case
from tests.agreement.sides import Verdict
from tests.codegen.typescript.peer import TypeScript
from tests.interop.node import FOLDER, Node
from tests.interop.processes import Ended, Peer, running

from streamdb_gen import api
from streamdb_gen.ir import Spec


class TypeScriptSide:
    """The Standard Schemas of `index.ts`, on rows as JSON.parse gives them."""

    name = "typescript"

    def __init__(self, typescript: TypeScript) -> None:
        self._typescript: Final = typescript
        self._made = ("", "")

    def judge(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[Verdict]:
        try:
            found = self._typescript.verdicts(self._index(spec), texts, collection=case.collection)
        except Ended:
            return [None] * len(texts)
        return ["issues" not in verdict for verdict in found]

    def rewrite(self, case: Case, spec: Spec, texts: Sequence[str]) -> list[str]:
        return self._typescript.rewritten(self._index(spec), texts, collection=case.collection)

    def _index(self, spec: Spec) -> str:
        """The module; it is kept for the other cases of its spec, as the peer keeps it."""
        digest, index = self._made
        if digest != spec.digest:
            index = api.generate(spec, "typescript")["index.ts"]
            self._made = (spec.digest, index)
        return index


@contextmanager
def typescript_side(node: Node) -> Iterator[TypeScriptSide]:
    """The side, as long as the block lasts."""
    with running([node.node, FOLDER / "peers" / "typescript.mjs"]) as process:
        yield TypeScriptSide(TypeScript(Peer(process)))
