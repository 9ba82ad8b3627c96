"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import streamdb_server

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(streamdb_server.__path__, "streamdb_server.")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    examples = [
        len(test.examples)
        for name in MODULES
        for test in doctest.DocTestFinder().find(importlib.import_module(name))
    ]
    assert sum(examples) > 10
