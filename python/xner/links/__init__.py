"""Word links: pairs of a source word and a target word of one sentence pair.

`extract` and `extract_batch` find them in similarities of sub-words, `symmetrize` makes one alignment of two
directional ones.
"""

from __future__ import annotations

from xner.links.extraction import METHODS, Links, Method, extract, extract_batch
from xner.links.symmetrization import SYMMETRIZATIONS, Symmetrization, symmetrize

__all__ = [
    "METHODS",
    "SYMMETRIZATIONS",
    "Links",
    "Method",
    "Symmetrization",
    "extract",
    "extract_batch",
    "symmetrize",
]
