"""Exact against greedy matching, on corpora and on made-up problems."""

from __future__ import annotations

from xner._support.faces import listing
from xner.experiments.matching.problems import Problem, Size, corpus_problems, synthetic_problem
from xner.experiments.matching.report import write_matching_report
from xner.experiments.matching.study import MatchingOptions, MatchingStudy, study_matching

__all__ = [
    "MatchingOptions",
    "MatchingStudy",
    "Problem",
    "Size",
    "corpus_problems",
    "study_matching",
    "synthetic_problem",
    "write_matching_report",
]

__dir__ = listing(__all__)
