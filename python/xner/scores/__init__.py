"""How well source entities and target spans match.

Each score has a file of its own: from word links (`alignment`), from a tagger's class probabilities (`ner`).
"""

from __future__ import annotations

from xner.scores.alignment_score import ScoredPair, alignment
from xner.scores.ner_score import ner, word_probabilities

__all__ = ["ScoredPair", "alignment", "ner", "word_probabilities"]
