"""The words of both sides of a corpus that comes in blocks, and what a lexicon says of them."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Self

from xner.alignment._folding import Numbering, corpus_of
from xner.alignment._lexicon_counts import LexiconCounts
from xner.schema import SOURCE_TOKENS, TOKENS

if TYPE_CHECKING:
    import xner._core as _core
    from xner.alignment._folding import Side
    from xner.alignment._pairs import Pairs
    from xner.alignment.lexicon import Lexicon
    from xner.alignment.options import AlignerOptions

__all__ = ["Vocabulary"]


class Vocabulary:
    """Numbers the words of both sides, and counts what a lexicon says of them.

    Args:
        options: of the aligner.
        lexicon: what is known of the languages beforehand.

    Attributes:
        sides: their numberings.
        hits: entries of the lexicon of which all words are there, as far as `corpus` has seen.
        is_turned: whether it goes from target to source.
    """

    def __init__(self, options: AlignerOptions, lexicon: Lexicon | None) -> None:
        source, target = (Numbering(options.fold, romanized=options.romanize) for _ in range(2))
        self.sides = source, target
        self.hits = 0
        self.is_turned = False
        self._weight = options.lexicon_weight
        self._lexicon = lexicon
        self._counts = None if lexicon is None else LexiconCounts(lexicon.entries, self.sides)
        self._turned: LexiconCounts | None = None

    def copy(self) -> Self:
        """One with the same words, to which others may be added."""
        made = copy(self)
        source, target = (side.copy() for side in self.sides)
        made.sides = source, target
        made._counts = None if self._counts is None else self._counts.copy(made.sides)
        made._turned = None if self._turned is None else self._turned.copy(made.sides)
        return made

    def number(self, pairs: Pairs) -> tuple[Side, Side]:
        """Sentences as numbers, with all words so far."""
        return self.sides[0].number(pairs[0], SOURCE_TOKENS), self.sides[1].number(pairs[1], TOKENS)

    def corpus(self, source: Side, target: Side) -> _core.AlignerCorpus:
        """What `number` gives, for the core, with what the lexicon says."""
        made = corpus_of(source, target)
        if self._lexicon is None or self._counts is None:
            return made
        levels, self.hits = self._counts.rows(source, self._weight)
        if not self.hits:
            self._turned = self._turned or LexiconCounts(self._lexicon.turned().entries, self.sides)
            others, found = self._turned.rows(source, self._weight)
            if found:
                self._counts, levels, self.hits, self.is_turned = self._turned, others, found, True
        for level, rows in enumerate(levels):
            made.set_lexicon(level, *rows)
        return made
