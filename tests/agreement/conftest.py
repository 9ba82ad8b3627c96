"""Other people's schemas, downloaded once; without the network the tests are skipped, not in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.agreement import downloads
from tests.agreement.public import PUBLIC
from tests.agreement.sides import Side, all_sides
from tests.agreement.typescript_side import typescript_side
from tests.interop.node import Node, node

__all__ = ["node"]


@pytest.fixture(scope="session", autouse=True)
def downloaded() -> None:
    """Everything that the tests need from the registries."""
    try:
        downloads.jsonschema_source()
        downloads.exported_types()
        PUBLIC["cloud_events"]()
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory, node: Node) -> Iterator[tuple[Side, ...]]:
    """Everybody who judges."""
    with typescript_side(node) as typescript:
        yield (*all_sides(tmp_path_factory.mktemp("packages")), typescript)
