"""Print the JSON Schemas of public Python types, as pydantic exports them: `{name: schema}`.

Run by downloads.py in a process of its own, which sees the packages of requirements.txt.
"""

from __future__ import annotations

import json
from typing import Any

import ag_ui.core
import anthropic.types
import mcp_types
import openai.types.chat
import openai.types.responses
from pydantic import TypeAdapter

TYPES: dict[str, Any] = {
    "openai-chat-message": openai.types.chat.ChatCompletionMessageParam,
    "openai-chat-chunk": openai.types.chat.ChatCompletionChunk,
    "openai-response-item": openai.types.responses.ResponseInputItemParam,
    "openai-response-event": openai.types.responses.ResponseStreamEvent,
    "anthropic-message-input": anthropic.types.MessageParam,
    "anthropic-message": anthropic.types.Message,
    "anthropic-stream-event": anthropic.types.RawMessageStreamEvent,
    "mcp-message": mcp_types.JSONRPCMessage,
    "mcp-request": mcp_types.ClientRequest,
    "mcp-tool": mcp_types.Tool,
    "mcp-tool-result": mcp_types.CallToolResult,
    "ag-ui-event": ag_ui.core.Event,
    "ag-ui-message": ag_ui.core.Message,
}


if __name__ == "__main__":
    print(json.dumps({name: TypeAdapter(type_).json_schema() for name, type_ in TYPES.items()}))
