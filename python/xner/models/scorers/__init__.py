"""Scores that a translation model gives pairs of spans."""

from __future__ import annotations

from xner._support.faces import listing
from xner.models.scorers.nmt_score import NmtScorer
from xner.models.scorers.nmt_stage import NmtStage
from xner.models.scorers.translation_scores import load_translation_scorer

__all__ = ["NmtScorer", "NmtStage", "load_translation_scorer"]

__dir__ = listing(__all__)
