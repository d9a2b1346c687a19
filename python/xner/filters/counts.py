"""Filters by numbers of words and of entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xner._support.arguments import number_from_zero
from xner.errors import OptionError

if TYPE_CHECKING:
    from xner.filters.entities import Entities

__all__ = ["ClassCounts", "LengthRatio", "OneWord"]


@dataclass(frozen=True, slots=True)
class LengthRatio:
    """Drops entities with no more than 0.8 target words a source word, or with more than `most`.

    Attributes:
        least: the ratio target / source words must be above this, as in García-Ferrero et al. 2022.
        most: and at most this; None for no limit.
    """

    name: ClassVar[str] = "length-ratio"
    columns: ClassVar[tuple[str, ...]] = ()
    tried: ClassVar[tuple[object, ...]] = (0.4, 0.6, 0.8)
    least: float = 0.8
    most: float | None = None

    def __post_init__(self) -> None:
        number_from_zero("length-ratio", self.least)
        if self.most is not None and number_from_zero("length-ratio most", self.most) <= self.least:
            raise OptionError(
                f"length-ratio most={self.most:g}: expected a number above the least ratio, {self.least:g}"
            )

    def apply(self, entities: Entities) -> None:
        """Filter."""
        ratio = (entities.end - entities.start) / (entities.source_end - entities.source_start)
        wrong = ratio <= self.least
        if self.most is not None:
            wrong |= ratio > self.most
        entities.drop(wrong, self.name)


@dataclass(frozen=True, slots=True)
class OneWord:
    """Drops entities of one source word that were projected onto more than one."""

    name: ClassVar[str] = "one-word"
    columns: ClassVar[tuple[str, ...]] = ()

    def apply(self, entities: Entities) -> None:
        """Filter."""
        wrong = (entities.source_end - entities.source_start == 1) & (entities.end - entities.start > 1)
        entities.drop(wrong, self.name)


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Drops the entities of a class that the target sentence has more or fewer of than the source sentence.

    By row, it finds those rows too in which nothing of a class was projected, so that there is no entity to drop.
    """

    name: ClassVar[str] = "class-counts"
    columns: ClassVar[tuple[str, ...]] = ()
    tried: ClassVar[tuple[object, ...]] = ("",)

    def apply(self, entities: Entities) -> None:
        """Filter."""
        rows, wrong = entities.unequal_classes()
        entities.fail_rows(rows)
        entities.drop(wrong, self.name)
