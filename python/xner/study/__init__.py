"""Studies: what a choice of method does, measured on corpora and shown in tables, plots and a page."""

from __future__ import annotations

from xner.study.extrinsic import ExtrinsicStudy, Method, study_extrinsic
from xner.study.extrinsic_report import write_extrinsic_report
from xner.study.matching import MatchingStudy, study_matching
from xner.study.matching_report import write_matching_report
from xner.study.problems import Problem, Size, corpus_problems, synthetic_problem

__all__ = [
    "ExtrinsicStudy",
    "MatchingStudy",
    "Method",
    "Problem",
    "Size",
    "corpus_problems",
    "study_extrinsic",
    "study_matching",
    "synthetic_problem",
    "write_extrinsic_report",
    "write_matching_report",
]
