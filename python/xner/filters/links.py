"""Filters by word links between an entity's source words and target words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from xner import schema
from xner._support.arguments import choose, number, whole_number

if TYPE_CHECKING:
    from xner.filters.entities import Entities, Integers

__all__ = ["Contiguous", "Discontinuous", "SourceCoverage"]

Policy = Literal["fill", "largest", "split", "drop"]


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """Drops entities of which a smaller share of the source words is linked into the target span.

    Attributes:
        least: the share of the source words, up to 1 for all.
    """

    name: ClassVar[str] = "source-coverage"
    columns: ClassVar[tuple[str, ...]] = (schema.LINKS,)
    tried: ClassVar[tuple[object, ...]] = (0.5, 1.0)
    least: float = 1.0

    def __post_init__(self) -> None:
        number("source-coverage", self.least, "from 0 to 1", lambda share: 0 <= share <= 1)

    def apply(self, entities: Entities) -> None:
        """Filter."""
        links = entities.links()
        inside = (links.target >= entities.start[links.entity]) & (links.target < entities.end[links.entity])
        words = entities.source_end - entities.source_start
        first = np.cumsum(words) - words - entities.source_start
        is_linked = np.zeros(int(words.sum()), np.bool_)
        is_linked[(first[links.entity] + links.source)[inside]] = True
        linked = np.bincount(np.repeat(np.arange(len(entities)), words)[is_linked], minlength=len(entities))
        entities.drop(linked < self.least * words, self.name)


@dataclass(frozen=True, slots=True)
class Contiguous:
    """Drops entities whose linked target words, anywhere in the sentence, have more words between them.

    Entities without links stay: other scores chose them.

    Attributes:
        gap: so many words without a link may lie between those with one.
    """

    name: ClassVar[str] = "contiguous"
    columns: ClassVar[tuple[str, ...]] = (schema.LINKS,)
    tried: ClassVar[tuple[object, ...]] = (0, 1)
    gap: int = 0

    def __post_init__(self) -> None:
        whole_number("contiguous", self.gap, 0)

    def apply(self, entities: Entities) -> None:
        """Filter."""
        links = entities.links()
        which, _, _ = links.runs(np.ones(len(links.entity), np.bool_), self.gap)
        entities.drop(np.bincount(which, minlength=len(entities)) > 1, self.name)


@dataclass(frozen=True, slots=True)
class Discontinuous:
    """Fills, cuts, splits or drops projections of one source entity onto several ranges of words.

    Such are spans with words inside that are not linked to their source entity, and several spans of one source entity,
    as the heuristic gives them. A span without any link is one range: other scores chose it.

    Attributes:
        policy: `fill` makes one span of all, with the words between them, unless a word there is another entity's;
            `largest` keeps the longest range, the first of equals; `split` makes every range an entity of its own;
            `drop` drops them all. What becomes one has the score and margin of its first part, or of the longest.
        gap: so many words without a link, inside a span, are no interruption.
    """

    name: ClassVar[str] = "discontinuous"
    columns: ClassVar[tuple[str, ...]] = (schema.LINKS,)
    policy: Policy
    gap: int = 0

    def __post_init__(self) -> None:
        choose("discontinuous", self.policy, dict.fromkeys(("fill", "largest", "split", "drop")))
        whole_number("discontinuous gap", self.gap, 0)

    def apply(self, entities: Entities) -> None:
        """Filter."""
        if self.policy == "fill":
            entities.rearrange(*_filled(entities), self.name)
            return
        which, start, end = self._ranges(entities)
        source = entities.source_entity[which]
        if self.policy == "drop":
            entities.drop(np.bincount(source)[entities.source_entity] > 1, self.name)
        elif self.policy == "split":
            entities.rearrange(which, start, end, self.name)
        else:
            longest_first = np.lexsort((start, start - end, source))
            kept = np.sort(longest_first[np.unique(source[longest_first], return_index=True)[1]])
            entities.rearrange(which[kept], start[kept], end[kept], self.name)

    def _ranges(self, entities: Entities) -> tuple[Integers, Integers, Integers]:
        """The ranges of every entity: its position, their starts and ends, in this order."""
        links = entities.links()
        inside = (links.target >= entities.start[links.entity]) & (links.target < entities.end[links.entity])
        which, start, end = links.runs(inside, self.gap)
        is_torn = np.bincount(which, minlength=len(entities)) > 1
        part, whole = is_torn[which], np.flatnonzero(~is_torn)
        which = np.concatenate([which[part], whole])
        order = np.argsort(which, kind="stable")
        start = np.concatenate([start[part], entities.start[whole]])
        end = np.concatenate([end[part], entities.end[whole]])
        return which[order], start[order], end[order]


def _filled(entities: Entities) -> tuple[Integers, Integers, Integers]:
    """Entities with one span for each source entity, where no other is in its way: their positions, starts and ends."""
    sources, place = np.unique(entities.source_entity, return_inverse=True)
    by_start = np.lexsort((entities.start, place))
    begins = np.searchsorted(place[by_start], np.arange(len(sources)))
    first = by_start[begins]
    start, end = entities.start[first], np.maximum.reduceat(entities.end[by_start], begins)
    fits = ~entities.has_others(first, start, end)
    kept = np.flatnonzero(~fits[place] | (first[place] == np.arange(len(entities))))
    return (
        kept,
        np.where(fits[place], start[place], entities.start)[kept],
        np.where(fits[place], end[place], entities.end)[kept],
    )
