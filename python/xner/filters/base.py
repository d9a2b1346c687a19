"""What a filter is, and the one that drops rows in place of entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from xner.filters.entities import Entities

__all__ = ["DropRow", "Filter"]


class Filter(Protocol):
    """Drops entities or changes their spans."""

    @property
    def name(self) -> str:
        """Of the filter, and the reason that what it drops gets."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What it needs besides `tokens`, `source_entities` and `entities`."""

    def apply(self, entities: Entities) -> None:
        """Look at all entities of a batch at once."""


@dataclass(frozen=True, slots=True)
class DropRow:
    """Drops the whole row where a filter finds something wrong.

    This is what training data wants: a name that has lost its label teaches the wrong thing.

    Attributes:
        filter: whose verdict counts; spans that it changes do no harm to their row.
    """

    filter: Filter

    @property
    def name(self) -> str:
        """The filter's."""
        return self.filter.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The filter's."""
        return self.filter.columns

    def apply(self, entities: Entities) -> None:
        """Filter."""
        entities.failing_rows[:] = False
        self.filter.apply(entities)
        entities.drop_rows(entities.failing_rows, self.name)
