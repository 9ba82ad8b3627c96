"""The jinja2 environment of generated code: it prints marked text and nothing else."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from streamdb_gen.rendering.docstrings import doc
from streamdb_gen.rendering.literals import lit
from streamdb_gen.rendering.marked import Code, ident


class UnmarkedTextError(Exception):
    """A template tried to print text that did not come through ``lit``, ``ident`` or ``doc``."""


@cache
def environment() -> Environment:
    """Return the one environment; templates are found in the package ``streamdb_templates``."""
    result = Environment(
        loader=PackageLoader("streamdb_templates", ""),
        undefined=StrictUndefined,
        finalize=_only_marked,
        autoescape=False,  # noqa: S701 - this is code, not HTML; `_only_marked` guards it
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
    )
    result.filters.update(lit=lit, ident=ident, doc=doc)
    return result


def _only_marked(value: object) -> Code:
    if not isinstance(value, Code):
        raise UnmarkedTextError(
            f"a template prints unmarked {type(value).__name__}: {str(value)!a}"
        )
    return value
