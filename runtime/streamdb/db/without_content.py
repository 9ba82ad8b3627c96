"""What a log may tell of an error: never what rows hold, which text of the application may.

What this library says itself holds nothing of a row but its key. Of what others have raised, of
their classes of rows, functions and validators, only the class is told, and the place.
"""

from __future__ import annotations

import logging
import os
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

from streamdb.errors import ContractBroken, InvalidInput, InvalidRow, StreamDBError

# What these say quotes what others have raised, or what was found in a value.
_QUOTING: Final = (ContractBroken, InvalidInput, InvalidRow)
_OWN_CODE: Final = str(Path(__file__).parents[1]) + os.sep


def without_content(error: BaseException) -> str:
    """Return what an error says, with classes and places for all that others have said.

    >>> failure = StreamDBError("transaction t: persist raised ValueError: the row is secret")
    >>> failure.__cause__ = ValueError("the row is secret")
    >>> without_content(failure)
    'transaction t: persist raised ValueError'
    """
    return _told(error, ())


def _told(error: BaseException, told: tuple[BaseException, ...]) -> str:
    """Do so, if it is not among the errors that were ``told`` already: causes may be circles."""
    cause, told = error.__cause__, (*told, error)
    if not _is_told_by_us(error):
        if _is_raised_here(error):
            cause = cause or error.__context__  # which it quotes
        what = f"{type(error).__name__}{_place(error)}"
        if cause is None or cause in told:
            return what
        return f"{what} from {_told(cause, told)}"
    text = str(error)
    if cause is None or cause in told:
        return text
    for quoted in (f"{type(cause).__name__}: {cause}", str(cause)):
        if text.endswith(quoted):
            return text.removesuffix(quoted) + _told(cause, told)
    return text


def log_in_full(log: logging.Logger, error: BaseException) -> None:
    """Log what an error says whatever that holds, for those who have asked for all there is."""
    log.debug("in full: %s", error, exc_info=error)


def frames_of(error: BaseException) -> str:
    """Return the lines of code that an error has come through, without what it says."""
    return "".join(traceback.format_tb(error.__traceback__)).rstrip()


def _is_told_by_us(error: BaseException) -> bool:
    is_own = isinstance(error, StreamDBError) and not isinstance(error, _QUOTING)
    return is_own and _is_raised_here(error)


def _is_raised_here(error: BaseException) -> bool:
    last = _last(error.__traceback__)
    return last is None or last.tb_frame.f_code.co_filename.startswith(_OWN_CODE)


def _place(error: BaseException) -> str:
    """Name where an error was raised, if it was."""
    if (last := _last(error.__traceback__)) is None:
        return ""
    code = last.tb_frame.f_code
    return f" ({Path(code.co_filename).name}:{last.tb_lineno}, in {code.co_name})"


def _last(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    return frames
