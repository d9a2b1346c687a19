"""What a kind of shift is: the units that it may change, and a change of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xner.experiments.shift._draws import Draws
    from xner.experiments.shift.edits import Corpus, Edit
    from xner.experiments.shift.options import Where

__all__ = ["Change", "Shift", "Unit", "changed_word", "word_units"]


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


class Shift(Protocol):
    """A kind of shift, of one corpus."""

    @property
    def units(self) -> Sequence[Unit]:
        """What may be changed, in the order of the corpus."""

    def change(self, number: int, draws: Draws, taken: Sequence[int]) -> Change | None:
        """Change the unit of a number, and others with it if need be.

        Args:
            number: in `units`.
            draws: random choices.
            taken: for each unit whether it was changed already.

        Returns:
            What is done, which is done by all means; None if the unit cannot be changed.
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
