"""What is read out of sight until it is up to date (ATOM-3, RESET-7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamdb.collections.loading import LoadingRows
from streamdb.db.metrics import Metrics
from streamdb.state.fold import Fold, JudgeReset
from streamdb.state.judging import Judge


class Load:
    """The rows of all collections, for as long as nobody sees them.

    Attributes:
        rows: by the names of their collections.
        metrics: what will be told of it when it shows.
        fold: puts events into the rows.
        echoes: of the events of own transactions, which one wrote each, by ordinal.
    """

    def __init__(
        self,
        rows: dict[str, LoadingRows],
        metrics: Metrics,
        judge: Judge,
        judge_reset: JudgeReset,
    ) -> None:
        self.rows: Final = rows
        self.metrics: Final = metrics
        self.echoes: Final[dict[int, str]] = {}
        self.fold: Final = Fold(judge, rows, judge_reset)

    def add_echoes(self, echoes: Mapping[int, str], *, was_reset: bool) -> None:
        """Note the echoes of a batch; a reset makes those before it void, and ordinals new."""
        if was_reset:
            self.echoes.clear()
        self.echoes.update(echoes)

    def tidy(self) -> None:
        """Forget what is out of date; to be called every some hundred events."""
        for rows in self.rows.values():
            rows.tidy()
