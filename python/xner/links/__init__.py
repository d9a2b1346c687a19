"""Word links: pairs of a source word and a target word of one sentence pair.

`extract` and `extract_batch` find them in similarities of sub-words, `symmetrize` makes one alignment of two
directional ones, `combine` one of several, and `score` compares links with hand-made ones.
"""

from __future__ import annotations

from xner.links.combination import COMBINATIONS, Combination, combine
from xner.links.extraction import METHODS, Links, Method, extract, extract_batch
from xner.links.scoring import LinkComparison, LinkIntervals, LinkScores, bootstrap, paired_bootstrap, score
from xner.links.symmetrization import SYMMETRIZATIONS, Symmetrization, symmetrize

__all__ = [
    "COMBINATIONS",
    "METHODS",
    "SYMMETRIZATIONS",
    "Combination",
    "LinkComparison",
    "LinkIntervals",
    "LinkScores",
    "Links",
    "Method",
    "Symmetrization",
    "bootstrap",
    "combine",
    "extract",
    "extract_batch",
    "paired_bootstrap",
    "score",
    "symmetrize",
]
