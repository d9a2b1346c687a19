"""Longer sentences, joined with their neighbours, and shorter ones, cut at punctuation."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xner.experiments.shift.base import Change, Unit
from xner.experiments.shift.edits import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.experiments.shift._draws import Draws
    from xner.experiments.shift.base import State
    from xner.experiments.shift.edits import Corpus, Sentence

__all__ = ["CutSentences", "JoinedSentences"]


@dataclass(slots=True)
class _Sentences:
    """A kind whose units are the sentences that have words.

    Args:
        corpus: that is shifted.
    """

    corpus: Corpus
    units: Sequence[Unit] = field(init=False)

    def __post_init__(self) -> None:
        self.units = [
            Unit(row, 0, len(sentence.words), "")
            for row, sentence in enumerate(self.corpus.sentences)
            if sentence.words
        ]


class JoinedSentences(_Sentences):
    """Sentences joined with the next one, two at most."""

    def change(self, number: int, draws: Draws, state: State) -> Change | None:
        """See `Shift`."""
        pairs = draws.shuffled([(number, number + 1), (number - 1, number)])
        for first, second in pairs:
            if first < 0 or second >= len(self.units) or not state.is_free(first) or not state.is_free(second):
                continue
            row, _, end, _ = self.units[first]
            if self.units[second].row == row + 1:  # no sentence without words is between them
                return Change((Edit(row, end, end, (), (), "length", "join"),), (first, second))
        return None

    def shortage(self) -> str:
        """See `Shift`."""
        return "sentences are joined two at a time, and the others have no neighbour left"


class CutSentences(_Sentences):
    """Sentences cut in two behind punctuation that is outside of entities."""

    def change(self, number: int, draws: Draws, state: State) -> Change | None:
        """See `Shift`."""
        row = self.units[number].row
        places = _cuts(self.corpus.sentences[row])
        if not places:
            return None
        place = draws.one(places)
        return Change((Edit(row, place, place, (), (), "length", "cut"),), (number,))

    def shortage(self) -> str:
        """See `Shift`."""
        return "no punctuation outside of entities but at the end"


def _cuts(sentence: Sentence) -> list[int]:
    """Places behind punctuation that is no part of an entity, with words on both sides that are more than that."""
    regions = sentence.regions()
    marks = [all(unicodedata.category(character)[0] == "P" for character in word) for word in sentence.words]
    first = next((place for place, mark in enumerate(marks) if not mark), len(marks))
    last = next((place for place in range(len(marks) - 1, -1, -1) if not marks[place]), 0)
    return [place + 1 for place in range(first, last) if marks[place] and regions[place] < 0 and not marks[place + 1]]
