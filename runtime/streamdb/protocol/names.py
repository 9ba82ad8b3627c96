"""The words of the wire: header, parameter and control-field names, as the protocol spells them.

Client and server both take them from here, so that a name is written once. Header names are
case-insensitive on the wire (protocol reference, section 2.3).
"""

from typing import Final

# Query parameters of GET (section 2.2). These belong to the protocol: users may not set them.
OFFSET: Final = "offset"
LIVE: Final = "live"
CURSOR: Final = "cursor"
RESERVED_PARAMS: Final = frozenset({OFFSET, LIVE, CURSOR})

LONG_POLL: Final = "long-poll"
SSE: Final = "sse"

# Sentinel offsets (OFF-7, OFF-8). A server never mints them (OFF-9).
BEGINNING: Final = "-1"
NOW: Final = "now"

# Request and response headers (section 2.3).
STREAM_TTL: Final = "Stream-TTL"
STREAM_EXPIRES_AT: Final = "Stream-Expires-At"
STREAM_CLOSED: Final = "Stream-Closed"
STREAM_SEQ: Final = "Stream-Seq"
STREAM_FORKED_FROM: Final = "Stream-Forked-From"
STREAM_FORK_OFFSET: Final = "Stream-Fork-Offset"
STREAM_FORK_SUB_OFFSET: Final = "Stream-Fork-Sub-Offset"
FORK_HEADERS: Final = (STREAM_FORKED_FROM, STREAM_FORK_OFFSET, STREAM_FORK_SUB_OFFSET)
PRODUCER_ID: Final = "Producer-Id"
PRODUCER_EPOCH: Final = "Producer-Epoch"
PRODUCER_SEQ: Final = "Producer-Seq"
PRODUCER_EXPECTED_SEQ: Final = "Producer-Expected-Seq"
PRODUCER_RECEIVED_SEQ: Final = "Producer-Received-Seq"
STREAM_NEXT_OFFSET: Final = "Stream-Next-Offset"
STREAM_UP_TO_DATE: Final = "Stream-Up-To-Date"
STREAM_CURSOR: Final = "Stream-Cursor"
SSE_DATA_ENCODING: Final = "stream-sse-data-encoding"
BASE64: Final = "base64"

TRUE: Final = "true"

# Events and control fields of SSE (sections 2.4 and 14).
DATA_EVENT: Final = "data"
CONTROL_EVENT: Final = "control"
CONTROL_NEXT_OFFSET: Final = "streamNextOffset"
CONTROL_CURSOR: Final = "streamCursor"
CONTROL_UP_TO_DATE: Final = "upToDate"
CONTROL_CLOSED: Final = "streamClosed"

JSON_MEDIA_TYPE: Final = "application/json"
SSE_MEDIA_TYPE: Final = "text/event-stream"
DEFAULT_MEDIA_TYPE: Final = "application/octet-stream"

# Section 21.
DEFAULT_PORT: Final = 4437
STREAM_ROOT: Final = "/v1/stream/"
CONTROL_SEGMENT: Final = "__ds"  # first path segment of control APIs (EXT-2)
MAX_PRODUCER_INTEGER: Final = 2**53 - 1


def is_true(value: str | None) -> bool:
    """Tell whether a flag header says ``true``, ignoring case (HDR-2, HDR-3).

    >>> is_true("TRUE"), is_true("1"), is_true(None)
    (True, False, False)
    """
    return value is not None and value.lower() == TRUE


def media_type(content_type: str) -> str:
    """Return the media type without parameters, lower-cased, as types are compared (CT-4).

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()
