"""The section `[tool.streamdb-gen]` of `pyproject.toml`: which specs to compile, and whereto.

One spec in short::

    [tool.streamdb-gen]
    schema = "schema.json"
    out = "src/agent_session"       # without it: beside the spec

or several::

    [[tool.streamdb-gen.targets]]
    schema = "sessions/schema.json"
    models = "pydantic"             # without it: "msgspec"

    [[tool.streamdb-gen.targets]]
    schema = "sessions/schema.json"
    target = "typescript"           # without it: "python"
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from streamdb_gen.problems import Problem, file_problem
from streamdb_gen.targets.choices import Models, TargetName

_FILE: Final = "pyproject.toml"
_SECTION: Final = "tool.streamdb-gen"
_EXAMPLE: Final = f'[{_SECTION}]\nschema = "schema.json"'
_TOML_POSITION: Final = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)")
_PLACE: Final = re.compile(r"(?:targets\[(?P<number>\d+)\])?\.?(?P<key>\w+)?`$")


_PathText: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]+$")]


@dataclass(frozen=True, slots=True)
class Target:
    """One spec, the folder of its package (None: beside the spec), and how it is written.

    ``models`` is the kind of the rows of a Python package.
    """

    schema: Path
    out: Path | None = None
    language: TargetName = "python"
    models: Models = "msgspec"


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file says."""

    file: Path
    targets: tuple[Target, ...]


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    schema: _PathText
    out: _PathText | None = None
    target: TargetName = "python"
    models: Models = "msgspec"


class _Tables(msgspec.Struct, forbid_unknown_fields=True):
    targets: list[_Table]


def load_config(start: Path) -> Config | Problem:
    """Read the `pyproject.toml` of ``start`` or of the nearest folder above it."""
    config = find_config(start)
    if config is not None:
        return config
    file = _file(start)
    if file is None:
        return Problem(
            f"no spec is given, and there is no {_FILE} here or above",
            f"name a spec (streamdb-gen schema.json), or write into {_FILE}:\n{_EXAMPLE}",
        )
    return Problem(
        f"no spec is given, and {file} has no section [{_SECTION}]",
        f"name a spec (streamdb-gen schema.json), or add:\n{_EXAMPLE}",
    )


def find_config(start: Path) -> Config | Problem | None:
    """The same; None if there is no file, or nothing for us in it."""
    file = _file(start)
    if file is None:
        return None
    try:
        return _read(file, file.read_bytes().decode())
    except OSError as error:
        return file_problem("read", file, error)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Problem(f"{file}:{line}: this is not UTF-8")


def _file(start: Path) -> Path | None:
    folders = (start, *start.parents)
    return next((folder / _FILE for folder in folders if (folder / _FILE).is_file()), None)


def _read(file: Path, text: str) -> Config | Problem | None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_POSITION.search(str(error))
        line = int(found["line"]) if found and found["line"] else text.count("\n") + 1
        return Problem(f"{file}:{line}: {_TOML_POSITION.sub('', str(error))}")
    try:
        section = msgspec.convert(document.get("tool", {}), dict[str, Any]).get("streamdb-gen")
        if section is None:
            return None
        tables = _tables(msgspec.convert(section, dict[str, Any]))
    except msgspec.ValidationError as error:
        return _invalid(file, text, str(error))
    if not tables:
        return Problem(f"{file}:{_line(text, 'targets', 0)}: `targets` is empty")
    for number, table in enumerate(tables):
        if table.target == "typescript" and table.models != "msgspec":
            where = f"{file}:{_line(text, 'models', number)}"
            return Problem(f"{where}: `models` is the kind of the rows of Python packages")
    return Config(file, tuple(_target(file.parent, table) for table in tables))


def _tables(section: dict[str, Any]) -> list[_Table]:
    """The targets, in the long or the short form; raises msgspec.ValidationError."""
    if "targets" in section:
        return msgspec.convert(section, _Tables).targets
    return [msgspec.convert(section, _Table)]


def _target(folder: Path, table: _Table) -> Target:
    out = folder / table.out if table.out else None
    return Target(folder / table.schema, out, table.target, table.models)


def _invalid(file: Path, text: str, message: str) -> Problem:
    """Translate msgspec's message: its path becomes a line."""
    what, _, path = message.partition(" - at ")
    place = _PLACE.search(path)
    unknown = re.search(r"unknown field `(.*)`", what)
    key = unknown[1] if unknown else (place and place["key"]) or ""
    number = int(place["number"]) if place and place["number"] else 0
    named = f"`{key}`: " if key and not unknown else ""
    hint = f"a target has `schema` and, if need be, `out`, `target` and `models`:\n{_EXAMPLE}"
    return Problem(f"{file}:{_line(text, key, number)}: {named}{what}", hint)


def _line(text: str, key: str, number: int) -> int:
    """The line of a key in the target of that number, or of the target's header."""
    lines = text.splitlines()
    tables = _table_lines(lines)
    if len(tables) > 1:  # [[tool.streamdb-gen.targets]], one header for each
        tables = tables[number : number + 1]
    has_key = re.compile(rf"""(?<![\w-])["']?{re.escape(key)}["']?\s*=""")
    places = [line for table in tables for line in table if key and has_key.search(lines[line - 1])]
    return places[min(number, len(places) - 1)] if places else tables[0][0]


def _table_lines(lines: list[str]) -> list[list[int]]:
    """The line numbers of the section's tables, each beginning with its header."""
    tables: list[list[int]] = []
    inside = False
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("["):
            inside = line.strip("[] \t").startswith(_SECTION)
            if inside:
                tables.append([])
        if inside:
            tables[-1].append(number)
    return tables or [[1]]
