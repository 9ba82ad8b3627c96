"""What is known of a Python package that was generated before."""

from __future__ import annotations

import re
from typing import Final

from streamdb_gen.marker import read_marker
from streamdb_gen.targets.choices import Models

MODELS_FILE: Final = "models.py"
# Every package has rows, and this is where those of pydantic get their base classes.
_PYDANTIC_ROWS: Final = re.compile(r"^from streamdb\.pydantic_rows import ", re.MULTILINE)


def models_of(text: str) -> Models | None:
    """The kind of the rows by the text of the module of models; None if we did not write it."""
    if read_marker(text) is None:
        return None
    return "pydantic" if _PYDANTIC_ROWS.search(text) else "msgspec"
