"""The `streamdb` command. Its libraries are extras, so that they are imported when it runs."""

import sys

from streamdb.extras import how_to_install


def main() -> None:
    """Run the `streamdb` command; exits the process."""
    try:
        from streamdb.cli.commands import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print(f"streamdb: the command needs click: {how_to_install('cli')}", file=sys.stderr)
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))
