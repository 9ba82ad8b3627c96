"""Whether what came can be the answer to what was asked.

Proxies cut bodies, caches give old answers, and memory rots. What cannot be right is asked for
again from the last batch that was delivered, so that nothing of it is lost, and nothing twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import msgspec

from streamdb.protocol import names
from streamdb.protocol.answers import preview
from streamdb.protocol.brackets import array_elements
from streamdb.protocol.exchange import Batch

_ANY_OFFSET_FOLLOWS: Final = frozenset({names.BEGINNING, names.NOW})
_skipper: Final = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Damage:
    """Why an answer cannot be right.

    Attributes:
        reason: for messages.
        is_of_one_event: True if its elements can be told apart nevertheless: if the stream holds it
            so, only who reads that one is troubled (INVALID-9).
    """

    reason: str
    is_of_one_event: bool = False


def damage_of(batch: Batch, asked: str) -> Damage | None:
    """Find out whether a batch can follow the offset that was asked for; None if it can.

    >>> page = Batch((b"[1,",), "7", None, False, False, names.JSON_MEDIA_TYPE)
    >>> damage_of(page, "5")
    Damage(reason="not JSON: '[1,'", is_of_one_event=False)
    >>> damage_of(page, "8").reason
    'it ends at 7, before the offset that was asked for'
    """
    if asked not in _ANY_OFFSET_FOLLOWS:  # OFF-2, OFF-11
        if batch.offset < asked:
            return Damage(f"it ends at {batch.offset}, before the offset that was asked for")
        if batch.offset == asked and any(part.strip() != b"[]" for part in batch.parts):
            return Damage("it holds data and does not move on")
    if batch.content_type == names.JSON_MEDIA_TYPE:
        for part in batch.parts:
            if not _is_json(part):
                parted = array_elements(part.strip())
                return Damage(f"not JSON: {preview(part)}", is_of_one_event=parted is not None)
    return None


def damage_of_page(batch: Batch, asked: str) -> Damage | None:
    """The same for a page: where there are no messages it says `[]` (JSON-6); SSE says nothing."""
    is_json = batch.content_type == names.JSON_MEDIA_TYPE
    if is_json and not batch.parts and batch.offset != asked:
        return Damage("not JSON: ''")
    return damage_of(batch, asked)


def _is_json(text: bytes) -> bool:
    # What is not JSON by the letter but comes from a writer and not from the wire is let through:
    # NaN, half a surrogate, thousands of levels.
    try:
        if not text.isascii():  # which takes no memory for a copy
            text.decode()
        _skipper.decode(text)  # four times as fast as the reading of it
    except UnicodeDecodeError:
        return False
    except (msgspec.DecodeError, RecursionError):
        try:
            json.loads(text)
        except RecursionError:
            return array_elements(text.strip()) is not None
        except ValueError:
            return False
    return True
