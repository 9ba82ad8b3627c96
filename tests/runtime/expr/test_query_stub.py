"""What type checkers are told of queries is current, and true of the one class there is."""

from __future__ import annotations

import ast
import inspect

import pytest
from tests.runtime.expr.query_stub import STUB, stub

from streamdb.expr import queries

CLASSES = {
    node.name: node
    for node in ast.parse(STUB.read_text("utf-8")).body
    if isinstance(node, ast.ClassDef) and node.name not in ("Selectable", "Liveable")
}


def test_the_stub_is_current() -> None:
    assert STUB.read_text("utf-8") == stub(), "run `python -m tests.runtime.expr.query_stub`"


def test_the_same_names_are_there_at_run_time() -> None:
    assert {*CLASSES, "query_of"} == {*queries.__all__}


@pytest.mark.parametrize("name", CLASSES)
def test_its_methods_take_what_is_there_at_run_time(name: str) -> None:
    real = getattr(queries, name)
    methods = [node for node in CLASSES[name].body if isinstance(node, ast.FunctionDef)]
    assert methods
    for method in methods:
        if method.name == "__live_of__":  # what checkers are told, and nobody calls
            continue
        if method.decorator_list and ast.unparse(method.decorator_list[0]) == "property":
            assert method.name in real.__slots__
            continue
        arguments = method.args
        named = {argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)} - {"self"}
        parameters = inspect.signature(getattr(real, method.name)).parameters
        assert named <= {*parameters}, method.name
        assert (arguments.vararg is None) or arguments.vararg.arg in parameters, method.name
