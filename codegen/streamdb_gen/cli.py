"""The entry point of `streamdb-gen`. It imports the commands late: they need the extra `gen`."""

from __future__ import annotations

import gc
import sys
from typing import Final

from streamdb_gen.problems import HOW_TO_INSTALL

_EXTRA: Final = frozenset({"click", "jinja2", "jsonschema", "jsonschema_rs"})
_USAGE: Final = 2
# Nearly all that a command makes is in use until it ends: looking for garbage as often as Python
# does by itself takes a fifth of the time.
_OBJECTS_PER_COLLECTION: Final = 200_000


def main() -> None:
    """Run the command and exit with its code."""
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    try:
        from streamdb_gen.commands import run
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        print(
            f"streamdb-gen: {error.name} is not installed: {HOW_TO_INSTALL}",
            file=sys.stderr,
        )
        sys.exit(_USAGE)
    sys.exit(run(sys.argv[1:]))
