"""Filters by what projection says of its own results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xner._support.arguments import number_from_zero

if TYPE_CHECKING:
    from xner.filters.entities import Entities

__all__ = ["MinMargin", "MinScore"]


@dataclass(frozen=True, slots=True)
class MinScore:
    """Drops entities with a lower score.

    Attributes:
        least: lowest score to keep, in the unit of the score that was projected by.
    """

    name: ClassVar[str] = "min-score"
    columns: ClassVar[tuple[str, ...]] = ()
    tried: ClassVar[tuple[object, ...]] = (0.1, 0.2, 0.3, 0.5)
    least: float

    def __post_init__(self) -> None:
        number_from_zero("min-score", self.least)

    def apply(self, entities: Entities) -> None:
        """Filter; a missing score is too low."""
        entities.drop(~(entities.score >= self.least), self.name)


@dataclass(frozen=True, slots=True)
class MinMargin:
    """Drops entities for which another choice was nearly as good.

    Attributes:
        least: lowest margin to keep: what the objective loses without the entity, in the score's unit.
    """

    name: ClassVar[str] = "min-margin"
    columns: ClassVar[tuple[str, ...]] = ()
    tried: ClassVar[tuple[object, ...]] = (0.02, 0.05, 0.1, 0.2)
    least: float

    def __post_init__(self) -> None:
        number_from_zero("min-margin", self.least)

    def apply(self, entities: Entities) -> None:
        """Filter; a missing margin is too low."""
        entities.drop(~(entities.margin >= self.least), self.name)
