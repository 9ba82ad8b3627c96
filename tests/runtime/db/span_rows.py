"""Rows whose class refuses some values together, and quotes one of them as it does."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, model_validator


@dataclass(frozen=True)
class Span:
    id: str
    start: int
    end: int
    label: str = ""

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError(f"{self.label} ends after its start")


class ModelSpan(BaseModel, frozen=True):
    id: str
    start: int
    end: int
    label: str = ""

    @model_validator(mode="after")
    def ends_after_its_start(self) -> ModelSpan:
        if self.start > self.end:
            raise ValueError(f"{self.label} ends after its start")
        return self
