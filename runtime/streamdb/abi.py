"""The agreement between generated code and this runtime."""

from typing import Final

from streamdb.errors import AbiMismatch

#: Raised whenever code generated before cannot run on the runtime any more.
ABI: Final = 3


def require_abi(abi: int, package: str) -> int:
    """Check that a generated package and this runtime fit each other; called at its import.

    >>> require_abi(ABI, "agent_session") == ABI
    True

    Raises:
        AbiMismatch: they do not; the message names the command to run.
    """
    if abi != ABI:
        older, command = (
            ("the package", "streamdb-gen SPEC")
            if abi < ABI
            else ("streamdb", "pip install -U streamdb")
        )
        raise AbiMismatch(
            f"{package} was generated for ABI {abi} and this streamdb speaks {ABI}: "
            f"{older} is too old; run `{command}`"
        )
    return abi
