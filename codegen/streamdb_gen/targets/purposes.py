"""What each type of a spec is there for, said in place of a missing description."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from streamdb_gen.ir import ChoiceType, Named, ObjectType, Spec, UnionType


def purposes(spec: Spec) -> Mapping[str, str]:
    """A sentence for each object by its name: "A row of `messages`, a form of `Part`."."""
    uses: defaultdict[str, list[str]] = defaultdict(list)
    for collection in spec.collections:
        uses[collection.row.name].append(f"a row of `{collection.wire_name}`")
    for action in spec.actions:
        uses[action.input.name].append(f"the input of `{action.wire_name}`")
    for definition in spec.types:
        if isinstance(definition, UnionType | ChoiceType):
            for member in definition.members:
                if isinstance(member, Named):
                    uses[member.name].append(f"a form of `{definition.name}`")
    sentences = {name: ", ".join(parts) for name, parts in uses.items()}
    places = {
        definition.name: f"The object at `{definition.pointer}` of the spec."
        for definition in spec.types
        if isinstance(definition, ObjectType)
    }
    return places | {name: f"{text[0].upper()}{text[1:]}." for name, text in sentences.items()}
