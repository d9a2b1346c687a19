"""How good labels and links are, with intervals and comparisons, and what kinds of errors there are."""

from __future__ import annotations

from xner._support.faces import listing
from xner.evaluation import links, review
from xner.evaluation.causes import CAUSES, error_causes
from xner.evaluation.entities import Averages, ClassScores, Scores, evaluate
from xner.evaluation.error_kinds import KINDS, ErrorAnalysis, analyse, pair_entities
from xner.evaluation.intervals import Difference, Interval, Intervals, MetricIntervals, PairedComparison
from xner.evaluation.links import LinkComparison, LinkIntervals, LinkScores
from xner.evaluation.significance import (
    RandomizationTest,
    SentenceScores,
    approximate_randomization,
    bootstrap,
    holm,
    paired_bootstrap,
    pool,
)
from xner.evaluation.upper_bound import Reach, reach

__all__ = [
    "CAUSES",
    "KINDS",
    "Averages",
    "ClassScores",
    "Difference",
    "ErrorAnalysis",
    "Interval",
    "Intervals",
    "LinkComparison",
    "LinkIntervals",
    "LinkScores",
    "MetricIntervals",
    "PairedComparison",
    "RandomizationTest",
    "Reach",
    "Scores",
    "SentenceScores",
    "analyse",
    "approximate_randomization",
    "bootstrap",
    "error_causes",
    "evaluate",
    "holm",
    "links",
    "pair_entities",
    "paired_bootstrap",
    "pool",
    "reach",
    "review",
]

__dir__ = listing(__all__)
