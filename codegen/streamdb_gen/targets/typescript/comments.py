"""Descriptions as JSDoc comments that stay text: they end nowhere else and set no tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from streamdb_gen.rendering.characters import escape_hidden
from streamdb_gen.rendering.marked import Code
from streamdb_gen.rendering.prose import normalise, wrap
from streamdb_gen.targets.typescript.literals import escape_character
from streamdb_gen.targets.typescript.width import LINE_LENGTH

# `*/` would end the comment, `</script` the script of an HTML page.
_ENDS: Final = re.compile(r"(?<=\*)/|(?<=<)/(?=script)", re.IGNORECASE)
# Where a tag begins: TypeScript, linters and bundlers act on `@deprecated` and `{@link ...}`.
_TAG: Final = re.compile(r"(?<![^\s{])@")
_MARGIN: Final = " * "


@dataclass(frozen=True, slots=True)
class Documentation:
    """What a comment says: a description and tags like `@default`, each with its text."""

    description: str
    tags: tuple[tuple[Code, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tags or normalise(self.description))


def comment(said: Documentation, indent: int = 0) -> Code:
    r"""Write a JSDoc comment in a block that is ``indent`` columns deep.

    >>> print(comment(Documentation("Ends here */ @deprecated")))
    /** Ends here *\/ \@deprecated */
    """
    lines = list(_lines(said, LINE_LENGTH - indent - len(_MARGIN)))
    if len(lines) == 1 and len(f"/** {lines[0]} */") <= LINE_LENGTH - indent:
        return Code(f"/** {lines[0]} */")
    margin = "\n" + " " * indent
    body = "".join(margin + f"{_MARGIN}{line}".rstrip(" ") for line in lines)
    return Code(f"/**{body}{margin} */")


def _lines(said: Documentation, room: int) -> Iterator[str]:
    description = _escape(normalise(said.description), keep="\n")
    if description:
        for line in description.split("\n"):
            yield from wrap(line, room)
    if description and said.tags:
        yield ""
    for tag, text in said.tags:
        yield f"@{tag} {_escape(text)}"


def _escape(text: str, keep: str = "") -> str:
    visible = escape_hidden(text, keep=keep, escape=escape_character)
    return _TAG.sub(r"\\@", _ENDS.sub(r"\\/", visible))
