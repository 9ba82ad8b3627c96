"""What the compiler knows of the runtime without importing it agrees with the runtime."""

import pytest

from streamdb import AsyncStreamDB, StreamDB, formats
from streamdb.abi import ABI
from streamdb.state import schema_keywords
from streamdb_gen.formats import ALIASES, OVERRIDE_PATTERNS
from streamdb_gen.json_source import JsonValue, Node, Place
from streamdb_gen.lowering import keywords
from streamdb_gen.lowering.dialects import DIALECTS, Dialect
from streamdb_gen.lowering.foreign_keywords import is_foreign
from streamdb_gen.naming import DATABASE_ATTRIBUTES
from streamdb_gen.targets.python import package


def public_attributes(database: type) -> set[str]:
    # Attributes of instances are annotated or set in __init__; a class that was never opened has
    # them all, for opening is lazy.
    return {name for name in dir(database) if not name.startswith("_")} | {"schema", "url"}


def test_no_collection_can_hide_an_attribute_of_a_database() -> None:
    used = public_attributes(AsyncStreamDB) | public_attributes(StreamDB)
    assert used - set(DATABASE_ATTRIBUTES) == set()


def test_generated_packages_carry_the_abi_of_this_runtime() -> None:
    assert package.ABI == ABI


def test_the_formats_are_those_of_the_runtime() -> None:
    assert dict(ALIASES) == dict(formats.ALIASES)


def test_the_grammars_of_overrides_are_those_of_the_runtime() -> None:
    assert dict(OVERRIDE_PATTERNS) == {"Decimal": formats.DECIMAL, "bytes": formats.BASE64}


def test_the_keywords_are_those_of_the_runtime() -> None:
    assert schema_keywords.TYPES == keywords.TYPES
    assert schema_keywords.ASSERTIONS == keywords.ASSERTIONS
    assert {
        name for name in keywords.ANNOTATIONS if not name.startswith("x-")
    } == schema_keywords.ANNOTATIONS
    assert set(keywords.REFUSED) == schema_keywords.REFUSED
    assert schema_keywords.HOLDING_A_SCHEMA == keywords.SCHEMA
    assert schema_keywords.HOLDING_A_LIST == keywords.SCHEMAS
    assert schema_keywords.HOLDING_BY_NAME == keywords.SCHEMAS_BY_NAME


WORDS = ["items", "$id", "$anchor", *sorted(schema_keywords.ASSERTIONS)]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_the_versions_of_json_schema_are_those_of_the_runtime(dialect: Dialect) -> None:
    drafts = [draft for draft in schema_keywords.FOREIGN if draft in dialect.uris]
    assert len(drafts) == 1
    assert (drafts[0] in schema_keywords.ONLY_REFERENCE) is dialect.only_reference
    values: list[JsonValue] = [[], {}, "#a", "#", "a"]
    for value in values:
        place = Place(Node(value, 0, 0))
        for word in WORDS:
            assert schema_keywords.is_foreign(word, value, drafts[0]) is is_foreign(
                word, place, dialect
            ), (word, value)


def test_the_runtime_knows_no_further_version() -> None:
    assert len(schema_keywords.FOREIGN) == len(DIALECTS)
