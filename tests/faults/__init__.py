"""Real trouble for clients: a proxy that damages what goes through it.

Faults are data. Each request that comes meets the next one of its proxy; when they are used up,
all is well.
"""

from tests.faults.drawn import faults
from tests.faults.kinds import (
    AnswerTo,
    BrokenChunks,
    Busy,
    CutAnswer,
    CutRequest,
    DeliverAgain,
    DeliverTwice,
    EndEvents,
    Fault,
    Fine,
    LoseAnswer,
    Refuse,
    RefuseWrite,
    Replay,
    Rubbish,
    ShortenBody,
    Silent,
    Slow,
    SpoilBody,
    Stall,
    WrongLength,
)
from tests.faults.proxy import Proxy, proxy

__all__ = [
    "AnswerTo",
    "BrokenChunks",
    "Busy",
    "CutAnswer",
    "CutRequest",
    "DeliverAgain",
    "DeliverTwice",
    "EndEvents",
    "Fault",
    "Fine",
    "LoseAnswer",
    "Proxy",
    "Refuse",
    "RefuseWrite",
    "Replay",
    "Rubbish",
    "ShortenBody",
    "Silent",
    "Slow",
    "SpoilBody",
    "Stall",
    "WrongLength",
    "faults",
    "proxy",
]
