"""Every operator, generated as Python, gives what the naive evaluator gives."""

from __future__ import annotations

from typing import Any

import pytest
from tests.runtime.engine.compiled.keeping import keeps
from tests.runtime.expr.operator_cases import OF_NULL, ROW, VALUES

from streamdb.engine.compiled.functions import value_of
from streamdb.expr import Expr
from streamdb.expr.shape import row_shape


@pytest.mark.parametrize(("expression", "expected"), VALUES + OF_NULL, ids=repr)
def test_values(expression: Expr[Any, Any], expected: object) -> None:
    found = value_of(expression.node, row_shape())(ROW)
    assert found == expected
    assert type(found) is type(expected)
    if expected is None or isinstance(expected, bool):
        assert keeps(expression.node, row_shape())(ROW) is (expected is True)
        assert keeps((~expression).node, row_shape())(ROW) is (expected is False)
