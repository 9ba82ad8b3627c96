"""Texts of each format: plain ones, and the odd ones that its grammar allows all the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "date-time": (
        "2025-01-02T03:04:05.678Z",
        "2025-01-02T03:04:05Z",
        "2024-02-29t23:59:59.999999z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2025-01-02T03:04:05.1234567+05:30",
        "1969-12-31T23:59:59-23:59",
        "2025-01-02T03:04:05-00:00",
    ),
    "date": ("2025-01-02", "2024-02-29", "0001-01-01", "9999-12-31"),
    "time": ("03:04:05Z", "23:59:59.999999z", "00:00:00+23:59", "12:00:00.5-00:00"),
    "duration": ("P1DT2H", "PT0S", "P4W", "P1Y2M3DT4H5M6S", "PT36H"),
    "email": ("a@example.org", '"a b"@example.org', "a+b.c@[192.168.0.1]", "a@b"),
    "idn-email": ("ä@exämple.org", "a@example.org"),
    "hostname": ("example.org", "a", "xn--exmple-cua.org", "1.2"),
    "idn-hostname": ("exämple.org", "日本.example", "a-b"),
    "ipv4": ("0.0.0.0", "255.255.255.255", "192.168.0.1"),
    "ipv6": ("::", "::1", "2001:DB8::1", "1:2:3:4:5:6:7:8", "::ffff:192.168.0.1"),
    "uri": ("https://example.org/a?b#c", "urn:a:b", "mailto:a@b", "a:", "http://[::1]:80/%41"),
    "uri-reference": ("", "a", "../b?c=d", "#e", "//example.org", "https://example.org"),
    "iri": ("https://exämple.org/ä", "urn:ä"),
    "iri-reference": ("", "ä", "#日本"),
    "uuid": (
        "123e4567-e89b-12d3-a456-426614174000",
        "123E4567-E89B-12D3-A456-426614174000",
        "00000000-0000-0000-0000-000000000000",
    ),
    "uri-template": ("", "/{id}", "{?a,b*}{+c:3}", "a%41"),
    "json-pointer": ("", "/", "/a~1b/~0/0", "/ä"),
    "relative-json-pointer": ("0", "1/a", "2#"),
}
