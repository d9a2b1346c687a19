"""Training of taggers. Needs the extra `train`; torch is imported when training begins, not before.

Direct transfer, training on projected labels and distillation are one run of training (`train_on`) with different
sentences and losses.
"""

from __future__ import annotations

from xner._support.faces import listing
from xner.training.data import LabelledSentences, label_names, labelled_sentences
from xner.training.distillation.distilling import distill
from xner.training.distillation.language_similarity import LanguageSimilarity
from xner.training.fine_tuning import Moment
from xner.training.losses import (
    CrossEntropy,
    Focal,
    GeneralizedCrossEntropy,
    KullbackLeibler,
    MeanSquaredError,
    WordLoss,
    WordTargets,
)
from xner.training.noise import NoiseOptions
from xner.training.presets import DISTILLATION, TRAINING_PRESETS, Preset
from xner.training.report import TrainingReport
from xner.training.run import Corpus, Judged, train, train_on
from xner.training.seeds import SeedSummary, train_seeds
from xner.training.settings import LoraSettings, TrainingSettings

__all__ = [
    "DISTILLATION",
    "TRAINING_PRESETS",
    "Corpus",
    "CrossEntropy",
    "Focal",
    "GeneralizedCrossEntropy",
    "Judged",
    "KullbackLeibler",
    "LabelledSentences",
    "LanguageSimilarity",
    "LoraSettings",
    "MeanSquaredError",
    "Moment",
    "NoiseOptions",
    "Preset",
    "SeedSummary",
    "TrainingReport",
    "TrainingSettings",
    "WordLoss",
    "WordTargets",
    "distill",
    "label_names",
    "labelled_sentences",
    "train",
    "train_on",
    "train_seeds",
]

__dir__ = listing(__all__)
