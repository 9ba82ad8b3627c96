"""The embedded Durable Streams server: an ASGI application on SQLite.

`open_store` opens a data file, `create_app` makes an ASGI application of it, `serving` and `serve`
put that on a port. What the protocol leaves to a server is decided so (SERVER-18):

- ``Stream-Seq`` is checked per stream, whoever writes.
- ``Stream-TTL`` and ``Stream-Expires-At`` together are refused.
- Producer state lives as long as its stream, and is committed in one transaction with the data.
- An append is answered once it is synced to disk.
"""

from streamdb_server.errors import DataFileError, DataFileInUse, StoreClosed
from streamdb_server.http.app import App, create_app
from streamdb_server.options import Options
from streamdb_server.serving import Serving, is_loopback, serve, serving
from streamdb_server.storage.store import Store, open_store

__all__ = [
    "App",
    "DataFileError",
    "DataFileInUse",
    "Options",
    "Serving",
    "Store",
    "StoreClosed",
    "create_app",
    "is_loopback",
    "open_store",
    "serve",
    "serving",
]
