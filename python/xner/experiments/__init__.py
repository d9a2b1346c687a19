"""Experiments: what a choice of method does, measured on corpora, as tables, plots and a page; shifted corpora."""

from __future__ import annotations

from xner._support.faces import listing
from xner.experiments.extrinsic import ExtrinsicStudy, Method, study_extrinsic, write_extrinsic_report
from xner.experiments.matching import (
    MatchingOptions,
    MatchingStudy,
    Problem,
    Size,
    corpus_problems,
    study_matching,
    synthetic_problem,
    write_matching_report,
)
from xner.experiments.robustness import ShiftStudy, StudiedShift, study_shift, write_shift_report
from xner.experiments.shift import Edit, Shifted, ShiftOptions, apply_edits

__all__ = [
    "Edit",
    "ExtrinsicStudy",
    "MatchingOptions",
    "MatchingStudy",
    "Method",
    "Problem",
    "ShiftOptions",
    "ShiftStudy",
    "Shifted",
    "Size",
    "StudiedShift",
    "apply_edits",
    "corpus_problems",
    "study_extrinsic",
    "study_matching",
    "study_shift",
    "synthetic_problem",
    "write_extrinsic_report",
    "write_matching_report",
    "write_shift_report",
]

__dir__ = listing(__all__)
