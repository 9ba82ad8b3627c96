"""Which module of the package defines which public name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streamdb_gen.ir import Spec
from streamdb_gen.rendering.marked import Code, code
from streamdb_gen.targets.python.collections import CollectionView


def public_names(spec: Spec, collections: tuple[CollectionView, ...]) -> Mapping[Code, list[str]]:
    """Every public name by the module, relative to the package, that it is imported from."""
    client = ["SCHEMA", spec.class_name, f"Async{spec.class_name}"]
    for collection in collections:
        client += [collection.class_name, f"Async{collection.class_name}"]
    actions = ["Actions", "AsyncActions"]
    for action in spec.actions:
        if action.stub_class is not None:
            actions += [action.stub_class, f"Async{action.stub_class}"]
    models = [definition.name for definition in spec.types]
    return {
        code("."): ["events"],
        code(".actions"): actions,
        code(".client"): client,
        code(".columns"): _unique(collection.columns for collection in collections),
        code(".models"): [*models, *_unique(collection.update for collection in collections)],
    }


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
