"""Keeps what is secret out of the log of httpx: it logs whole URLs, and headers of answers."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx


@contextmanager
def nothing_secret_logged(url: str) -> Generator[None]:
    """While a request is sent, have httpx log this in place of its URL, and no headers."""
    reset = _url_to_show.set(url)
    try:
        yield
    finally:
        _url_to_show.reset(reset)


_url_to_show: ContextVar[str | None] = ContextVar("streamdb_url_to_show", default=None)


def _hide_url(record: logging.LogRecord) -> bool:
    # httpx logs the whole URL of every request at INFO, credentials and parameters included.
    shown = _url_to_show.get()
    if shown is not None and isinstance(record.args, tuple):
        record.args = tuple(shown if isinstance(arg, httpx.URL) else arg for arg in record.args)
    return True


def _hide_headers(record: logging.LogRecord) -> bool:
    # httpcore logs the headers of every answer at DEBUG, cookies and redirects included.
    if _url_to_show.get() is not None and isinstance(record.msg, str):
        before, found, _ = record.msg.partition("receive_response_headers.complete ")
        record.msg = f"{before}{found}return_value=..." if found else record.msg
    return True


logging.getLogger("httpx").addFilter(_hide_url)
for _name in ("httpcore.http11", "httpcore.http2"):
    logging.getLogger(_name).addFilter(_hide_headers)
