"""Other people's schemas, downloaded once; without the network the tests are skipped, not in CI."""

from __future__ import annotations

import os

import pytest
from tests.agreement import downloads
from tests.agreement.public import PUBLIC
from tests.interop.node import node

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
