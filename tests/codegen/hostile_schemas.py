"""Random schemas of every keyword, sound and unsound, with code in every text.

The promise: a finding, or a package that is parsed, imported and can read; never an exception.
"""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tests.agreement.compiled import load_package, unload_package
from tests.codegen.hostile_specs import TEXT

from streamdb import InvalidRow
from streamdb_gen import api
from streamdb_gen.loading import load_spec_text

_CODE = st.sampled_from(
    [
        "__import__('os').abort()",
        "os.abort",
        "builtins.exit",
        "; import os; os.abort()",
        '"""\nimport os; os.abort()\n"""',
        "${process.abort()}",
        "*/ process.abort() /*",
        "\n>>> __import__('os').abort()",
    ]
)
_TEXTS = _CODE | TEXT
_NAMES = st.sampled_from(["a", "b", "kind", "value", "B b", "é", "class"]) | _TEXTS
_REFERENCES = st.sampled_from(
    [
        *("#", "#/", "#/$defs/A", "#/$defs/B", "#/$defs/C", "#/$defs/A/properties/a", "#here"),
        *(
            "#/collections/rows/schema",
            "#/nowhere",
            "urn:a",
            "urn:a#/x",
            "other.json",
            "../up.json",
        ),
        *("/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x", "//x/y", "%2e%2e/x", "#%zz"),
        *("http://[::1", "//[", "#%FF", "a.json#%FF", f"#/$defs/A/anyOf/{'1' * 5000}"),
    ]
)
_TYPES = st.sampled_from(
    ["object", "array", "string", "integer", "number", "boolean", "null", "any", 7]
)
_NUMBERS = st.sampled_from([0, 1, -1, 2, 0.5, 1.0, 2**53, 2**63, 2**70, 1e300, -0.0])
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
    max_leaves=4,
)
_PATTERNS = st.sampled_from(["^a", "\\d+$", "\\w", "(", "a++", "\\p{L}", "[z-a]", "(?<n>a)", "."])
_FORMATS = st.sampled_from(["date-time", "date", "time", "uuid", "email", "regex", "int64", "x"])
_DRAFTS = st.sampled_from(
    [
        "https://json-schema.org/draft/2020-12/schema",
        "http://json-schema.org/draft-07/schema#",
        "http://json-schema.org/draft-04/schema#",
    ]
)


def _keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    named = st.dictionaries(_NAMES, inner, max_size=3)
    sizes = st.integers(0, 3) | st.just(2**70)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "$ref": _REFERENCES,
        "$id": st.sampled_from(["urn:a", "http://x/y", "#here", "rel.json", "", "http://[::1/x"]),
        "$anchor": st.just("here"),
        "$schema": _DRAFTS,
        "$defs": named,
        "definitions": named,
        "$dynamicRef": st.just("#here"),
        "type": _TYPES | st.lists(_TYPES, min_size=1, max_size=3),
        "enum": st.lists(_VALUES, max_size=3),
        "const": _VALUES,
        "allOf": several,
        "anyOf": several,
        "oneOf": several,
        "not": inner,
        "if": inner,
        "then": inner,
        "properties": named,
        "patternProperties": st.dictionaries(_PATTERNS, inner, max_size=2),
        "additionalProperties": inner,
        "unevaluatedProperties": inner,
        "propertyNames": inner,
        "required": st.lists(_NAMES, max_size=3),
        "dependencies": st.dictionaries(_NAMES, inner | st.lists(_NAMES, max_size=2), max_size=2),
        "dependentRequired": st.dictionaries(_NAMES, st.lists(_NAMES, max_size=2), max_size=2),
        "minProperties": sizes,
        "items": inner | several,
        "prefixItems": several,
        "additionalItems": inner,
        "contains": inner,
        "uniqueItems": st.booleans(),
        "minItems": sizes,
        "maxItems": sizes,
        "minLength": sizes,
        "pattern": _PATTERNS | _TEXTS,
        "format": _FORMATS | _TEXTS,
        "minimum": _NUMBERS,
        "exclusiveMaximum": _NUMBERS,
        "multipleOf": _NUMBERS,
        "description": _TEXTS,
        "default": _VALUES,
        "x-streamdb-name": _NAMES,
        "x-streamdb-type": st.sampled_from(["Decimal", "bytes", "str"]) | _CODE,
        "customTypePath": _CODE,
        "customBasePath": _CODE,
        "x-python-import": _CODE,
        "tsType": _CODE,
    }
    words = st.lists(st.sampled_from(sorted(keywords)), min_size=1, max_size=5, unique=True)
    return words.flatmap(lambda found: st.fixed_dictionaries({w: keywords[w] for w in found}))


_SCHEMAS = st.recursive(
    st.booleans() | _TYPES.map(lambda name: {"type": name}) | _VALUES, _keywords, max_leaves=10
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Specs whose frame is sound, so that the schemas are what is judged."""
    properties = {"id": {"type": "string"}, **draw(st.dictionaries(_NAMES, _SCHEMAS, max_size=3))}
    row = {"type": "object", "required": ["id"], "properties": properties}
    return {
        "name": "soup",
        "collections": {"rows": {"primaryKey": "id", "schema": row}},
        "$defs": {name: draw(_SCHEMAS) for name in "ABC"},
    }


def is_compiled_or_refused(document: Mapping[str, Any]) -> bool:
    """Hold the compiler to its promise; whether the spec was compiled."""
    loaded = load_spec_text(json.dumps(document), "soup.json")
    if loaded.spec is None:
        assert any(finding.severity == "error" for finding in loaded.findings)
        assert api.render_text(loaded.findings, loaded.sources)
        return False
    files = api.generate(loaded.spec)
    for name, text in files.items():
        if name.endswith(".py"):
            ast.parse(text)
    with tempfile.TemporaryDirectory() as folder:
        package = load_package(loaded.spec, Path(folder))
        schema = package.events.rows.schema
        for text in (b"{}", b'{"id": "a"}', b'{"id": 1}', b"[]"):
            with suppress(InvalidRow):
                schema.decode(text, strict=True)
        unload_package(package)
    return True
