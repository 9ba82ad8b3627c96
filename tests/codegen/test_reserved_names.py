"""The compiler's table of names that the database classes use agrees with the real classes."""

from streamdb import AsyncStreamDB, StreamDB
from streamdb_gen.naming import DATABASE_ATTRIBUTES


def public_attributes(database: type) -> set[str]:
    # Attributes of instances are annotated or set in __init__; a class that was never opened has
    # them all, for opening is lazy.
    return {name for name in dir(database) if not name.startswith("_")} | {"schema", "url"}


def test_no_collection_can_hide_an_attribute_of_a_database() -> None:
    used = public_attributes(AsyncStreamDB) | public_attributes(StreamDB)
    assert used - set(DATABASE_ATTRIBUTES) == set()
