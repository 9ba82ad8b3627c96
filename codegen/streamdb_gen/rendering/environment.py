"""The jinja2 environment of generated code: it prints marked text and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from streamdb_gen.rendering.docstrings import doc
from streamdb_gen.rendering.literals import lit
from streamdb_gen.rendering.marked import Code, ident


class UnmarkedTextError(Exception):
    """A template tried to print text that did not come through a filter that marks it."""


@cache
def environment() -> Environment:
    """The environment of Python code."""
    return code_environment(lit=lit, ident=ident, doc=doc)


def code_environment(**filters: Callable[..., Code]) -> Environment:
    """An environment for one language, whose filters are what marks text for it.

    Templates are found in the package ``streamdb_templates``.
    """
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
    result.filters.update(filters)
    return result


def _only_marked(value: object) -> Code:
    if not isinstance(value, Code):
        raise UnmarkedTextError(
            f"a template prints unmarked {type(value).__name__}: {str(value)!a}"
        )
    return value
