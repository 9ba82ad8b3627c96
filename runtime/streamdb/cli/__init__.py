"""The `streamdb` command. Its libraries are extras, so that they are imported when it runs."""

import sys


def main() -> None:
    """Run the `streamdb` command; exits the process."""
    try:
        from streamdb.cli.commands import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print("streamdb: the command needs click: pip install 'streamdb[cli]'", file=sys.stderr)
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))
