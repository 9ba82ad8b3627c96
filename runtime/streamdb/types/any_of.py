"""``AnyOf[A, B]``: a union of types that msgspec cannot tell apart by itself."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    cast,
    get_args,
    get_origin,
    is_typeddict,
)

import msgspec

from streamdb.errors import SchemaError
from streamdb.protocol.json_text import is_array, is_object
from streamdb.types.allowed import listed
from streamdb.types.conversion import convert, resolved, with_whole_numbers
from streamdb.types.extensible import record_of
from streamdb.types.faults import UNREADABLE, Misfit, explain, pointer_to
from streamdb.types.members import members_of
from streamdb.types.names import make_names_known
from streamdb.types.spellings import is_spelt

_MODULES: Final = re.compile(r"\b(?:\w+\.)+(?=\w)")
_LONGEST: Final = 120  # of the reason of one member, which may be that of members further in
_MOST_REASONS: Final = 20

__all__ = ["AnyOf", "is_any_of"]

if TYPE_CHECKING:
    from typing import Union as AnyOf  # to checkers it is what it means
else:

    class _IsAnything(type):
        """Nothing is known of a value but that its member took it; so it always is one."""

        def __instancecheck__(cls, instance):
            return True

        def __repr__(cls):
            return f"AnyOf[{', '.join(map(_name, cls.__members__))}]"

    class AnyOf(metaclass=_IsAnything):
        """A value of one of several types: for type checkers ``A | B``.

        msgspec reads unions whose members differ in their kind of JSON or in a tag. This one takes
        any: several objects, several arrays, a map beside an object, an instant beside text. It
        stands in a union with ``None`` and ``UnsetType`` alone: all other members belong inside it.

        A value is of the one member that accepts it. If several do, it is of one that writes it
        as it stands: an instant, a UUID and the like are so written only if they are of the format,
        and an object in it, of a class with a tag, only if it has the tag. Of those, it is
        of the one that declares most of its properties, and of the first of equals. Members may be
        given as text, to refer to what the module defines later.

        >>> class Point(msgspec.Struct):
        ...     x: int
        >>> class Circle(msgspec.Struct):
        ...     x: int
        ...     radius: int = 1
        >>> convert([{"x": 1}, {"x": 1, "radius": 2}, "none"], list[AnyOf[Point, Circle, str]])
        [Point(x=1), Circle(x=1, radius=2), 'none']
        >>> import datetime as dt
        >>> convert(["2026-01-02", "20260102"], list[AnyOf[dt.date, str]])
        [datetime.date(2026, 1, 2), '20260102']
        """

        __members__ = ()

        def __class_getitem__(cls, members):
            members = members if isinstance(members, tuple) else (members,)
            # Forward references are looked up in the module that writes the union, at first use.
            names = sys._getframe(1).f_globals
            choice = _Choice(members, names)
            return _IsAnything("AnyOf", (cls,), {"__members__": members, "__choice__": choice})

        @classmethod
        def __from_plain__(cls, plain):
            """Return the value of the member that fits. Raises Misfit if none does."""
            return cls.__choice__.convert(plain)


class _Member(NamedTuple):
    """One type, and what an object must have to be worth a try."""

    type: Any
    required: tuple[str, ...] = ()
    constants: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    def refusal(self, plain: Any) -> str | None:
        if not is_object(plain):
            return None
        for name in self.required:
            if name not in plain:
                return f"lacks the property `{name}`"
        for name, values in self.constants:
            if name in plain and plain[name] not in values:
                return f"`{name}` must be {listed(values)}"
        return None


class _Choice:
    """The members of one union; looked at when the first value comes."""

    def __init__(self, written: tuple[Any, ...], names: Mapping[str, Any]) -> None:
        self._written: Final = written
        self._names: Final = names

    @cached_property
    def _members(self) -> list[_Member]:
        try:
            kinds = [resolved(written, self._names) for written in self._written]
        except NameError as error:
            raise SchemaError(f"AnyOf[{', '.join(map(_name, self._written))}]: {error}") from None
        for kind in kinds:
            make_names_known(kind)
        return [_member(kind) for kind in kinds]

    @property
    def types(self) -> list[Any]:
        """The members, without forward references."""
        return [member.type for member in self._members]

    def convert(self, plain: Any) -> Any:
        """Return the value of the member that fits best. Raises Misfit if none does."""
        if _running.outcomes is not None:
            return self._remembered(plain, _running.outcomes)
        _running.outcomes = {}
        try:
            # A member that wants an integer must see one in 1.0: its refusal is no fault of the
            # value's that would be found later, but leaves it to a member that fits less well.
            return self._remembered(with_whole_numbers(plain), _running.outcomes)
        finally:
            _running.outcomes = None

    def _remembered(self, plain: Any, outcomes: dict[tuple[int, int], Any]) -> Any:
        # The outermost value keeps all that is in it alive, so that no two share an id.
        place = (id(self), id(plain))
        if place not in outcomes:
            try:
                outcomes[place] = self._best(plain)
            except Misfit as misfit:
                outcomes[place] = misfit
        outcome = outcomes[place]
        if isinstance(outcome, Misfit):
            raise Misfit(str(outcome), outcome.pointer)
        return outcome

    def _best(self, plain: Any) -> Any:
        accepted: list[tuple[Any, Any]] = []  # values, and the types that took them
        reasons: list[str] = []
        for member in self._members:
            reason = member.refusal(plain)
            if reason is None:
                try:
                    accepted.append((convert(plain, member.type), member.type))
                    continue
                except UNREADABLE as error:
                    reason = _why(error)
            reasons.append(f"{_name(member.type)}: {reason}")
        if not accepted:
            raise self._unknown_constant(plain) or _none_of(reasons)
        if len(accepted) == 1:
            return accepted[0][0]
        # The first of equals.
        return max(accepted, key=lambda taken: _fitness(taken[0], taken[1], plain))[0]

    def _unknown_constant(self, plain: Any) -> Misfit | None:
        """Say what tells all objects among the members apart, if this is none of them by that."""
        objects = [dict(member.constants) for member in self._members if member.constants]
        if not is_object(plain) or len(objects) < len(self._members):
            return None
        for name in objects[0]:
            if name in plain and all(name in constants for constants in objects):
                allowed = [value for one in objects for value in one[name]]
                if plain[name] not in allowed:
                    return Misfit(
                        f"invalid value; allowed: {listed(dict.fromkeys(allowed))}",
                        pointer_to([name]),
                    )
        return None


def _none_of(reasons: list[str]) -> Misfit:
    text = "; ".join(reasons[:_MOST_REASONS])
    more = "; …" if len(reasons) > _MOST_REASONS else ""
    return Misfit(f"fits none of {len(reasons)} types ({text}{more})")


class _Running(threading.local):
    """What came of each choice at each place within the outermost value.

    Two members that both lead to the same choice further in would otherwise try it twice, and what
    lies in it four times: a value of some forty levels would take for ever.
    """

    outcomes: dict[tuple[int, int], Any] | None = None


_running: Final = _Running()


def _member(kind: Any) -> _Member:
    base = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    record = record_of(base)
    if record is None:
        return _Member(kind)
    fields = msgspec.structs.fields(record)
    tag_field, tag = record.__struct_config__.tag_field, record.__struct_config__.tag
    required = [field.encode_name for field in fields if field.required]
    constants = [
        (field.encode_name, get_args(field.type))
        for field in fields
        if get_origin(field.type) is Literal
    ]
    if tag_field is not None:
        required.append(tag_field)  # msgspec reads a struct alone without it
        constants.append((tag_field, (tag,)))
    return _Member(kind, tuple(required), tuple(constants))


def _fitness(value: Any, kind: Any, plain: Any) -> tuple[bool, int]:
    """Rank a value: whether all that is in it is written as it stands, and what it declares."""
    parts: list[tuple[object, Any]] = list(_parts(value, plain))
    declared = sum(_declared(*part) for part in parts)
    if is_typeddict(kind):  # its values, which are dicts, do not say so
        declared += len(value)
    return all(_stands_as_written(*part) for part in parts), declared


def _stands_as_written(value: object, plain: Any) -> bool:
    """Tell whether a text is spelt as it is written, or an object has the tag that is written."""
    if not is_object(plain):
        return is_spelt(type(value), plain)
    record = record_of(type(value))
    tag_field = record.__struct_config__.tag_field if record is not None else None
    return tag_field is None or tag_field in plain


def _parts(value: Any, plain: Any) -> Iterator[tuple[Any, Any]]:
    """Yield a value and everything in it, each with the plain JSON that it was made of."""
    yield value, plain
    inside: Iterator[tuple[Any, Any]] = iter(())
    if is_array(plain) and isinstance(value, list | tuple):
        inside = zip(cast("Any", value), plain, strict=True)
    elif is_object(plain) and is_object(value):
        inside = zip(value.values(), plain.values(), strict=False)  # keys may have become one
    elif is_object(plain):
        members = members_of(value) or {}
        inside = ((part, plain[name]) for name, part in members.items() if name in plain)
    for part in inside:
        yield from _parts(*part)


def _declared(value: Any, plain: Any) -> int:
    """Count the properties of an object that the class of its value declares."""
    if not is_object(plain):
        return 0
    record = record_of(type(value))
    if record is None:
        return sum(name in plain for name in members_of(value) or ())
    names = {*record.__struct_encode_fields__, record.__struct_config__.tag_field}
    return len(names & plain.keys())


def _why(error: Exception) -> str:
    reason, pointer = explain(error, private=True)
    text = f"{reason} at {pointer}" if pointer else reason
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _name(kind: Any) -> str:
    """Write a type in short: `Sequence[Node]`."""
    if isinstance(kind, str):
        return kind
    if get_origin(kind) is Annotated:
        return _name(get_args(kind)[0])
    if get_origin(kind) is None and isinstance(kind, type) and not is_any_of(kind):
        return kind.__name__
    return _MODULES.sub("", str(kind))


def is_any_of(kind: type) -> bool:
    """Tell whether a class is a union of ours."""
    return hasattr(kind, "__choice__")
