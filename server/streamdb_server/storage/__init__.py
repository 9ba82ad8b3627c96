"""Streams on SQLite: what is stored, in which order, until when. Knows neither HTTP nor asyncio,
but for the waiters that `streamdb_server.live` wakes."""
