"""Python source in the making: its lines, and the objects that its names stand for.

Text of a schema, a stream or a query never becomes source: names of columns do, if they are plain
identifiers, everything else is an object that a made-up name is bound to. So the same source serves
all queries of one shape, and is compiled once.
"""

from __future__ import annotations

import functools
from types import CodeType
from typing import Any, Final


class SourceCode:
    """The body of one generated function, written line by line.

    >>> code = SourceCode()
    >>> seven = code.bind(7)
    >>> code.line(f"return value + {seven}")
    >>> code.function("value")(1)
    8
    """

    def __init__(self) -> None:
        self._lines: Final[list[str]] = []
        self._bound: Final[dict[str, object]] = {}
        self._locals = 0
        self._depth = 1

    def bind(self, value: object) -> str:
        """Return a name that stands for an object."""
        name = f"c{len(self._bound)}"
        self._bound[name] = value
        return name

    def local(self) -> str:
        """Return a name for a variable."""
        self._locals += 1
        return f"t{self._locals}"

    def line(self, text: str) -> None:
        """Write a line."""
        self._lines.append("    " * self._depth + text)

    def indent(self, opening: str) -> None:
        """Write a line that opens a block; all that follows is in it."""
        self.line(opening)
        self._depth += 1

    def dedent(self, levels: int = 1) -> None:
        """Leave blocks."""
        self._depth -= levels

    @property
    def depth(self) -> int:
        """How many blocks are open."""
        return self._depth

    def function(self, *parameters: str) -> Any:
        """Compile what was written, as a function of those parameters."""
        names = ", ".join(self._bound)
        source = (
            f"def make({names}):\n"
            f"  def generated({', '.join(parameters)}):\n"
            + "\n".join(self._lines)
            + "\n  return generated\n"
        )
        namespace: dict[str, Any] = {}
        exec(_compiled(source), namespace)  # noqa: S102 - the source is ours, see above
        return namespace["make"](*self._bound.values())


@functools.lru_cache(maxsize=1000)
def _compiled(source: str) -> CodeType:
    """Compile source text; queries of one shape share the result, for it takes a millisecond."""
    return compile(source, "<streamdb query>", "exec")
