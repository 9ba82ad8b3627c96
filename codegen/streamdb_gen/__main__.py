"""`python -m streamdb_gen` is `streamdb-gen`."""

from streamdb_gen.cli import main

main()
