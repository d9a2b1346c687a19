"""Options that take one of a few names."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


def choose(option: str, value: object, table: Mapping[str, T]) -> T:
    """Look an option's value up in its table.

    Raises:
        Error: the table does not have it; the message lists what it has.
    """
    if isinstance(value, str) and value in table:
        return table[value]
    raise Error(f"{option}={value!r}: expected one of {', '.join(map(repr, table))}")
