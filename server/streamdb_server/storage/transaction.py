"""What every writing request is carried out in."""

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction under way, and the streams whose waiters wake once it is committed."""

    db: sqlite3.Connection
    changed: set[int] = field(default_factory=set[int])
