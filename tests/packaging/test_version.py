"""The version is written in one place for packaging and one for the runtime: they agree."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import streamdb

ROOT = Path(__file__).resolve().parents[2]


def test_the_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert streamdb.__version__ == project["version"] == version("streamdb")
