"""Options that callers give by name: a misspelt one is an error, and never left out silently."""

from __future__ import annotations

from collections.abc import Collection, Iterable

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
