"""Both executors that keep rows up to date, for every test that takes one."""

import pytest

from streamdb.engine.compiled import Compiled
from streamdb.engine.interpreted import Interpreted


@pytest.fixture(params=[Interpreted, Compiled])
def make(request: pytest.FixtureRequest) -> object:
    """Make an executor from a plan."""
    return request.param
