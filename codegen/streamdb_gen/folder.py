"""A folder of generated files, held by its descriptor.

Nothing below it is reached through a symbolic link, and a file is only ever replaced whole: written
beside its place, synced, then renamed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from streamdb_gen.problems import Problem, file_problem

TEMPORARY_PREFIX: Final = ".streamdb-gen-"


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something stands where a file is expected: a link, a folder, a device."""

    reason: str


Content = str | Unusable
"""Text of a file; bytes that are no UTF-8 are kept as lone surrogates."""


def replace_file(path: Path, text: str) -> Problem | None:
    """Write a file of the user anew, whole, with the permissions that it has."""
    try:
        target = path.resolve(strict=True)
        with Folder(target.parent) as folder:
            folder.replace([(target.name, text)], mode=target.stat().st_mode & 0o7777)
    except OSError as error:
        return file_problem("write", path, error)
    return None


class Folder:
    """An open folder; raises OSError for one that is missing, no folder or a symbolic link.

    Errors name the file with its folder, and never a temporary file.
    """

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._descriptor: Final = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def names(self) -> list[str]:
        """What the folder holds, sorted."""
        return sorted(os.listdir(self._descriptor))  # noqa: PTH208 - by descriptor

    def read(self, name: str) -> Content | None:
        """The content of a file; None if there is none."""
        try:
            mode = os.lstat(name, dir_fd=self._descriptor).st_mode
            if not stat.S_ISREG(mode):
                kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
                return Unusable(kind)
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            with _errors_name(self._path / name):
                descriptor = os.open(name, flags, dir_fd=self._descriptor)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")

    def replace(self, files: Iterable[tuple[str, str]], mode: int | None = None) -> None:
        """Write files and put them in place one by one, in this order, the last one last of all.

        All of them are on disk before the first is put in place. Without ``mode`` they get the
        permissions of new files.
        """
        staged: list[tuple[str, str]] = []
        try:
            with _errors_name(self._path):
                for name, text in files:
                    staged.append((self._stage(text, mode), name))
                for position, (temporary, name) in enumerate(staged, start=1):
                    if position == len(staged):
                        os.fsync(self._descriptor)
                    self._rename(temporary, name)
                os.fsync(self._descriptor)
        finally:
            for temporary, _ in staged:
                self.remove(temporary)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with _errors_name(self._path / name), contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def _stage(self, text: str, mode: int | None) -> str:
        name = f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(name, flags, 0o666, dir_fd=self._descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode())
                if mode is not None:
                    os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            self.remove(name)
            raise
        return name

    def _rename(self, temporary: str, name: str) -> None:
        os.replace(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)


@contextlib.contextmanager
def _errors_name(path: Path) -> Generator[None]:
    """Let errors name a path instead of what is relative to a descriptor."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise
