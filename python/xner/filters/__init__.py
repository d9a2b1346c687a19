"""Filters: which projected entities to keep, and with which span.

    filters = Filters(["length-ratio=0.8", MinMargin(0.1), "class-counts:row"])
    table = filters(projector(table))

Files by what filters go by: `counts` numbers of words and entities, `links` word links, `scores` scores and margins,
`words` the words themselves.
"""

from __future__ import annotations

from xner._support.faces import listing
from xner.filters.base import DropRow, Filter
from xner.filters.catalogue import FILTERS, parse, to_text, usage
from xner.filters.counts import ClassCounts, LengthRatio, OneWord
from xner.filters.links import Contiguous, Discontinuous, SourceCoverage
from xner.filters.scores import MinMargin, MinScore
from xner.filters.stage import Filters
from xner.filters.summary import FilterCounts, count, show
from xner.filters.words import Affixes, Compound, TrimDeterminers, TrimPunctuation

__all__ = [
    "FILTERS",
    "Affixes",
    "ClassCounts",
    "Compound",
    "Contiguous",
    "Discontinuous",
    "DropRow",
    "Filter",
    "FilterCounts",
    "Filters",
    "LengthRatio",
    "MinMargin",
    "MinScore",
    "OneWord",
    "SourceCoverage",
    "TrimDeterminers",
    "TrimPunctuation",
    "count",
    "parse",
    "show",
    "to_text",
    "usage",
]

__dir__ = listing(__all__)
