"""How well source entities and target spans match.

Each score has a file of its own: from word links (`alignment`), from a tagger's class probabilities (`ner`), from how
they are written (`characters`). `fuse` adds up arrays of scores, `score_pairs` does what `xner.project` does.
"""

from __future__ import annotations

from xner._support.faces import listing
from xner.projection.fusion import fuse
from xner.projection.scores.alignment import alignment
from xner.projection.scores.characters import characters
from xner.projection.scores.ner import ner, word_probabilities
from xner.projection.scores.pairs import ScoredPair, score_pairs

__all__ = ["ScoredPair", "alignment", "characters", "fuse", "ner", "score_pairs", "word_probabilities"]

__dir__ = listing(__all__)
