"""The types of the formats in a model; test_formats.py runs the type checkers on it."""

from typing import assert_type

from msgspec import Struct

from streamdb import formats


class Row(Struct, frozen=True, kw_only=True):
    date_time: formats.DateTimeText
    date: formats.DateText
    time: formats.TimeText
    duration: formats.Duration
    email: formats.Email
    idn_email: formats.IdnEmail
    hostname: formats.Hostname
    idn_hostname: formats.IdnHostname
    ipv4: formats.Ipv4
    ipv6: formats.Ipv6
    uri: formats.Uri
    uri_reference: formats.UriReference
    iri: formats.Iri
    iri_reference: formats.IriReference
    uuid: formats.UuidText
    uri_template: formats.UriTemplate
    json_pointer: formats.JsonPointer
    relative_json_pointer: formats.RelativeJsonPointer


class Contact(Struct):
    email: formats.Email | None


assert_type(Contact(email="maria@example.com").email, str | None)
Contact(email=b"maria@example.com")  # E: bytes
print(formats.Regex)  # E: no such format
