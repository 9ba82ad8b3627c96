"""The state of a stream as plain values, without a database: the simple fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from streamdb.state.events import ChangeEvent
from streamdb.state.parsing import parse
from streamdb.state.stream_event import StreamEvent


class MaterializedState:
    """Values by type and key, from messages that the caller reads.

    No schema, no validation: any JSON value, primitives and null included. The rules are those of
    databases otherwise (state protocol, section 7): an update replaces the value, whatever was or
    was not there; a delete of what is not there does nothing; ``reset`` clears everything, and its
    offset is the caller's to obey; snapshot marks change nothing; what is no message is counted and
    changes nothing.

    >>> state = MaterializedState()
    >>> state.apply_all([
    ...     {"type": "config", "key": "theme", "value": "dark", "headers": {"operation": "insert"}},
    ...     {"type": "config", "key": "size", "value": 11, "headers": {"operation": "upsert"}},
    ...     {"type": "user", "key": "7", "value": {"id": 7}, "headers": {"operation": "insert"}},
    ...     {"type": "config", "key": "theme", "headers": {"operation": "delete"}},
    ... ])
    >>> state.get("config", "size"), state.get("config", "theme"), state.get("config", "x", "none")
    (11, None, 'none')
    >>> state.of_type("config"), state.types, state.type_count
    (mappingproxy({'size': 11}), ('config', 'user'), 2)

    Attributes:
        invalid: how many messages were none by the protocol (INVALID-1).
    """

    def __init__(self) -> None:
        self._values: Final[dict[str, dict[str, Any]]] = {}
        self.invalid = 0

    def apply(self, message: StreamEvent | ChangeEvent[Any] | Mapping[str, Any]) -> None:
        """Take in one message: parsed JSON, an event of `on_event`, or one to be written."""
        if isinstance(message, ChangeEvent):
            message = parse(message.to_json())
        event = message if isinstance(message, StreamEvent) else StreamEvent.of(message)
        if event is None:
            self.invalid += 1
        elif event.type is None or event.key is None:
            if event.control == "reset":
                self.clear()
        elif event.operation == "delete":
            self._remove(event.type, event.key)
        else:
            self._values.setdefault(event.type, {})[event.key] = event.value

    def apply_all(
        self, messages: Iterable[StreamEvent | ChangeEvent[Any] | Mapping[str, Any]]
    ) -> None:
        """Take in messages in stream order, such as the items of a batch."""
        for message in messages:
            self.apply(message)

    def get(self, type: str, key: str, default: Any = None) -> Any:
        """Return the value of a type and key, or ``default``; a value may be None itself."""
        return self._values.get(type, {}).get(key, default)

    def of_type(self, type: str) -> Mapping[str, Any]:
        """Return all values of a type by key, in order of first insertion."""
        return MappingProxyType(self._values.get(type, {}))

    @property
    def types(self) -> tuple[str, ...]:
        """The types of which there are values."""
        return tuple(self._values)

    @property
    def type_count(self) -> int:
        """How many types there are values of."""
        return len(self._values)

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()

    def __len__(self) -> int:
        """Return how many values there are, of all types."""
        return sum(map(len, self._values.values()))

    def __repr__(self) -> str:
        return f"<MaterializedState with {len(self)} values of {self.type_count} types>"

    def _remove(self, type_: str, key: str) -> None:
        values = self._values.get(type_, {})
        values.pop(key, None)
        if not values:
            self._values.pop(type_, None)
