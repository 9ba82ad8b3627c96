"""The compiler behind `streamdb-gen`; its functions live in :mod:`streamdb_gen.api`."""
