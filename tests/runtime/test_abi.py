"""Generated packages and the runtime say it when they do not fit each other."""

import pytest

from streamdb.abi import ABI, require_abi
from streamdb.errors import AbiMismatch


@pytest.mark.parametrize(
    ("abi", "command"), [(ABI - 1, "streamdb-gen SPEC"), (ABI + 1, "pip install -U streamdb")]
)
def test_what_is_too_old_is_named_with_what_to_do(abi: int, command: str) -> None:
    with pytest.raises(AbiMismatch, match=f"generated for ABI {abi} .* run `{command}`"):
        require_abi(abi, "agent_session")


def test_what_fits_is_taken() -> None:
    assert require_abi(ABI, "agent_session") == ABI
