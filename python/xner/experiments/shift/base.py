"""What a kind of shift is: the units that it may change, and a change of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xner.experiments.shift._draws import Draws
    from xner.experiments.shift.edits import Corpus, Edit
    from xner.experiments.shift.options import Where

__all__ = ["Change", "Shift", "State", "Unit", "changed_word", "word_units"]


class Unit(NamedTuple):
    """What is changed, or is not.

    Attributes:
        row: in the corpus.
        start: its first word.
        end: one past its last word.
        label: the class of the entity that it is or is in; "O" for words outside, "" for sentences.
    """

    row: int
    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a unit.

    Attributes:
        edits: that do it.
        units: the numbers of all units that they change.
    """

    edits: tuple[Edit, ...]
    units: tuple[int, ...]


class State:
    """What was changed so far: a unit changes once, and no entity and no sentence loses all of its words.

    Args:
        corpus: that is shifted.
        units: how many there are.
    """

    def __init__(self, corpus: Corpus, units: int) -> None:
        self._taken = bytearray(units)
        self._regions = [sentence.regions() for sentence in corpus.sentences]
        self._left = [
            [*(end - start for start, end, _ in sentence.entities), len(sentence.words)]  # of entities, and of all
            for sentence in corpus.sentences
        ]

    def is_free(self, number: int) -> bool:
        """Whether the unit of a number was not changed."""
        return not self._taken[number]

    def region(self, row: int, place: int) -> int:
        """The entity that a word is in, -1 outside."""
        return self._regions[row][place]

    def may_lose(self, row: int, place: int, count: int = 1) -> bool:
        """Whether the sentence, and the entity that a word is in, have more than so many words."""
        left, region = self._left[row], self._regions[row][place]
        return left[-1] > count and (region < 0 or left[region] > count)

    def fits(self, change: Change) -> bool:
        """Whether a change can be made beside those that were."""
        return all(map(self.is_free, change.units)) and all(
            self.may_lose(edit.row, edit.start, len(edit.replaced) - len(edit.words))
            for edit in change.edits
            if len(edit.words) < len(edit.replaced)
        )

    def make(self, change: Change) -> None:
        """Note a change."""
        for number in change.units:
            self._taken[number] = 1
        for edit in change.edits:
            if edit.replaced:
                growth = len(edit.words) - len(edit.replaced)
                left, region = self._left[edit.row], self._regions[edit.row][edit.start]
                left[-1] += growth
                if region >= 0:
                    left[region] += growth


class Shift(Protocol):
    """A kind of shift, of one corpus."""

    @property
    def units(self) -> Sequence[Unit]:
        """What may be changed, in the order of the corpus."""

    def change(self, number: int, draws: Draws, state: State) -> Change | None:
        """Change the unit of a number, and others with it if need be.

        Args:
            number: in `units`.
            draws: random choices.
            state: what was changed before.

        Returns:
            What is to be done, which fits `state`; None if the unit cannot be changed.
        """

    def shortage(self) -> str:
        """Why units could not be changed; empty where there is no more to say."""


def word_units(corpus: Corpus, where: Where) -> list[Unit]:
    """Each word of a region as a unit."""
    return [
        Unit(row, place, place + 1, sentence.entities[region][2] if region >= 0 else "O")
        for row, sentence in enumerate(corpus.sentences)
        for place, region in _places(sentence.regions(), where)
    ]


def _places(regions: Sequence[int], where: Where) -> Iterator[tuple[int, int]]:
    for place, region in enumerate(regions):
        if where == "all" or (region >= 0) == (where == "entities"):
            yield place, region


def changed_word(edit: Edit, number: int) -> Change:
    """One edit of one unit."""
    return Change((edit,), (number,))
