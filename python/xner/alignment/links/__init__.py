"""Word links: pairs of a source word and a target word of one sentence pair.

`extract` and `extract_batch` find them in similarities of sub-words, `symmetrize` makes one alignment of two
directional ones, `combine` one of several. `xner.evaluation.links` compares links with hand-made ones.
"""

from __future__ import annotations

from xner._support.faces import listing
from xner.alignment.links.combination import COMBINATIONS, Combination, combine
from xner.alignment.links.extraction import METHODS, Links, Method, extract, extract_batch
from xner.alignment.links.symmetrization import SYMMETRIZATIONS, Symmetrization, symmetrize

__all__ = [
    "COMBINATIONS",
    "METHODS",
    "SYMMETRIZATIONS",
    "Combination",
    "Links",
    "Method",
    "Symmetrization",
    "combine",
    "extract",
    "extract_batch",
    "symmetrize",
]

__dir__ = listing(__all__)
