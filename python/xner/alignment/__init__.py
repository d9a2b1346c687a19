"""Word alignment: the built-in aligner, and links as such."""

from __future__ import annotations

from xner._support.faces import listing
from xner.alignment._folding import FOLDS, Fold
from xner.alignment._model_file import TrainedOn
from xner.alignment.aligner import STATUSES, Aligner
from xner.alignment.lexicon import Lexicon
from xner.alignment.options import AlignerOptions

__all__ = ["FOLDS", "STATUSES", "Aligner", "AlignerOptions", "Fold", "Lexicon", "TrainedOn"]

__dir__ = listing(__all__)
