"""Where a stream is: an HTTP URL, or a file and a stream name in embedded mode."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from streamdb.errors import BadAddress
from streamdb.protocol import names

_EMBEDDED: Final = "embedded:"


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """A stream behind an HTTP server.

    Attributes:
        url: the full URL, without the query.
        params: the user's own query parameters, which every request keeps (CLIENT-10).
        shown: the URL as messages may show it: no credentials, no parameters.
    """

    url: str
    params: tuple[tuple[str, str], ...]
    shown: str

    @property
    def identity(self) -> str:
        """Which stream it is, the same for all who ask for it; without secrets."""
        return self.shown

    @property
    def server(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.shown)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The stream's URL path."""
        return urlsplit(self.url).path


@dataclass(frozen=True, slots=True)
class EmbeddedAddress:
    """A stream in a data file, served in this process.

    Attributes:
        file: the SQLite data file.
        path: the stream's URL path inside the server.
        shown: the address as the user wrote it.
    """

    file: Path
    path: str
    shown: str

    @property
    def identity(self) -> str:
        """Which stream it is, from whatever folder it is asked for."""
        return f"{_EMBEDDED}{self.server}#{self.path}"

    @property
    def server(self) -> str:
        """The data file."""
        return str(self.file.resolve())


Address = HttpAddress | EmbeddedAddress


def parse_address(text: str) -> Address:
    """Understand ``http(s)://...`` and ``embedded:FILE#STREAM``.

    >>> parse_address("embedded:session.db#demo").path
    '/v1/stream/demo'
    >>> parse_address("http://user:secret@localhost:4437/v1/stream/demo?token=x").shown
    'http://localhost:4437/v1/stream/demo'

    Raises:
        BadAddress: anything else, with what to write instead.
    """
    if text.startswith(_EMBEDDED):
        return _parse_embedded(text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:  # its text may quote a password
        raise BadAddress(f"{_hint(text)}: host or port make no sense") from None
    if parts.scheme not in ("http", "https") or not host:
        raise BadAddress(
            f"{_hint(text)}: write http://HOST:PORT/v1/stream/NAME, "
            "or embedded:FILE#NAME for a stream in a local file"
        )
    if "#" in text:
        raise BadAddress(
            f"{_hint(text)}: an HTTP address has no #FRAGMENT; leave it out, or write %23 if # "
            "belongs to a name"
        )
    params = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if reserved := sorted(names.RESERVED_PARAMS.intersection(name for name, _ in params)):
        raise BadAddress(
            f"the parameter {reserved[0]!r} belongs to the protocol: leave it out of the address"
        )
    bare_host = f"[{host}]" if ":" in host else host
    shown_host = bare_host if port is None else f"{bare_host}:{port}"
    return HttpAddress(
        url=urlunsplit((parts.scheme, parts.netloc, parts.path or "/", "", "")),
        params=params,
        shown=urlunsplit((parts.scheme, shown_host, parts.path or "/", "", "")),
    )


def _hint(text: str) -> str:
    # Without what may be secret: parameters and fragment, and all of it if it seems to hold a
    # password.
    shown = text.partition("?")[0].partition("#")[0]
    return "stream address" if "@" in text else f"stream address {shown!r}"


def _parse_embedded(text: str) -> EmbeddedAddress:
    file, hash_sign, name = text.removeprefix(_EMBEDDED).rpartition("#")
    if not hash_sign or not file or not name.strip("/"):
        raise BadAddress(
            f"stream address {text!r}: write embedded:FILE#STREAM, "
            "for example embedded:session.db#demo"
        )
    path = names.STREAM_ROOT + quote(name.strip("/"), safe="/")
    return EmbeddedAddress(file=Path(file), path=path, shown=text)
