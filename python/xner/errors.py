"""The exceptions that xner raises, a tree by what they mean.

    Error(ValueError)
        OptionError                         an option that is unknown, out of range, or goes not with the others
        DataError                           one row of the input is wrong
        FormatError                         a file does not follow its format
        OutsideError                        what is needed outside has failed, and may work another time
        MissingExtraError(ImportError)      a library of an optional extra is not installed
        SolverError(RuntimeError)           no choice of projections was found
            InfeasibleError                 there is none
            NotSolvedError                  there may be one

What the operating system says stays an `OSError`. All pickle with all that they know, so that they arrive whole from
another process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "DataError",
    "Error",
    "FormatError",
    "InfeasibleError",
    "MissingExtraError",
    "NotSolvedError",
    "OptionError",
    "OutsideError",
    "SolverError",
]


def __dir__() -> list[str]:
    return sorted(__all__)


class Error(ValueError):
    """Bad input or an unusable option; the message says what was expected and what was found."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle as a call with their message, which is not what the constructors here take.
        return _restored, (type(self), self.args), self._state()

    def _state(self) -> dict[str, Any]:
        """The attributes, notes among them, which unpickling sets."""
        return dict(vars(self))


def _restored(kind: type[Error], arguments: tuple[Any, ...]) -> Error:
    return kind.__new__(kind, *arguments)


class OptionError(Error):
    """An option that is unknown, out of range, or does not go with the others."""


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

    def behind(self, rows: int, *, row_id: str | None = None) -> DataError:
        """The same error, of a table in which other rows come before those that it was found in.

        Args:
            rows: how many; an error of no row in particular stays one.
            row_id: the row's `id`; None keeps what is known.
        """
        row = self.row if self.row < 0 else self.row + rows
        return DataError(row, self.column, self.value, self.reason, row_id=self.row_id if row_id is None else row_id)


class FormatError(Error):
    """A file does not follow its format; the message names the file and the line."""


class OutsideError(Error):
    """A program, a service, a worker or a cache that a run needs has failed; the same run may go well another time.

    What the run has finished by then is kept.
    """


class MissingExtraError(Error, ImportError):
    """A library of an optional extra is not installed; the message has the command that installs it.

    Attributes:
        name: of the module that was not found.
        extra: that brings it.
    """

    def __init__(self, message: str, *, name: str, extra: str) -> None:
        ImportError.__init__(self, message, name=name)
        self.extra = extra

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "msg": self.msg, "name": self.name}  # which `ImportError` keeps elsewhere


class SolverError(Error, RuntimeError):
    """No choice of projections was found."""


class InfeasibleError(SolverError):
    """No choice of projections meets the constraint on their numbers.

    Attributes:
        entities: indices of entities that cannot meet it together; empty where that is not known.
    """

    def __init__(self, message: str, entities: Sequence[int] = ()) -> None:
        self.entities = tuple(entities)
        super().__init__(message)


class NotSolvedError(SolverError):
    """No choice of projections that meets the constraint was found, and none was ruled out."""
