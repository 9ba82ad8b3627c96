"""How wide generated TypeScript is; prettier is told so by `printWidth`."""

from __future__ import annotations

from typing import Final

LINE_LENGTH: Final = 100
