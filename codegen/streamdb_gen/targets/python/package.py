"""An IR as the files of a Python package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamdb_gen.ir import Spec
from streamdb_gen.rendering.environment import environment
from streamdb_gen.rendering.layout import wrap_long_lines
from streamdb_gen.rendering.marked import Code, code
from streamdb_gen.targets.choices import Models
from streamdb_gen.targets.python.actions import action_inputs, action_views
from streamdb_gen.targets.python.annotations import Annotations
from streamdb_gen.targets.python.collections import collection_views, columns_views, update_views
from streamdb_gen.targets.python.imports import (
    PYDANTIC,
    THIRD_PARTIES,
    all_imports,
    export_order,
    from_import,
    import_lines,
)
from streamdb_gen.targets.python.models import definition_views
from streamdb_gen.targets.python.names import public_names
from streamdb_gen.targets.python.pydantic_rows.rows import models_view
from streamdb_gen.targets.python.pydantic_rows.spec import for_pydantic

# The runtime's `streamdb.abi.ABI`; importing the runtime for it would double the start-up time.
# A test holds the two together.
ABI: Final = 3
_MODELS_TEMPLATES: Final[Mapping[Models, str]] = {
    "msgspec": "models.py.jinja",
    "pydantic": "models_pydantic.py.jinja",
}
_IMPORTS: Final = "\0"
MODULES: Final = ("models.py", "columns.py", "events.py", "actions.py", "client.py")


def render_modules(spec: Spec, models: Models = "msgspec") -> dict[str, str]:
    """Return the text of each module by file name, without the marker line.

    The imports of a module are what its body uses, so they take their place when it is rendered.
    """
    if models == "pydantic":
        spec = for_pydantic(spec)
    annotations = Annotations(spec.types)
    collections = collection_views(spec)
    names = public_names(spec, collections)
    context: dict[str, object] = {
        "abi": ABI,
        "spec": spec,
        "columns": columns_views(spec, annotations),
        "updates": update_views(spec, annotations),
        "collections": collections,
        "actions": action_views(spec, annotations),
        "action_inputs": action_inputs(spec),
        "database_import": from_import(
            code(".client"), (spec.class_name, f"Async{spec.class_name}")
        ),
        "exported": sorted((n for group in names.values() for n in group), key=export_order),
    }
    if models == "pydantic":
        context["models"] = models_view(spec, annotations)
    else:
        context["definitions"] = definition_views(spec, annotations)

    def render(module: str, imports: Code) -> str:
        name = _MODELS_TEMPLATES[models] if module == "models.py" else f"{module}.jinja"
        template = environment().get_template(f"python/{name}")
        return template.render(context, imports=imports)

    def imports(module: str, body: str) -> Code:
        own = f".{module.removesuffix('.py')}"
        siblings = {name: defined for name, defined in names.items() if name != own}
        third_parties = PYDANTIC if (models, module) == ("pydantic", "models.py") else THIRD_PARTIES
        return import_lines(body, siblings, third_parties)

    def with_imports(module: str) -> str:
        # The mark is a character that text of a spec is never printed with.
        before, _, after = render(module, code(_IMPORTS)).partition(_IMPORTS)
        return before + imports(module, before + after) + after

    modules = {name: with_imports(name) for name in MODULES}
    modules["__init__.py"] = render("__init__.py", all_imports(names))
    return {name: wrap_long_lines(text) for name, text in modules.items()}
