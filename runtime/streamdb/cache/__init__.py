"""The local cache of a database: what it had read, in a file, to begin from there next time."""
