"""The formats that the runtime checks (:mod:`streamdb.formats`), as generated code names them.

The runtime is not imported for it, which would double the start-up time; a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamdb_gen.ir import ScalarKind

#: Formats for which Python has a type.
TYPED: Final[Mapping[str, ScalarKind]] = {
    "date-time": "date-time",
    "date": "date",
    "time": "time",
    "uuid": "uuid",
}

#: Typed formats whose values have more texts than one, of which Python writes its own: the length
#: of the shortest text of all, and of the longest that is written.
SPELT_LENGTHS: Final[Mapping[str, tuple[int, int]]] = {
    "date-time": (len("2026-01-02T03:04:05Z"), len("2026-01-02T03:04:05.000006+07:00")),
    "time": (len("03:04:05Z"), len("03:04:05.000006+07:00")),
    "uuid": (36, 36),
}

#: What `x-streamdb-type` asserts of a text.
OVERRIDE_PATTERNS: Final[Mapping[str, str]] = {
    "Decimal": "^-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?$",
    "bytes": (
        "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"
    ),
}

#: Text of a format: its alias in `streamdb.formats`.
ALIASES: Final[Mapping[str, str]] = {
    "date": "DateText",
    "date-time": "DateTimeText",
    "duration": "Duration",
    "email": "Email",
    "hostname": "Hostname",
    "idn-email": "IdnEmail",
    "idn-hostname": "IdnHostname",
    "ipv4": "Ipv4",
    "ipv6": "Ipv6",
    "iri": "Iri",
    "iri-reference": "IriReference",
    "json-pointer": "JsonPointer",
    "relative-json-pointer": "RelativeJsonPointer",
    "time": "TimeText",
    "uri": "Uri",
    "uri-reference": "UriReference",
    "uri-template": "UriTemplate",
    "uuid": "UuidText",
}
