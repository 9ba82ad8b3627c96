"""The exit codes of `streamdb-gen`."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """The exit codes, from fine to worst: of several outcomes the highest counts."""

    FINE = 0
    USAGE = 2  # or a file that cannot be read or written
    STALE = 3  # the package is not current
    FINDINGS = 4  # errors in a spec
    FAULT = 70  # of ours
