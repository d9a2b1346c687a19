"""Words dropped, swapped, split and merged, within an entity or outside of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xner.experiments.shift.base import Change, Unit, word_units
from xner.experiments.shift.characters import breaks
from xner.experiments.shift.edits import Edit, is_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.experiments.shift._draws import Draws
    from xner.experiments.shift.base import State
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

    def __post_init__(self) -> None:
        self.units = word_units(self.corpus, self.where)

    def change(self, number: int, draws: Draws, state: State) -> Change | None:
        """See `Shift`."""
        for name in draws.shuffled(self.changes):
            found = self._try(name, number, draws, state)
            if found is not None:
                return found
        return None

    def _try(self, name: WordChange, number: int, draws: Draws, state: State) -> Change | None:
        row, place, _, _ = self.units[number]
        words = self.corpus.sentences[row].words
        word = words[place]
        if name == "split":
            places = [at for at in breaks(word) if is_word(word[:at]) and is_word(word[at:])]
            if not places:
                return None
            at = draws.one(places)
            return _made(name, row, place, (word,), (word[:at], word[at:]), (number,))
        if name == "drop":
            if not state.may_lose(row, place):
                return None
            return _made(name, row, place, (word,), (), (number,))
        for first in draws.shuffled([number, number - 1]):
            if not self._are_neighbours(first, state):
                continue
            at = self.units[first].start
            one, other = words[at : at + 2]
            both = (first, first + 1)
            if name == "swap" and one != other and is_word(one) and is_word(other):
                return _made(name, row, at, (one, other), (other, one), both)
            if name == "merge" and is_word(one + other) and state.may_lose(row, at):
                return _made(name, row, at, (one, other), (one + other,), both)
        return None

    def _are_neighbours(self, first: int, state: State) -> bool:
        """Whether the unit of a number and the next one are free, side by side, and in the same entity or in none."""
        if first < 0 or first + 1 >= len(self.units) or not (state.is_free(first) and state.is_free(first + 1)):
            return False
        (row, place, _, _), (other_row, other_place, _, _) = self.units[first : first + 2]
        together = row == other_row and other_place == place + 1
        return together and state.region(row, place) == state.region(row, other_place)

    def shortage(self) -> str:
        """See `Shift`."""
        return "the others cannot be changed so"


def _made(
    name: WordChange, row: int, at: int, old: tuple[str, ...], new: tuple[str, ...], units: tuple[int, ...]
) -> Change:
    return Change((Edit(row, at, at + len(old), old, new, "words", name),), units)
