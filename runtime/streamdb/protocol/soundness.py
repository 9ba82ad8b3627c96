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
        sign: the same if the same damage has come again, even if a longer answer came around it.
        is_of_events: True if the elements can be told apart nevertheless: if the stream holds them
            so, only who reads these is troubled (INVALID-9).
        is_of_control: True if it is a control event of SSE that is damaged.
    """

    reason: str
    sign: bytes
    is_of_events: bool = False
    is_of_control: bool = False


def damage_of(batch: Batch, asked: str) -> Damage | None:
    """Find out whether a batch can follow the offset that was asked for; None if it can.

    >>> page = Batch((b"[1,2}, 3]",), "7", None, False, False, names.JSON_MEDIA_TYPE)
    >>> damage_of(page, "5").reason, damage_of(page, "5").sign
    ("not JSON: '[1,2}, 3]'", b'[1,2}')
    >>> damage_of(page, "8").reason
    'it ends at 7, before the offset that was asked for'
    """
    if asked not in _ANY_OFFSET_FOLLOWS:  # OFF-2, OFF-11
        # If another stream has taken this one's place, it may have grown since.
        if batch.offset < asked:
            reason = f"it ends at {batch.offset}, before the offset that was asked for"
            return Damage(reason, b"before")
        if batch.offset == asked and any(part.strip() != b"[]" for part in batch.parts):
            return Damage("it holds data and does not move on", b"still")
    if batch.content_type == names.JSON_MEDIA_TYPE:
        for part in batch.parts:
            if not _is_json(part):
                return _damage_of_text(part)
    return None


def damage_of_page(batch: Batch, asked: str) -> Damage | None:
    """The same for a page: where there are no messages it says `[]` (JSON-6); SSE says nothing."""
    is_json = batch.content_type == names.JSON_MEDIA_TYPE
    if is_json and not batch.parts and batch.offset != asked:
        return Damage("not JSON: ''", b"")
    return damage_of(batch, asked)


def _damage_of_text(text: bytes) -> Damage:
    reason = f"not JSON: {preview(text)}"
    elements = array_elements(text.strip())
    if elements is None:
        return Damage(reason, _until_it_breaks(text))
    odd = [number for number, element in enumerate(elements) if not _is_json(element)]
    # None of them is odd if it is what stands between them: then all of it has to come again.
    until = elements[: odd[-1] + 1] if odd else elements
    return Damage(reason, b",".join(until), is_of_events=True)


def _until_it_breaks(text: bytes) -> bytes:
    """Return the text as far as the first byte that cannot stand there; all of it if it was cut."""
    try:
        json.loads(text.decode())
    except UnicodeDecodeError as error:
        return text[: error.end]
    except json.JSONDecodeError as error:
        # That is told of where the string begins: the text was cut somewhere behind it.
        is_cut = error.msg.startswith("Unterminated")
        return text if is_cut else error.doc[: error.pos + 1].encode()
    except RecursionError:
        pass
    return text


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
