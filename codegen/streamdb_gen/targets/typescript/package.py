"""An IR as the files of a TypeScript package.

There are two modules, and the one with code imports the other for its types only: an import of code
would need an ending, `.js`, `.ts` or none, and which one depends on what runs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, LiteralString

from jinja2 import Environment

from streamdb_gen.ir import Spec
from streamdb_gen.rendering.documents import lay_out
from streamdb_gen.rendering.environment import code_environment
from streamdb_gen.rendering.literals import Json
from streamdb_gen.rendering.marked import Code, code, ident
from streamdb_gen.targets.typescript.comments import comment
from streamdb_gen.targets.typescript.literals import value_document
from streamdb_gen.targets.typescript.models import definition_views
from streamdb_gen.targets.typescript.schema_document import schema_document
from streamdb_gen.targets.typescript.state import (
    collection_views,
    database_documentation,
    input_views,
)
from streamdb_gen.targets.typescript.width import LINE_LENGTH

MODULES: Final = ("models.ts", "index.ts")


def folder_name(spec: Spec) -> str:
    """The name of the package's folder; the hyphens keep it apart from every Python package.

    `agent-session-ts` for the Python package `agent_session`.
    """
    return spec.package.strip("_").replace("_", "-") + "-ts"


def render_modules(spec: Spec) -> dict[str, str]:
    """Return the text of each module by file name, without the marker line."""
    document = schema_document(spec)
    formats = _formats(document.formats)
    context = {
        "definitions": definition_views(spec),
        "documentation": database_documentation(spec),
        "collections": collection_views(spec),
        "inputs": input_views(spec),
        "multiples": document.multiples,
        "formats": _constant("const formats: {{ [name: string]: string }} = ", formats),
        "schema": _constant("export const jsonSchema: SchemaObject = ", document.value),
    }
    return {
        name: _environment().get_template(f"typescript/{name}.jinja").render(context)
        for name in MODULES
    }


@cache
def _environment() -> Environment:
    return code_environment(ident=ident, comment=comment)


def _formats(names: tuple[str, ...]) -> dict[str, str]:
    """The grammar of formats; those that have none are not checked, here or in Python."""
    if not names:
        return {}
    # The runtime is slow to import.
    from streamdb.formats import PATTERNS

    return {name: PATTERNS[name] for name in names if name in PATTERNS}


def _constant(head: LiteralString, value: Mapping[str, Json]) -> Code | None:
    """A constant with an object as its value; None if there is nothing in it."""
    statement = (code(head), value_document(value), code(";"))
    return lay_out(statement, LINE_LENGTH) if value else None
