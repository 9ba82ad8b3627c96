"""Public schemas that lint refuses: with a finding, and never by an exception."""

from __future__ import annotations

import pytest
from tests.agreement.cases import DRAFT_2020_12, wrapped
from tests.agreement.compiled import Refused, compiled
from tests.agreement.public import REFUSED


@pytest.mark.parametrize("reason", REFUSED)
def test_it_is_refused(reason: str) -> None:
    schema = REFUSED[reason]()
    refused = compiled(wrapped("refused", schema, DRAFT_2020_12).spec)
    assert isinstance(refused, Refused)
