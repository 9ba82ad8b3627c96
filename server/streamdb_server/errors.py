"""What can go wrong with a data file, said so that the reader knows what to do next."""

from pathlib import Path


class DataFileError(Exception):
    """A data file cannot be used; the text says which one, why, and what to do."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class DataFileInUse(DataFileError):
    """Another process has the data file open: one file belongs to one process."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            "in use by another process. To share streams between processes, serve them from one: "
            f"run `streamdb serve --db {path}` and use the URL it prints.",
        )


class SoftDeleted(Exception):
    """The stream was deleted, and is kept for its forks alone (MODEL-14)."""


class StoreClosed(Exception):
    """The store was closed, or belongs to the parent of this forked process."""
