"""Streams over HTTP or in process: thin drivers of the protocol's operations."""
