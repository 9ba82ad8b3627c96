"""Options that callers give by name: a misspelt one is an error, and never left out silently."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable


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
            close = difflib.get_close_matches(name, known, n=1)
            hint = f": did you mean {close[0]!r}? There are" if close else "; there are"
            raise TypeError(f"there is no option {name!r}{hint} {', '.join(sorted(known))}")
