"""How good labels and links are, with intervals and comparisons, and what kinds of errors there are."""

from __future__ import annotations

from xner._support.faces import listing
from xner.evaluation import links, review
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

__all__ = [
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
    "Scores",
    "SentenceScores",
    "analyse",
    "approximate_randomization",
    "bootstrap",
    "evaluate",
    "holm",
    "links",
    "pair_entities",
    "paired_bootstrap",
    "pool",
    "review",
]

__dir__ = listing(__all__)
