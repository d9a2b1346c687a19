"""Entities among the words of other sentences, whose entities are of the same classes in the same order."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from xner.experiments.shift._draws import another
from xner.experiments.shift.base import Change, Unit
from xner.experiments.shift.edits import Edit, is_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xner.experiments.shift._draws import Draws
    from xner.experiments.shift.base import State
    from xner.experiments.shift.edits import Corpus, Sentence

__all__ = ["OtherContext"]

_Classes = tuple[str, ...]
_Gaps = tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class OtherContext:
    """The entities of a sentence in the slots of another one, with the same classes in the same order.

    Args:
        corpus: that is shifted.
        others: where sentences come from; None for the corpus itself.
    """

    corpus: Corpus
    others: Corpus | None
    units: Sequence[Unit] = field(init=False)
    _pools: Mapping[_Classes, list[_Gaps]] = field(init=False)
    _short: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.units = [
            Unit(row, 0, len(sentence.words), "")
            for row, sentence in enumerate(self.corpus.sentences)
            if sentence.entities
        ]
        found: dict[_Classes, set[_Gaps]] = {}
        for sentence in (self.others or self.corpus).sentences:
            gaps = _gaps(sentence)
            if sentence.entities and any(gaps) and all(is_word(word) for gap in gaps for word in gap):
                found.setdefault(_classes(sentence), set()).add(gaps)
        self._pools = {classes: sorted(its) for classes, its in found.items()}

    def change(self, number: int, draws: Draws, state: State) -> Change | None:
        """See `Shift`."""
        row = self.units[number].row
        sentence = self.corpus.sentences[row]
        gaps = another(self._pools.get(_classes(sentence), ()), _gaps(sentence), draws)
        if gaps is None:
            self._short += 1
            return None
        edits = (
            Edit(row, start, end, tuple(sentence.words[start:end]), words, "context", "context")
            for (start, end), words in zip(_bounds(sentence), gaps, strict=True)
        )
        return Change(tuple(edit for edit in edits if edit.words != edit.replaced), (number,))

    def shortage(self) -> str:
        """See `Shift`."""
        return "no other sentence has entities of the same classes in the same order" if self._short else ""


def _classes(sentence: Sentence) -> _Classes:
    return tuple(label for _, _, label in sentence.entities)


def _bounds(sentence: Sentence) -> Iterable[tuple[int, int]]:
    """Where the words before, between and behind entities are, as spans that may be empty."""
    places = [0, *(place for start, end, _ in sentence.entities for place in (start, end)), len(sentence.words)]
    return list(pairwise(places))[::2]


def _gaps(sentence: Sentence) -> _Gaps:
    return tuple(tuple(sentence.words[start:end]) for start, end in _bounds(sentence))
