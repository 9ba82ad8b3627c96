"""How the files of a package compare with what the compiler would write now."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Literal

from streamdb_gen.folder import TEMPORARY_PREFIX, Content, Folder, Unusable
from streamdb_gen.marker import Marker, can_be_marked, digest, read_marker

State = Literal["current", "edited", "stale", "missing", "orphaned", "foreign"]

_NOT_OURS: Final = "not written by streamdb-gen"


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of a package, or one that is there and should not be.

    - ``current``: as it would be written now;
    - ``edited``: changed by hand since it was written;
    - ``stale``: unchanged since it was written, but it would now be written otherwise;
    - ``missing``: not there;
    - ``orphaned``: written by the compiler, but no longer part of the package;
    - ``foreign``: in the place of a file of the package, but not written by the compiler.

    ``diff`` is a unified diff from the file as it is to the file as it should be; it is empty where
    they differ by the marker line alone. ``keep`` is set
    on an orphaned file that somebody has changed, which is not removed.
    """

    name: str
    state: State
    reason: str = ""
    diff: str = ""
    keep: bool = False


def package_state(folder: Folder | None, expected: Mapping[str, str]) -> tuple[FileState, ...]:
    """Compare a folder (None: there is none) with the files that it should hold."""
    if folder is None:
        return tuple(_missing(name, text) for name, text in expected.items())
    contents = {name: folder.read(name) for name in (*expected, *_orphan_names(folder, expected))}
    markers = {
        name: marker
        for name, content in contents.items()
        if isinstance(content, str) and (marker := read_marker(content))
    }
    own_specs = {marker.spec for marker in markers.values()}
    states = [
        _file_state(name, text, contents[name], markers.get(name), own_specs)
        for name, text in expected.items()
    ]
    return (*states, *_orphans(contents, markers, expected))


def _file_state(
    name: str,
    expected: str,
    content: Content | None,
    marker: Marker | None,
    own_specs: set[str],
) -> FileState:
    if content is None:
        return _missing(name, expected)
    if isinstance(content, Unusable):
        return FileState(name, "foreign", content.reason)
    if content == expected:
        return FileState(name, "current")
    difference = _diff(name, content, expected)
    if can_be_marked(name):
        if marker is None:
            return FileState(name, "foreign", _NOT_OURS)
        if not marker.intact:
            return FileState(name, "edited", "changed by hand", difference)
        reason = _why_stale(marker, read_marker(expected))
        if _behind_marker(content) == _behind_marker(expected):
            return FileState(name, "stale", f"{reason}; only the first line differs")
        return FileState(name, "stale", reason, difference)
    # Files that cannot carry a marker are judged by the markers of the others.
    if not own_specs:
        return FileState(name, "foreign", _NOT_OURS)
    if digest(content) in own_specs:
        return FileState(name, "stale", "the spec has changed", difference)
    return FileState(name, "edited", "changed by hand", difference)


def _missing(name: str, expected: str) -> FileState:
    return FileState(name, "missing", "", _diff(name, "", expected))


def _why_stale(present: Marker, due: Marker | None) -> str:
    if due is None or present.spec != due.spec:
        return "the spec has changed"
    if present.version != due.version:
        return f"streamdb-gen {present.version} wrote it"
    return "it would now be written otherwise"


def _behind_marker(text: str) -> str:
    return text.partition("\n")[2]


def _orphan_names(folder: Folder, expected: Mapping[str, str]) -> Iterator[str]:
    """Files that are not expected and may be ours, of the kinds that this package consists of.

    A package of another target in the same folder is none of our business.
    """
    kinds = {PurePath(name).suffix for name in expected if can_be_marked(name)}
    for name in folder.names():
        may_be_ours = PurePath(name).suffix in kinds or name.startswith(TEMPORARY_PREFIX)
        if name not in expected and may_be_ours:
            yield name


def _orphans(
    contents: Mapping[str, Content | None],
    markers: Mapping[str, Marker],
    expected: Mapping[str, str],
) -> Iterator[FileState]:
    for name in contents:
        if name.startswith(TEMPORARY_PREFIX):
            yield FileState(name, "orphaned", "left by a run that was broken off")
        elif name not in expected and name in markers:
            intact = markers[name].intact
            reason = "no longer part of the package" + ("" if intact else ", but changed by hand")
            yield FileState(name, "orphaned", reason, keep=not intact)


def _diff(name: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        f"{name} (in the folder)",
        f"{name} (from the spec)",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ no line end\n" for line in lines)
