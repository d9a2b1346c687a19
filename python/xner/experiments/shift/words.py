"""Words dropped, swapped, split and merged, within an entity or outside of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xner.experiments.shift.base import Change, Unit, word_units
from xner.experiments.shift.characters import breaks
from xner.experiments.shift.edits import Edit, is_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.experiments.shift._draws import Draws
    from xner.experiments.shift.edits import Corpus
    from xner.experiments.shift.options import Where, WordChange

__all__ = ["Words"]


@dataclass(slots=True)
class Words:
    """One change of a word, or of it and a neighbour in the same region.

    No entity and no sentence loses all of its words.

    Args:
        corpus: that is shifted.
        changes: asked for; of these, in random order, the first that is possible is made.
        where: which words may change.
    """

    corpus: Corpus
    changes: Sequence[WordChange]
    where: Where
    units: Sequence[Unit] = field(init=False)
    _regions: list[list[int]] = field(init=False)
    _left: Counter[tuple[int, int]] = field(init=False)  # words of each entity, and of each sentence as region -2

    def __post_init__(self) -> None:
        self.units = word_units(self.corpus, self.where)
        self._regions = [sentence.regions() for sentence in self.corpus.sentences]
        self._left = Counter()
        for row, sentence in enumerate(self.corpus.sentences):
            self._left[row, -2] = len(sentence.words)
            self._left.update({(row, number): end - start for number, (start, end, _) in enumerate(sentence.entities)})

    def change(self, number: int, draws: Draws, taken: Sequence[int]) -> Change | None:
        """See `Shift`."""
        for name in draws.shuffled(self.changes):
            found = self._try(name, number, draws, taken)
            if found is not None:
                return found
        return None

    def _try(self, name: WordChange, number: int, draws: Draws, taken: Sequence[int]) -> Change | None:
        row, place, _, _ = self.units[number]
        words = self.corpus.sentences[row].words
        word = words[place]
        if name == "split":
            places = [at for at in breaks(word) if is_word(word[:at]) and is_word(word[at:])]
            if not places:
                return None
            at = draws.one(places)
            return self._made(name, row, place, (word,), (word[:at], word[at:]), (number,))
        if name == "drop":
            if not self._may_lose_one(row, place):
                return None
            return self._made(name, row, place, (word,), (), (number,))
        for first in draws.shuffled([number, number - 1]):
            if not self._are_neighbours(first) or taken[first] or taken[first + 1]:
                continue
            at = self.units[first].start
            one, other = words[at : at + 2]
            both = (first, first + 1)
            if name == "swap" and one != other and is_word(one) and is_word(other):
                return self._made(name, row, at, (one, other), (other, one), both)
            if name == "merge" and is_word(one + other) and self._may_lose_one(row, at):
                return self._made(name, row, at, (one, other), (one + other,), both)
        return None

    def _are_neighbours(self, first: int) -> bool:
        """Whether the unit of a number and the next one are side by side, and in the same entity or outside of all."""
        if first < 0 or first + 1 >= len(self.units):
            return False
        (row, place, _, _), (other_row, other_place, _, _) = self.units[first : first + 2]
        regions = self._regions[row]
        return row == other_row and other_place == place + 1 and regions[place] == regions[other_place]

    def _may_lose_one(self, row: int, place: int) -> bool:
        region = self._regions[row][place]
        return self._left[row, -2] > 1 and (region < 0 or self._left[row, region] > 1)

    def _made(
        self, name: WordChange, row: int, at: int, old: tuple[str, ...], new: tuple[str, ...], units: tuple[int, ...]
    ) -> Change:
        growth = len(new) - len(old)
        self._left[row, -2] += growth
        self._left[row, self._regions[row][at]] += growth
        return Change((Edit(row, at, at + len(old), old, new, "words", name),), units)

    def shortage(self) -> str:
        """See `Shift`."""
        return "the others cannot be changed so"
