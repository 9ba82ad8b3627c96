"""What is said to a function that sets a field of a row which is immutable."""

from __future__ import annotations

from dataclasses import FrozenInstanceError


def how_to_copy(error: Exception) -> str | None:
    """Return what makes a changed copy of a row, if an error is of setting a field of it.

    >>> how_to_copy(AttributeError("immutable type: 'Task'"))
    'msgspec.structs.replace(row, name=value)'
    >>> how_to_copy(AttributeError("'Task' object has no attribute 'titel'"))
    """
    if isinstance(error, FrozenInstanceError):
        return "dataclasses.replace(row, name=value)"
    if isinstance(error, AttributeError) and str(error).startswith("immutable type"):
        return "msgspec.structs.replace(row, name=value)"
    if type(error).__name__ == "ValidationError" and "type=frozen_instance" in str(error):
        return "row.model_copy(update={'name': value})"
    return None
