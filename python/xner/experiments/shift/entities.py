"""Entities under other names of their class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xner.experiments.shift._draws import another
from xner.experiments.shift.base import Change, Unit, changed_word
from xner.experiments.shift.edits import Edit, is_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xner.experiments.shift._draws import Draws
    from xner.experiments.shift.base import State
    from xner.experiments.shift.edits import Corpus
    from xner.experiments.shift.names import Name

__all__ = ["OtherNames", "names_in"]


def names_in(corpus: Corpus) -> set[tuple[str, tuple[str, ...]]]:
    """The class and words of all entities."""
    return {
        (label, tuple(sentence.words[start:end]))
        for sentence in corpus.sentences
        for start, end, label in sentence.entities
    }


@dataclass(slots=True)
class OtherNames:
    """Each entity under another name of its class, all names being as likely, however often they occur.

    Args:
        corpus: that is shifted.
        names: to choose among; None for those of the corpus itself.
        seen: no name is chosen that these have, whatever its class.
    """

    corpus: Corpus
    names: Iterable[Name] | None
    seen: Iterable[tuple[str, ...]] = ()
    units: Sequence[Unit] = field(init=False)
    _pools: Mapping[str, list[tuple[str, ...]]] = field(init=False)
    _without: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.units = [
            Unit(row, start, end, label)
            for row, sentence in enumerate(self.corpus.sentences)
            for start, end, label in sentence.entities
        ]
        seen = set(self.seen)
        found = names_in(self.corpus) if self.names is None else {(one.label, one.words) for one in self.names}
        pools: dict[str, list[tuple[str, ...]]] = {}
        for label, words in sorted(found):
            if words not in seen and all(map(is_word, words)):
                pools.setdefault(label, []).append(words)
        self._pools = pools

    def change(self, number: int, draws: Draws, state: State) -> Change | None:
        """See `Shift`."""
        row, start, end, label = self.units[number]
        own = tuple(self.corpus.sentences[row].words[start:end])
        name = another(self._pools.get(label, ()), own, draws)
        if name is None:
            self._without.add(label)
            return None
        return changed_word(Edit(row, start, end, own, name, "entities", "name"), number)

    def shortage(self) -> str:
        """See `Shift`."""
        return f"no other name of the class {', '.join(sorted(self._without))}" if self._without else ""
