"""The rules that findings name: what each means, an example of the fault, and the ways out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from streamdb_gen.findings import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``example`` is a piece of a spec that breaks it."""

    id: str
    severity: Severity
    title: str
    explanation: str
    example: str
    ways_out: tuple[str, ...]


_RULES: Final = (
    # The text itself
    Rule(
        "JSON_ENCODING",
        "error",
        "The file is not UTF-8",
        "JSON is exchanged as UTF-8 (RFC 8259, section 8.1). The first byte that is not is shown.",
        "a file saved as Latin-1 or UTF-16",
        ("Save the file as UTF-8.",),
    ),
    Rule(
        "JSON_BOM",
        "error",
        "The file starts with a byte order mark",
        "Strict readers of JSON refuse the mark, so a spec must not have one.",
        "a file saved as `UTF-8 with BOM`",
        ("Save the file as UTF-8 without a byte order mark.",),
    ),
    Rule(
        "JSON_SYNTAX",
        "error",
        "The text is not JSON",
        "Nothing after this place could be read, so more faults may follow when it is mended.",
        '{"name": }',
        ("Mend the text at the place shown.",),
    ),
    Rule(
        "JSON_COMMA_MISSING",
        "error",
        "A comma is missing",
        "Members of an object and items of an array are separated by commas.",
        '{"name": "a" "version": "1"}',
        ("Put a comma before the place shown.",),
    ),
    Rule(
        "JSON_TRAILING_COMMA",
        "error",
        "A comma too many",
        "JSON allows no comma after the last member or item.",
        '{"required": ["id",]}',
        ("Delete the comma.",),
    ),
    Rule(
        "JSON_COMMENT",
        "error",
        "A comment",
        "JSON has no comments; other readers of the file would stop here.",
        '{"name": "a" /* the session */}',
        ("Say it in `description`, which becomes a docstring.", "Or in `$comment`."),
    ),
    Rule(
        "JSON_DUPLICATE_KEY",
        "error",
        "A key is given twice",
        "Readers disagree on which of the two counts, so one of them would be lost silently.",
        '{"name": "a", "name": "b"}',
        ("Keep one of the two.", "Give one of them another name."),
    ),
    Rule(
        "JSON_LITERAL",
        "error",
        "A word that is no value",
        "Besides strings and numbers JSON knows true, false and null, in lower case.",
        '{"default": NaN}',
        ("Use true, false or null.", "Put text in double quotes."),
    ),
    Rule(
        "JSON_NUMBER",
        "error",
        "Not a number in JSON",
        "No leading zeros, no plus sign, digits on both sides of a decimal point.",
        '{"minimum": 01}',
        ("Write the number in the usual decimal form.",),
    ),
    Rule(
        "JSON_TOO_LARGE",
        "error",
        "A number or key beyond the limits",
        "Numbers have at most 1000 characters and fit a 64-bit floating point number if they have "
        "a fraction or exponent; keys have at most 1000 characters.",
        '{"maximum": 1e999}',
        ("Leave out a bound that bounds nothing.", "Shorten the key."),
    ),
    Rule(
        "JSON_BAD_ESCAPE",
        "error",
        "An escape that does not exist",
        "After a backslash JSON knows the letters b f n r t u, the quote, slash and backslash.",
        r'{"pattern": "^\d+$"}',
        ("Write a backslash that is meant as itself twice.",),
    ),
    Rule(
        "JSON_CONTROL_CHARACTER",
        "error",
        "A control character inside a string",
        "Characters below U+0020 stand in JSON strings as escapes only.",
        "a tab inside a description",
        (r"Write it as an escape: \t, \n, \u0007.",),
    ),
    Rule(
        "JSON_TOO_DEEP",
        "error",
        "Values nested too deep",
        "More than 100 objects or arrays inside each other; nothing after it was read.",
        "[[[[...]]]]",
        ("Move inner schemas to `$defs` and refer to them.",),
    ),
    # The shape of a spec
    Rule(
        "SPEC_TYPE",
        "error",
        "A value of another type was expected",
        "The meta-schema (`streamdb-gen meta-schema`) says what stands where.",
        '{"collections": []}',
        ("Write the value in the type that the message names.",),
    ),
    Rule(
        "SPEC_VALUE",
        "error",
        "A value that is not allowed here",
        "The meta-schema (`streamdb-gen meta-schema`) says what is allowed where.",
        '{"updates": "patch"}',
        ("Use one of the values that the message names.",),
    ),
    Rule(
        "SPEC_MEMBER_MISSING",
        "error",
        "Something required is missing",
        "The meta-schema (`streamdb-gen meta-schema`) says what is required.",
        '{"actions": {"approve": {}}}',
        ("Add the member that the message names.",),
    ),
    Rule(
        "SPEC_MEMBER_UNKNOWN",
        "error",
        "A member without meaning",
        "An unknown member would be ignored silently; mostly it is a known one misspelt.",
        '{"primarykey": "id"}',
        ("Correct its name.", "Begin it with `x-` if it is for another tool."),
    ),
    Rule(
        "COLLECTIONS_MISSING",
        "error",
        "A spec without collections",
        "A spec describes the collections of a database, and at least one.",
        '{"name": "agent-session"}',
        ("Add `collections`.",),
    ),
    Rule(
        "COLLECTION_PRIMARY_KEY_MISSING",
        "error",
        "A collection without primary key",
        "Events address a row by its key, which a property of the row holds.",
        '{"messages": {"schema": {"$ref": "#/$defs/Message"}}}',
        ('Add "primaryKey" with the name of a required string or integer property.',),
    ),
    Rule(
        "COLLECTION_SCHEMA_MISSING",
        "error",
        "A collection without schema",
        "The schema says what a row is; without it there is no type to generate.",
        '{"messages": {"primaryKey": "id"}}',
        ('Add "schema".',),
    ),
    # Names
    Rule(
        "NAME_COLLISION",
        "error",
        "Two things with one Python name",
        "A Python name depends on the wire name alone and is never made different by adding "
        "something, so that adding a property cannot rename another. Where two come out alike, "
        "you choose. One whose name in the spec is the Python name already keeps it; then `--fix` "
        "can name the other one.",
        '{"properties": {"userId": {}, "user_id": {}}}',
        (
            'Add "x-streamdb-name" to one of the two: in the example to `userId`.',
            "Rename one of them.",
        ),
    ),
    Rule(
        "NAME_INVALID",
        "error",
        "A chosen name that Python cannot use",
        "Fields, collections and actions begin with a letter that is no capital A-Z, classes with "
        "one that is. Keywords, leading underscores and names that the generated code uses itself "
        "are not possible.",
        '{"x-streamdb-name": "class"}',
        ("Choose another name.", "Leave it out: the name made from the key is always valid."),
    ),
    Rule(
        "NAME_UNREADABLE",
        "warning",
        "A name made of a digest",
        "Names in Python are made of the letters and digits of the name in the spec. Where it has "
        "none, they are made of a digest of it, which says nothing to people.",
        '{"properties": {"-": {"type": "string"}}}',
        ('Add "x-streamdb-name" with a name that can be read.', "Rename it."),
    ),
    Rule(
        "LONE_SURROGATE",
        "error",
        "Text that cannot be sent",
        "Half of a surrogate pair has no form in UTF-8: no reader accepts it in names and in "
        "patterns. In values, descriptions and defaults it is kept as it is.",
        r'{"properties": {"\ud83d": {"type": "string"}}}',
        ("Write the whole pair.", "Use another character."),
    ),
    Rule(
        "PROPERTY_NAME_UNSUPPORTED",
        "error",
        "A property that no field can be named after",
        "Quotes, backslashes and characters below U+0020 are escaped in JSON, and msgspec, which "
        "reads and writes the rows, knows no field with such a name. A property that tells the "
        "members of a union apart may have one.",
        r'{"properties": {"say \"hi\"": {"type": "string"}}}',
        ("Rename the property.", "Put it into a map, whose keys may be anything."),
    ),
    # Collections
    Rule(
        "COLLECTION_NAME_RESERVED",
        "error",
        "A name that the database uses itself",
        "collections, preload, close, utils and actions are members of every database, here and "
        "in TypeScript.",
        '{"collections": {"actions": {}}}',
        ("Rename the collection; its event `type` may stay as it is.",),
    ),
    Rule(
        "COLLECTION_TYPE_DUPLICATE",
        "error",
        "Two collections with one event type",
        "The `type` of an event says which collection it belongs to.",
        '{"a": {"type": "item"}, "b": {"type": "item"}}',
        ("Give each collection a type of its own.",),
    ),
    Rule(
        "COLLECTION_UNKNOWN",
        "error",
        "A collection that does not exist",
        "Effects and reserved fields name collections of the same spec.",
        '{"insert": "mesages"}',
        ("Correct the name.", "Add the collection."),
    ),
    Rule(
        "ROW_NOT_OBJECT",
        "error",
        "Rows that are no objects",
        "A row has properties, one of which is its key; null, unions and maps have none to name.",
        '{"schema": {"type": "string"}}',
        (
            "Put the value into a property of an object.",
            "Give each kind of a union a collection of its own, with an event type of its own.",
            "Put a union into a property: "
            '{"collections": {"parts": {"primaryKey": "id", "schema": {"type": "object", '
            '"required": ["id", "value"], "properties": {"id": {"type": "string"}, "value": '
            '{"oneOf": [{"$ref": "#/$defs/Text"}, {"$ref": "#/$defs/Image"}]}}}}}, "$defs": '
            '{"Text": {"type": "object", "required": ["kind", "text"], "properties": {"kind": '
            '{"const": "text"}, "text": {"type": "string"}}}, "Image": {"type": "object", '
            '"required": ["kind", "url"], "properties": {"kind": {"const": "image"}, "url": '
            '{"type": "string"}}}}}.',
        ),
    ),
    Rule(
        "ROW_CLOSED",
        "warning",
        "A row that allows no other properties",
        "Readers that run today refuse rows with a property added tomorrow, so every optional "
        "field added later is a break for them.",
        '{"type": "object", "properties": {}, "additionalProperties": false}',
        ('Leave out "additionalProperties": false.',),
    ),
    Rule(
        "PRIMARY_KEY_UNFIT",
        "error",
        "A property that cannot be the primary key",
        "The key must be in every row, and be a string or an integer (not a boolean, not null, "
        "not a number with fractions), for it travels as text and comes back.",
        '{"primaryKey": "id", "schema": {"properties": {"id": {"type": "boolean"}}}}',
        ("List the property in `required`.", "Use a property of type string or integer."),
    ),
    Rule(
        "RESERVED_REUSED",
        "error",
        "A deleted name is back",
        "Streams keep events of deleted types and rows with deleted fields for ever; a new "
        "meaning under the old name would read them wrong.",
        '{"reserved": {"types": ["typing"]}, "collections": {"typing": {}}}',
        ("Choose another name.", "Take it out of `reserved` if no stream ever held it."),
    ),
    # Schemas
    Rule(
        "KEYWORD_UNSUPPORTED",
        "error",
        "A keyword that cannot be compiled",
        "Neither a type nor a validator honours it here, and it would change what the schema "
        "means: dynamic references, other vocabularies, words of draft-04 and of OpenAPI.",
        '{"type": "string", "nullable": true}',
        ("Say it with the keyword that the hint names.",),
    ),
    Rule(
        "KEYWORD_DIALECT",
        "error",
        "A keyword of another version of JSON Schema",
        "The version that the schema is written in (2020-12, unless `$schema` says another) does "
        "not know the keyword. Some validators ignore it then, others honour it all the same, so "
        "readers would disagree on what is valid.",
        '{"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}',
        (
            "Write what the hint says, which means the same.",
            "Say by `$schema` which version the schema is written in.",
        ),
    ),
    Rule(
        "KEYWORD_UNKNOWN",
        "error",
        "A keyword that JSON Schema does not know",
        "It is nearly one that JSON Schema knows. Unknown keywords are ignored, so a misspelt one "
        "would be lost silently.",
        '{"type": "object", "requird": ["id"]}',
        ("Correct its name.", "Begin it with `x-` if it is for another tool."),
    ),
    Rule(
        "KEYWORD_IGNORED",
        "warning",
        "A keyword of another tool",
        "JSON Schema does not know it, so it says nothing about the values.",
        '{"type": "string", "markdownDescription": "**bold**"}',
        ("Begin its name with `x-`, which says that it is for another tool.",),
    ),
    Rule(
        "ALLOF_CONFLICT",
        "error",
        "Schemas that exclude each other",
        "A value has to satisfy all of them, and they ask for different types.",
        '{"allOf": [{"type": "string"}, {"type": "integer"}]}',
        ("Correct one of the schemas.", "Use `anyOf` if one of them is to be enough."),
    ),
    Rule(
        "ALLOF_TOO_MANY",
        "error",
        "Too many schemas joined",
        "What `allOf` joins becomes one class with the properties of all.",
        '{"allOf": [{"$ref": "#/$defs/A1"}, {"$ref": "#/$defs/A2"}, "and 99 more"]}',
        ("Write the properties that are meant into one schema.",),
    ),
    Rule(
        "DIALECT_UNKNOWN",
        "error",
        "A version of JSON Schema that is not known",
        "`$schema` inside a spec says by which version a schema is to be read.",
        '{"$schema": "http://json-schema.org/draft-04/schema#"}',
        ("Convert the schema to 2020-12.", "Leave `$schema` out for 2020-12."),
    ),
    Rule(
        "SCHEMA_NOT_CHECKABLE",
        "error",
        "A schema that cannot be checked",
        "What the generated types cannot say is checked by a validator (jsonschema-rs), and it "
        "does not take this schema, or would apply so many schemas to one value that a check takes "
        "too long.",
        r'{"not": {"const": "\ud800"}}',
        ("Correct what the message names.",),
    ),
    Rule(
        "TYPE_OVERRIDE",
        "error",
        "A Python type that the value cannot have",
        "`x-streamdb-type` gives a string another type in Python: `Decimal` for decimal numbers, "
        "`bytes` for base64, `str` to keep the text of a format that has a type.",
        '{"type": "number", "x-streamdb-type": "Decimal"}',
        ("Use one of the types that the message names.", "Make the value a string."),
    ),
    Rule(
        "KEYWORD_INAPPLICABLE",
        "warning",
        "A keyword without effect",
        "JSON Schema applies it to values of another type only, so it never checks anything.",
        '{"type": "integer", "minLength": 1}',
        ("Delete it.", "Correct the type."),
    ),
    Rule(
        "SCHEMA_FALSE",
        "error",
        "A schema that accepts nothing",
        "It has no values, so nothing with it could ever be written. A property that may not be "
        "there at all may be `false`.",
        '{"type": "array", "items": {"type": "string", "enum": [1, 2]}}',
        ("Delete it.", "Correct what excludes its values."),
    ),
    Rule(
        "TYPE_MISSING",
        "warning",
        "Constraints without a type",
        "Without `type` a constraint applies to values of its own type and lets all others pass; "
        "the value may be anything in Python.",
        '{"minLength": 1}',
        ("Add `type`.",),
    ),
    Rule(
        "REQUIRED_UNDECLARED",
        "warning",
        "A required property without declaration",
        "It must be there, but nothing says what it is.",
        '{"required": ["id"], "properties": {}}',
        ("Declare it in `properties`.", "Take it out of `required`."),
    ),
    Rule(
        "REQUIRED_DUPLICATE",
        "error",
        "A required property listed twice",
        "Names in `required` are unique.",
        '{"required": ["id", "id"]}',
        ("Delete one of them.",),
    ),
    Rule(
        "ENUM_VALUE_DUPLICATE",
        "error",
        "A value listed twice",
        "Each value of an `enum` stands there once; 1 and 1.0 are the same value.",
        '{"enum": ["a", "a"]}',
        ("Delete one of them.",),
    ),
    Rule(
        "ENUM_VALUE_TYPE",
        "warning",
        "A value that can never occur",
        "`type` excludes it.",
        '{"type": "string", "enum": ["a", 1]}',
        ("Delete the value.", "Correct the type."),
    ),
    Rule(
        "DEFAULT_MISFIT",
        "warning",
        "A default that is not allowed",
        "A default is documentation: it is never filled in, and stands in the docstring as if it "
        "were a value of the schema.",
        '{"type": "integer", "default": "x"}',
        ("Correct the default.", "Correct the schema."),
    ),
    Rule(
        "FORMAT_UNSUPPORTED",
        "warning",
        "A format that is not checked",
        "Formats of strings are checked by one grammar in every language, and int64 of integers is "
        "known; other formats are annotations, as JSON Schema has it.",
        '{"type": "string", "format": "color"}',
        ("Describe it by `pattern`.", "Say it in `description`."),
    ),
    Rule(
        "PATTERN_UNSUPPORTED",
        "error",
        "A pattern that is no regular expression",
        "Patterns are expressions of ECMA-262. Those that mean the same in Python are checked by "
        "the type itself, all others by a validator.",
        '{"type": "string", "pattern": "[a-z"}',
        (
            "Correct it at the character that the message names.",
            "Make one smaller that the validator does not take.",
            "Write look-arounds for `\\b` and `\\B`, on which validators differ.",
        ),
    ),
    Rule(
        "BOUNDS_EXCLUDE_ALL",
        "error",
        "Bounds that exclude every value",
        "The lower bound is above the upper one.",
        '{"type": "integer", "minimum": 5, "maximum": 3}',
        ("Swap or correct them.",),
    ),
    Rule(
        "INTEGER_BEYOND_EXACT",
        "warning",
        "An integer that JavaScript rounds",
        "JavaScript reads numbers as floating point, which is exact for integers up to 2^53.",
        '{"type": "integer", "maximum": 9223372036854775807}',
        ("Use a string.", 'Add "format": "int64" if no JavaScript reads the stream.'),
    ),
    # References
    Rule(
        "REFERENCE_UNKNOWN",
        "error",
        "A reference that leads nowhere",
        "References lead to schemas: by a JSON Pointer from the beginning of the file or of the "
        "schema with an `$id` around them, by an `$anchor`, or by an `$id`.",
        '{"$ref": "#/$defs/Mesage"}',
        ("Correct the name.", "Move the schema to `$defs`."),
    ),
    Rule(
        "REFERENCE_OUTSIDE",
        "error",
        "A reference out of the spec's folder",
        "The compiler never fetches anything, and reads no file outside the spec's folder, so that "
        "it gives the same result everywhere.",
        '{"$ref": "https://example.org/message.json"}',
        ("Copy the schema to `$defs`.",),
    ),
    Rule(
        "REFERENCE_FILE",
        "error",
        "A file that cannot be referred to",
        "References may lead to other files in the spec's folder and below it, and nowhere else.",
        '{"$ref": "parts.json#/$defs/Part"}',
        ("Correct the path, which begins at the file that refers.", "Move the file there."),
    ),
    Rule(
        "IDENTIFIER_DUPLICATE",
        "error",
        "Two schemas with one identifier",
        "References lead to a schema by its `$id`, or by its `$anchor` within the schema with an "
        "`$id` around it, so each of these names stands once.",
        '{"$defs": {"A": {"$anchor": "part"}, "B": {"$anchor": "part"}}}',
        ("Give one of them another identifier.", "Delete one, and refer to `#/$defs/NAME`."),
    ),
    Rule(
        "REFERENCE_CIRCLE",
        "error",
        "A schema that checks itself without end",
        "To check a value by it is to check the same value by it again: through `$ref`, `allOf`, "
        "`not` and other keywords that stay with the value. Validators never come back from it. A "
        "schema may contain itself where the value is another one: in a property or an item.",
        '{"$defs": {"A": {"not": {"$ref": "#/$defs/A"}}}}',
        ("Take the reference out.", "Refer from a property or an item."),
    ),
    Rule(
        "RECURSION_ENDLESS",
        "error",
        "Values that contain themselves without end",
        "Each value requires another one of the same kind, so none could ever be finished. An "
        "array, a map, null or an absent property ends a recursion.",
        '{"$defs": {"Node": {"type": "object", "required": ["next"], "properties": '
        '{"next": {"$ref": "#/$defs/Node"}}}}}',
        ("Take a property of the circle out of `required`.", "Let one of them be null."),
    ),
    # Actions
    Rule(
        "ACTION_INPUT_NOT_OBJECT",
        "error",
        "An input that is no object",
        "The input of an action is an object, so that it can get more properties later.",
        '{"input": {"type": "string"}}',
        ("Put the value into a property of an object.",),
    ),
    Rule(
        "EFFECT_POINTER",
        "error",
        "A pointer that leads nowhere",
        "Pointers of effects lead through required objects of the input to a property.",
        '{"delete": "messages", "key": "messageId"}',
        ("Begin with a slash.", "Correct the name of the property."),
    ),
    Rule(
        "EFFECT_MISFIT",
        "error",
        "A value that does not fit the row",
        "Valid input could give a row that is not valid, or the types differ.",
        '{"insert": "messages", "value": "/text"}',
        ("Refer to the same definition on both sides.", "Make the property required."),
    ),
    Rule(
        "EFFECT_UNDECIDED",
        "warning",
        "A value that may not fit the row",
        "The types agree and the constraints differ; the row is checked when it is written.",
        '{"update": "messages", "key": "/id", "set": {"content": "/text"}}',
        ("Give both properties the same constraints.",),
    ),
    Rule(
        "EFFECT_VALUE_DROPPED",
        "warning",
        "A part of the input that the row has not",
        "The row is made of its declared properties; what else the input has is left out.",
        '{"insert": "messages"}',
        ("Add the property to the row.", "Point `value` to the part that is meant."),
    ),
    Rule(
        "EFFECT_FIELD_UNKNOWN",
        "error",
        "A field that the row does not have",
        "`set` names properties of the row.",
        '{"update": "messages", "key": "/id", "set": {"contents": "/text"}}',
        ("Correct the name.", "Add the property to the row."),
    ),
    Rule(
        "EFFECT_SETS_KEY",
        "error",
        "A change of the primary key",
        "The key identifies the row; with another key it is another row.",
        '{"update": "messages", "key": "/id", "set": {"id": "/newId"}}',
        ("Delete the row and insert another.",),
    ),
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.id: rule for rule in _RULES})
