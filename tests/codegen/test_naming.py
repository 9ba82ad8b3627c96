"""Names depend on the wire name alone and are always valid Python."""

from __future__ import annotations

import hashlib
import keyword
import sys
import unicodedata
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb_gen import naming

ANY_TEXT = st.text(st.characters(), max_size=30)  # lone surrogates included
MAKERS: list[Callable[[str], str]] = [
    naming.field_name,
    naming.collection_name,
    naming.action_name,
    naming.package_name,
    naming.class_name,
]


@pytest.mark.parametrize(
    ("wire_name", "field", "class_"),
    [
        ("createdAt", "created_at", "CreatedAt"),
        ("HTTPServer", "http_server", "HttpServer"),
        ("userID", "user_id", "UserId"),
        ("sha256Sum", "sha256_sum", "Sha256Sum"),
        ("tool-calls.v2", "tool_calls_v2", "ToolCallsV2"),
        ("_id", "id", "Id"),
        ("2nd", "n2nd", "N2nd"),
        ("class", "class_", "Class"),
        ("str", "str_", "Str"),
        ("none", "none", "None_"),
        ("any", "any", "Any_"),
        ("ﬁeld one", "field_one", "FieldOne"),
        ("e\u0301t\u00e9", "\u00e9t\u00e9", "N\u00e9t\u00e9"),
        ("消息", "消息", "N消息"),
        ("a\u202eb", "a_b", "AB"),
    ],
)
def test_names_by_example(wire_name: str, field: str, class_: str) -> None:
    assert naming.field_name(wire_name) == field
    assert naming.class_name(wire_name) == class_


@pytest.mark.parametrize("wire_name", ["\U0001f600", "", "\ud83d", "--"])
def test_names_without_letters_are_made_of_a_digest(wire_name: str) -> None:
    digest = hashlib.sha256(wire_name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    assert naming.field_name(wire_name) == f"field_{digest}"
    assert naming.class_name(wire_name) == f"Field{digest}"


@given(ANY_TEXT)
def test_every_name_is_an_identifier_that_python_leaves_alone(wire_name: str) -> None:
    for make in MAKERS:
        name = make(wire_name)
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not name.startswith("_")
        # Python compares identifiers in this form (PEP 3131); another would be another name.
        assert unicodedata.normalize("NFKC", name) == name


@given(ANY_TEXT, ANY_TEXT)
def test_classes_and_fields_never_share_a_name(one: str, other: str) -> None:
    class_, field = naming.class_name(one), naming.field_name(other)
    assert "A" <= class_[0] <= "Z"
    assert not "A" <= field[0] <= "Z"
    assert "A" <= naming.nested_class_name(class_, other)[0] <= "Z"


@given(ANY_TEXT)
def test_made_names_may_also_be_chosen(wire_name: str) -> None:
    assert naming.is_field_name(naming.field_name(wire_name))
    assert naming.is_class_name(naming.class_name(wire_name))


@given(ANY_TEXT)
def test_reserved_names_are_never_made(wire_name: str) -> None:
    assert naming.field_name(wire_name) not in naming.FIELD_RESERVED
    assert naming.class_name(wire_name) not in naming.CLASS_RESERVED
    collection = naming.collection_name(wire_name)
    assert collection not in naming.DATABASE_ATTRIBUTES | naming.EVENTS_MODULE_NAMES


@pytest.mark.parametrize("name", sorted(naming.DATABASE_ATTRIBUTES | naming.EVENTS_MODULE_NAMES))
def test_reserved_collections_get_an_underscore(name: str) -> None:
    assert naming.collection_name(name) == f"{name}_"


@pytest.mark.parametrize("name", sorted(naming.FIELD_RESERVED))
def test_reserved_fields_get_an_underscore(name: str) -> None:
    assert naming.field_name(name) == f"{name}_"


def test_every_letter_of_the_frozen_tables_may_stand_in_an_identifier() -> None:
    frozen = unicodedata.ucd_3_2_0
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = frozen.category(character)
        is_stable = unicodedata.normalize("NFKC", character) == character
        if is_stable and (category[0] == "L" or category == "Nd"):
            assert f"n{character}".isidentifier(), hex(code)
            assert category == "Nd" or character.isidentifier(), hex(code)


@pytest.mark.parametrize("name", sorted(naming.FIELD_RESERVED - {"dt", "uuid", "field"}))
def test_why_builtin_names_are_reserved(name: str) -> None:
    """A field called `str` hides the type from msgspec's reading of the annotations."""
    namespace: dict[str, object] = {"__name__": __name__}
    source = (
        "from __future__ import annotations\n"
        "import msgspec\n"
        f"class Row(msgspec.Struct):\n    {name}: str | None\n    other: {name} | None\n"
    )
    exec(source, namespace)
    row = namespace["Row"]
    assert isinstance(row, type)
    with pytest.raises((TypeError, AttributeError)):
        msgspec.json.decode(b"{}", type=row)


def test_structs_have_no_public_members_that_a_field_could_hide() -> None:
    assert [name for name in dir(msgspec.Struct) if not name.startswith("_")] == []
