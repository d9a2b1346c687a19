"""Word alignment: the built-in aligner, and links as such."""

from __future__ import annotations

from xner.alignment.aligner import FOLDS, STATUSES, Aligner, AlignerOptions, Fold, TrainedOn, normalize

__all__ = ["FOLDS", "STATUSES", "Aligner", "AlignerOptions", "Fold", "TrainedOn", "normalize"]
