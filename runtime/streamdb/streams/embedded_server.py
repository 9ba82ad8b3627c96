"""The server of embedded mode: a data file, and the application that serves it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from streamdb.errors import ConnectionFailed, HandleClosed, MissingExtra
from streamdb.extras import how_to_install
from streamdb.streams.address import EmbeddedAddress
from streamdb.streams.asgi import Application

if TYPE_CHECKING:
    from streamdb_server import Store

_OF_THE_EXTRA: Final = frozenset({"streamdb_server", "starlette", "uvicorn"})


class EmbeddedServer:
    """The data file and its application: opened once, at the first request. Every call blocks."""

    def __init__(self, address: EmbeddedAddress) -> None:
        self._address = address
        self._opening = threading.Lock()  # held for as long as it takes, by one at a time
        self._lock = threading.Lock()  # guards what follows
        self._is_closed = False
        self._store: Store | None = None
        self.app: Application | None = None

    def open(self) -> Application:
        """Return the application, over the data file; opens it if that was not done yet.

        Raises:
            MissingExtra: the server is not installed.
            ConnectionFailed: the file cannot be opened, or another process serves it.
            HandleClosed: this was closed meanwhile.
        """
        with self._opening:
            if self.app is not None:
                return self.app
            store, app = _open_application(self._address)
            with self._lock:
                if not self._is_closed:
                    self._store, self.app = store, app
                    return app
            store.close()
            raise HandleClosed(f"{self._address.shown}: this handle is closed")

    def close(self) -> None:
        """Close what is open. An opening under way is not waited for: it closes what it opened."""
        with self._lock:
            self._is_closed = True
            store, self._store, self.app = self._store, None, None
        if store is not None:
            store.close()


def _open_application(address: EmbeddedAddress) -> tuple[Store, Application]:
    try:
        from streamdb_server import DataFileError, create_app, open_store
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _OF_THE_EXTRA:
            raise
        raise MissingExtra(
            f"{address.shown}: embedded mode needs the extra `server`: "
            f"{how_to_install('server')} ({error})"
        ) from error
    try:
        store = open_store(address.file)
    except DataFileError as error:
        raise ConnectionFailed(str(error), url=address.shown) from error
    return store, create_app(store)
