"""Why a cache cannot be read or written, in words that may go to logs."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from streamdb.cache.private_file import Damaged
from streamdb.cache.row_texts import RowsChange
from streamdb.errors import CacheError
from streamdb.types.faults import Misfit, explain

_WITHOUT_ROWS: Final = (CacheError, Damaged, RowsChange, sqlite3.Error, OSError)


def reason_of(error: BaseException) -> str:
    """Say what an error says, without anything that it quotes of a row.

    >>> reason_of(Damaged("pieces are missing")), reason_of(KeyError("a secret"))
    ('pieces are missing', 'KeyError')
    """
    if isinstance(error, _WITHOUT_ROWS) and str(error):
        return str(error)
    if isinstance(error, (msgspec.ValidationError, Misfit)):
        return explain(error, private=True)[0]
    return type(error).__name__
