"""``Number``: what JSON calls a number, read without rounding."""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Number: TypeAlias = float
else:
    #: For type checkers ``float``, which takes integers, too; at run time integers stay integers,
    #: for a float would round those beyond 2^53.
    Number = int | float
