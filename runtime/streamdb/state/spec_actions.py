"""The actions of a spec and what it reserves: nothing is made of them, but they must be sound.

Whether the values of an effect fit the row is a question of types, which the compiler answers when
it writes the code of the action.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NoReturn

from streamdb.near_miss import near_miss
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.spec_places import shown
from streamdb.types.faults import pointer_to

#: Called with a JSON Pointer, what is wrong there, and what to do.
Refuse = Callable[[str, str, str | None], NoReturn]

_MEMBERS: Final = frozenset({"$comment", "description", "effects", "input"})
_NOT_BESIDE: Final[Mapping[str, str]] = {
    "insert": "key",
    "upsert": "key",
    "update": "value",
    "delete": "value",
}
_NEEDED_BESIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "update": ("key", "set"),
    "delete": ("key",),
}
_POINTERS: Final = ("value", "key")
_EFFECT: Final = frozenset({"$comment", "set", *_NOT_BESIDE, *_POINTERS})


def check_actions(actions: Any, collections: Mapping[str, Any], refuse: Refuse) -> None:
    """Refuse actions that are none, and effects on collections that do not exist."""
    if not is_object(actions):
        refuse("/actions", "`actions` is a map of actions", None)
    for name, action in actions.items():
        at = f"/actions{pointer_to([name])}"
        if not is_object(action):
            refuse(at, "an action is an object", 'it has an "input"')
        _check_members(action, _MEMBERS, at, "an action", refuse)
        if not isinstance(action.get("input"), dict | bool):
            refuse(at, "an action has an `input`, which is a schema", 'add "input"')
        effects = action.get("effects", [])
        if not is_array(effects):
            refuse(f"{at}/effects", "`effects` is an array of effects", None)
        for index, effect in enumerate(effects):
            _check_effect(effect, collections, f"{at}/effects/{index}", refuse)


def check_reserved(reserved: Any, collections: Collection[str], refuse: Refuse) -> None:
    """Refuse what is reserved in another form, or of collections that do not exist."""
    if not is_object(reserved):
        refuse("/reserved", "`reserved` is an object", '{"types": [...], "fields": {...}}')
    _check_members(reserved, frozenset({"$comment", "fields", "types"}), "/reserved", "it", refuse)
    if not _are_texts(reserved.get("types", [])):
        refuse("/reserved/types", "these are event types, an array of texts", None)
    fields = reserved.get("fields", {})
    if not is_object(fields):
        refuse("/reserved/fields", "these are arrays of names by collection", None)
    for name, names in fields.items():
        at = f"/reserved/fields{pointer_to([name])}"
        if not _are_texts(names):
            refuse(at, "these are names of properties, an array of texts", None)
        if name not in collections:
            hint = "the fields of a deleted collection need no entry; reserve its type"
            refuse(at, f"there is no collection {shown(name)}", hint)


def reserved_fields(reserved: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the names of collections and their reserved fields, with the pointer to each."""
    for name, fields in reserved.get("fields", {}).items():
        for index, field in enumerate(fields):
            yield name, field, f"/reserved/fields{pointer_to([name, index])}"


def _check_effect(effect: Any, collections: Mapping[str, Any], at: str, refuse: Refuse) -> None:
    words = _NOT_BESIDE.keys() & effect.keys() if is_object(effect) else set[str]()
    if len(words) != 1:
        listed = "`insert`, `upsert`, `update` or `delete`"
        refuse(at, f"an effect names one collection by {listed}", None)
    _check_members(effect, _EFFECT, at, "an effect", refuse)
    (word,) = words
    name = effect[word]
    if not isinstance(name, str) or name not in collections:
        near = near_miss(str(name), collections)
        hint = f"did you mean {near!r}?" if near else None
        refuse(f"{at}/{word}", f"there is no collection {shown(str(name))}", hint)
    unwanted = {_NOT_BESIDE[word]} | ({"set"} if word != "update" else set[str]())
    for member in sorted(unwanted & effect.keys()):
        refuse(f"{at}/{member}", f"`{word}` has no `{member}` beside it", "delete it")
    for member in _NEEDED_BESIDE.get(word, ()):
        if member not in effect:
            refuse(at, f"`{word}` needs `{member}` beside it", None)
    for member in _POINTERS:
        if member in effect:
            _check_pointer(effect[member], f"{at}/{member}", refuse)
    if "set" in effect:
        primary_key = collections[name]["primaryKey"]
        _check_set(effect["set"], primary_key, f"{at}/set", refuse)


def _check_set(fields: Any, primary_key: str, at: str, refuse: Refuse) -> None:
    if not is_object(fields) or not fields:
        refuse(at, "`set` names the fields to change", None)
    for name, source in fields.items():
        if name == primary_key:
            hint = "delete the row and insert another"
            refuse(at + pointer_to([name]), "the primary key of a row cannot be changed", hint)
        if not (is_object(source) and source.keys() == {"const"}):
            _check_pointer(source, at + pointer_to([name]), refuse)


def _check_pointer(pointer: Any, at: str, refuse: Refuse) -> None:
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        refuse(at, "a JSON Pointer into the input is expected", "begin it with a slash")


def _check_members(
    value: Mapping[str, Any], known: frozenset[str], at: str, what: str, refuse: Refuse
) -> None:
    for member in value:
        if member not in known and not member.startswith("x-"):
            near = near_miss(member, known)
            hint = f"did you mean `{near}`?" if near else f"known are {', '.join(sorted(known))}"
            refuse(at + pointer_to([member]), f"{what} has no such member", hint)


def _are_texts(value: Any) -> bool:
    return is_array(value) and all(isinstance(item, str) for item in value)
