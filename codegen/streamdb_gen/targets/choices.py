"""What can be chosen of a target."""

from typing import Literal

#: The language of a package.
TargetName = Literal["python", "typescript"]

#: What the rows of a Python package are made of.
Models = Literal["msgspec", "pydantic"]
