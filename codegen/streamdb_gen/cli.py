"""The entry point of `streamdb-gen`. It imports the commands late: they need the extra `gen`."""

from __future__ import annotations

import sys
from typing import Final

from streamdb_gen.problems import HOW_TO_INSTALL

_EXTRA: Final = frozenset({"click", "jinja2", "jsonschema", "jsonschema_rs"})
_USAGE: Final = 2


def main() -> None:
    """Run the command and exit with its code."""
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
