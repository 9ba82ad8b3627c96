"""Public schemas, as packages ship them. None is copied into the repository.

What the compiler refuses by design is taken out here, on loading, and nowhere else: other drafts
become draft-07 where that changes nothing but spelling, and references to other hosts accept
anything.
"""

from __future__ import annotations

import json
import pickletools
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from jsonschema_specifications import REGISTRY
from tests.agreement import downloads
from tests.agreement.cases import DRAFT_7, DRAFT_2020_12, Json
from tests.interop.node import find_node, packages_installed

_HERE: Final = Path(__file__).parent


def _file(path: str) -> Json:
    return json.loads((downloads.packages() / path).read_text("utf-8"))


def _vendored(name: str) -> Json:
    return _file(f"check_jsonschema/builtin_schemas/vendor/{name}.json")


def _exported(name: str) -> Json:
    return downloads.exported_types()[name]


def _stored(address: str) -> Json:
    return _store()[address]


def _open_api_3_1() -> Json:
    """Its one dynamic reference is for dialects other than its own; here it is a plain one."""
    text = json.dumps(_file("openapi_spec_validator/resources/schemas/v3.1/schema.json"))
    plain = text.replace('"$dynamicRef": "#meta"', '"$ref": "#/$defs/schema"')
    return json.loads(plain.replace('"$dynamicAnchor": "meta", ', ""))


def _cloud_events() -> Json:
    """The npm package has it inside the validator that was made from it."""
    node = find_node()
    if node is None:
        raise RuntimeError("needs Node.js with npm: on PATH, or by the extra `dev`")
    with packages_installed(node, _HERE):
        validator = _HERE / "node_modules/cloudevents/dist/schema/v1.js"
        found = re.search(
            r'^const \w+ = (\{ "\$schema": .*\});$', validator.read_text("utf-8"), re.MULTILINE
        )
    assert found is not None, "the package `cloudevents` holds its schema elsewhere now"
    return json.loads(found[1])


PUBLIC: Final[Mapping[str, Callable[[], Json]]] = {
    "ag_ui_event": partial(_exported, "ag-ui-event"),
    "ag_ui_message": partial(_exported, "ag-ui-message"),
    "anthropic_message": partial(_exported, "anthropic-message"),
    "anthropic_message_input": partial(_exported, "anthropic-message-input"),
    "anthropic_stream_event": partial(_exported, "anthropic-stream-event"),
    "asyncapi": partial(
        _stored,
        "https://raw.githubusercontent.com/asyncapi/spec-json-schemas/master/schemas/2.4.0.json",
    ),
    "avro": partial(_stored, "https://json.schemastore.org/avro-avsc.json"),
    "citation": partial(_vendored, "citation-file-format"),
    "cloud_events": _cloud_events,
    "compose": partial(_vendored, "compose-spec"),
    "dependabot": partial(_vendored, "dependabot"),
    "discord_webhook": partial(
        _stored,
        "https://raw.githubusercontent.com/AxoCode/json-schema/master/discord/webhook.json",
    ),
    "geojson": partial(_stored, "https://geojson.org/schema/GeoJSON.json"),
    "github_action": partial(_vendored, "github-actions"),
    "github_workflow": partial(_vendored, "github-workflows"),
    "haystack": partial(
        _stored, "https://raw.githubusercontent.com/j2inn/hayson/master/hayson-json-schema.json"
    ),
    "json_schema_draft_7": lambda: REGISTRY.contents(DRAFT_7.rstrip("#")),
    "mcp_message": partial(_exported, "mcp-message"),
    "mcp_request": partial(_exported, "mcp-request"),
    "mcp_tool": partial(_exported, "mcp-tool"),
    "mcp_tool_result": partial(_exported, "mcp-tool-result"),
    "open_api_3_0": partial(_file, "openapi_spec_validator/resources/schemas/v3.0/schema.json"),
    "open_api_3_1": _open_api_3_1,
    "openai_chat_chunk": partial(_exported, "openai-chat-chunk"),
    "openai_chat_message": partial(_exported, "openai-chat-message"),
    "openai_response_event": partial(_exported, "openai-response-event"),
    "openai_response_item": partial(_exported, "openai-response-item"),
    "package_json": partial(_stored, "https://json.schemastore.org/package.json"),
    "read_the_docs": partial(_vendored, "readthedocs"),
    "resume": partial(
        _stored,
        "https://raw.githubusercontent.com/jsonresume/resume-schema/v1.0.0/schema.json",
    ),
    "state_machine": partial(
        _stored,
        "https://raw.githubusercontent.com/statelyai/xstate/main/packages/core/src/"
        "machine.schema.json",
    ),
    "task_file": partial(_vendored, "taskfile"),
    "token_list": partial(_stored, "https://uniswap.org/tokenlist.schema.json"),
}
"""How each is loaded, by name. The name is that of the file with its instances."""


REFUSED: Final[Mapping[str, Callable[[], Json]]] = {
    "a dynamic reference": partial(
        _file, "openapi_spec_validator/resources/schemas/v3.1/schema.json"
    ),
    "a misspelt keyword": partial(_file, "nbformat/v4/nbformat.v4.5.schema.json"),
    "another draft": partial(_stored, "https://json.schemastore.org/package.manifest.json"),
}
"""Public schemas that the compiler has to refuse, by what is wrong with them."""


def as_compilable(schema: Json) -> tuple[Json, str]:
    """The schema in a draft that the compiler reads, and that draft."""
    draft = DRAFT_2020_12 if "2020-12" in schema.get("$schema", DRAFT_2020_12) else DRAFT_7
    return _without_remote_references({**_as_draft_7(schema), "$schema": draft}), draft


def _as_draft_7(schema: Json) -> Json:
    """Write what drafts before 6 spelt otherwise."""
    if isinstance(schema, list):
        return [_as_draft_7(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    written = {key: _as_draft_7(value) for key, value in schema.items()}
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if written.get(exclusive) is True:
            written[exclusive] = written.pop(bound)
    if "draft-04" in str(schema.get("$schema")) and "id" in written:
        written["$id"] = written.pop("id")
    return written


def _without_remote_references(schema: Json) -> Json:
    if isinstance(schema, list):
        return [_without_remote_references(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if re.match("https?:", str(schema.get("$ref"))):
        return True
    return {key: _without_remote_references(value) for key, value in schema.items()}


@cache
def _store() -> Mapping[str, Json]:
    """The schemas of SchemaStore's catalogue, by address: an HTTP cache with pickled answers.

    The pickles are looked through and not loaded, so nothing in them is executed.
    """
    with closing(sqlite3.connect(downloads.packages() / "schemastore/cache.sqlite")) as opened:
        rows = opened.execute("SELECT value FROM responses")
        answers = [dict(_texts(pickled)) for (pickled,) in rows]
    return {answer["url"]: _json_or_none(answer["_content"]) for answer in answers}


def _texts(pickled: bytes) -> Iterator[tuple[str, Any]]:
    """The first value behind each of the two keys that matter."""
    texts = [
        argument
        for _, argument, _ in pickletools.genops(pickled)
        if isinstance(argument, str | bytes)
    ]
    for key in ("url", "_content"):
        yield key, texts[texts.index(key) + 1]


def _json_or_none(text: bytes) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None
