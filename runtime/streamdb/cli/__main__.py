"""`python -m streamdb.cli` is the `streamdb` command."""

from streamdb.cli import main

main()
