"""Options that callers give by name: a misspelt one is an error, and never left out silently."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from streamdb.near_miss import near_miss


def refuse_unknown(given: Iterable[str], known: Collection[str]) -> None:
    """Do nothing if all options are known.

    >>> refuse_unknown(["timout"], ["retry", "timeout"])
    Traceback (most recent call last):
    ...
    TypeError: there is no option 'timout': did you mean 'timeout'? There are retry, timeout

    Raises:
        TypeError: one is not, with those that are.
    """
    for name in given:
        if name not in known:
            near = near_miss(name, known)
            hint = f": did you mean {near!r}? There are" if near else "; there are"
            raise TypeError(f"there is no option {name!r}{hint} {', '.join(sorted(known))}")


class Kind(NamedTuple):
    """What an option takes: the classes, and what that is in words."""

    classes: tuple[type[Any], ...]
    words: str


FLAG: Final = Kind((bool,), "True or False")
SECONDS: Final = Kind((int, float), "a number of seconds")


def refuse_wrong_kinds(given: Mapping[str, object], kinds: Mapping[str, Kind]) -> None:
    """Do nothing if all options hold what they take. ``True`` is no number.

    >>> refuse_wrong_kinds({"timeout": "5"}, {"timeout": SECONDS})
    Traceback (most recent call last):
    ...
    TypeError: timeout takes a number of seconds, not str

    Raises:
        TypeError: one does not.
    """
    for name, value in given.items():
        kind = kinds.get(name)
        if kind is None:
            continue
        is_flag = isinstance(value, bool) and bool not in kind.classes
        if is_flag or not isinstance(value, kind.classes):
            raise TypeError(f"{name} takes {kind.words}, not {type(value).__name__}")
