"""How good labels and links are, with intervals and comparisons, and what kinds of errors there are."""

from __future__ import annotations

from xner.evaluation.entities import (
    Averages,
    ClassScores,
    Difference,
    Interval,
    Intervals,
    MetricIntervals,
    PairedComparison,
    RandomizationTest,
    Scores,
    approximate_randomization,
    bootstrap,
    evaluate,
    paired_bootstrap,
    pool,
)
from xner.evaluation.error_kinds import KINDS, ErrorAnalysis, analyse, pair_entities

__all__ = [
    "KINDS",
    "Averages",
    "ClassScores",
    "Difference",
    "ErrorAnalysis",
    "Interval",
    "Intervals",
    "MetricIntervals",
    "PairedComparison",
    "RandomizationTest",
    "Scores",
    "analyse",
    "approximate_randomization",
    "bootstrap",
    "evaluate",
    "pair_entities",
    "paired_bootstrap",
    "pool",
]
