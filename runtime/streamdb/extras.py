"""How an optional part of this distribution is installed, for messages."""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """Say how an extra is installed, from an index or from a checkout.

    >>> how_to_install("server")
    "pip install 'streamdb[server]', or, in a checkout, pip install '.[server]'"
    """
    return f"pip install 'streamdb[{extra}]', or, in a checkout, pip install '.[{extra}]'"
