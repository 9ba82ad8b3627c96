"""Databases: a stream read into collections and written back, blocking and async."""
