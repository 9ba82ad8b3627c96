"""The templates that `streamdb-gen` renders; read through jinja2 by :mod:`streamdb_gen`."""
