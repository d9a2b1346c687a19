"""The exceptions that xner raises. All derive from `Error`; those about input also from `ValueError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DataError", "Error", "FormatError", "InfeasibleError", "NotSolvedError"]


class Error(ValueError):
    """Bad input or an unusable option; the message says what was expected and what was found."""


class DataError(Error):
    """One row of the input is wrong.

    Attributes:
        row: index of the row (0-based) in its batch or file, or -1 for a call on a single sentence.
        column: name of the column (`tokens`, `source_entities`, `links`, ...).
        value: the offending value, as text.
        reason: what is wrong with it.
        row_id: the row's `id`, where the input has one.
    """

    def __init__(self, row: int, column: str, value: str, reason: str, *, row_id: str | None = None) -> None:
        self.row = row
        self.column = column
        self.value = value
        self.reason = reason
        self.row_id = row_id
        where = "" if row < 0 else f"row {row}" + (f" (id {row_id!r})" if row_id is not None else "") + ", "
        super().__init__(f"{where}column '{column}', value {value}: {reason}")


class FormatError(Error):
    """A file does not follow its format; the message names the file and the line."""


class InfeasibleError(Error):
    """No choice of projections meets the constraint on their numbers.

    Attributes:
        entities: indices of entities that cannot meet it together; empty where that is not known.
    """

    def __init__(self, message: str, entities: Sequence[int] = ()) -> None:
        self.entities = tuple(entities)
        super().__init__(message)


class NotSolvedError(Error):
    """No choice of projections that meets the constraint was found, and none was ruled out."""
