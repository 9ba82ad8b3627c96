"""Texts of the runner as values of the client, and back."""

from __future__ import annotations

import json
from typing import Any

from adapter.failures import BadJson

from streamdb import Batch


def is_json(content_type: str) -> bool:
    """Tell whether the protocol takes a stream for JSON."""
    return content_type.partition(";")[0].strip().lower() == "application/json"


def value_of(data: str | bytes, content_type: str) -> Any:
    """Return what the client appends for a text: the value that it says in JSON, or itself."""
    return parsed(data) if is_json(content_type) else data


def parsed(text: str | bytes) -> Any:
    """Parse JSON, without the constants that only JavaScript has.

    Raises:
        BadJson: it is not JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadJson(f"not JSON: {error}") from None


def compact(value: Any) -> str:
    """Write JSON as JavaScript does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_of(batch: Batch, items: list[Any] | None) -> str:
    """Return the text of a batch: of its items if it is JSON, of its bytes otherwise."""
    if items is not None:
        return compact(items) if items else ""
    return batch.data.decode("utf-8", "replace")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
