"""What a misspelt name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 80  # comparing takes time in proportion to the product of lengths


def near_miss(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known name that is nearest to one, None if none is near.

    ``cutoff`` is how alike they must be, of 1, which is equality.

    >>> near_miss("contnet", ["id", "content"]), near_miss("size", ["id", "content"])
    ('content', None)
    """
    import difflib  # takes long, and nobody may ever misspell a name

    close = difflib.get_close_matches(name[:_LONGEST], known, n=1, cutoff=cutoff)
    return close[0] if close else None


def no_such(what: str, name: str, known: Iterable[str], *, listed_as: str) -> str:
    """Say that there is nothing of a name, what was meant perhaps, and what there is.

    >>> no_such("Note has no field", "txet", ["id", "text"], listed_as="Its fields")
    "Note has no field 'txet'. Did you mean 'text'? Its fields: id, text"
    """
    names = list(known)
    near = near_miss(name, names)
    hint = f" Did you mean {near!r}?" if near else ""
    return f"{what} {name!r}.{hint} {listed_as}: {', '.join(names)}"
