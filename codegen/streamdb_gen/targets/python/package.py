"""An IR as the files of a Python package."""

from __future__ import annotations

from typing import Final

from streamdb_gen.ir import Spec
from streamdb_gen.rendering.environment import environment
from streamdb_gen.rendering.layout import wrap_long_lines
from streamdb_gen.rendering.marked import Code, code
from streamdb_gen.targets.python.actions import action_views
from streamdb_gen.targets.python.annotations import Annotations
from streamdb_gen.targets.python.collections import collection_views, columns_views, update_views
from streamdb_gen.targets.python.imports import (
    all_imports,
    export_order,
    from_import,
    import_lines,
)
from streamdb_gen.targets.python.models import definition_views
from streamdb_gen.targets.python.names import public_names

# The runtime's `streamdb.abi.ABI`; importing the runtime for it would double the start-up time.
# A test holds the two together.
ABI: Final = 1
MODULES: Final = ("models.py", "columns.py", "events.py", "actions.py", "client.py")


def render_modules(spec: Spec) -> dict[str, str]:
    """Return the text of each module by file name, without the marker line.

    Each template is rendered twice: once to see which names it uses, then with their imports.
    """
    annotations = Annotations(spec.types)
    collections = collection_views(spec)
    names = public_names(spec, collections)
    context = {
        "abi": ABI,
        "spec": spec,
        "definitions": definition_views(spec, annotations),
        "columns": columns_views(spec, annotations),
        "updates": update_views(spec, annotations),
        "collections": collections,
        "actions": action_views(spec, annotations),
        "database_import": from_import(
            code(".client"), (spec.class_name, f"Async{spec.class_name}")
        ),
        "exported": sorted((n for group in names.values() for n in group), key=export_order),
    }

    def render(module: str, imports: Code) -> str:
        template = environment().get_template(f"python/{module}.jinja")
        return template.render(context, imports=imports)

    def imports(module: str) -> Code:
        own = f".{module.removesuffix('.py')}"
        siblings = {name: defined for name, defined in names.items() if name != own}
        return import_lines(render(module, code("")), siblings)

    modules = {name: render(name, imports(name)) for name in MODULES}
    modules["__init__.py"] = render("__init__.py", all_imports(names))
    return {name: wrap_long_lines(text) for name, text in modules.items()}
