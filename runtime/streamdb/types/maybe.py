"""``Maybe[T]``: the type of a field that may be absent but never null."""

from typing import TYPE_CHECKING, TypeAlias, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    Maybe: TypeAlias = "T | None"
else:

    class Maybe:
        """For type checkers ``T | None``; at run time ``T``, so that null on the wire is an error.

        A field is written ``note: Maybe[str] = None``: absent reads as None, and None, being the
        default, is never written.

        >>> Maybe[str]
        <class 'str'>
        """

        def __class_getitem__(cls, item: object) -> object:
            """Return the item itself."""
            return item
