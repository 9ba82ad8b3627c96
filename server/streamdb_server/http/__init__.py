"""The protocol over HTTP: one module a method, on top of `streamdb_server.storage`."""
