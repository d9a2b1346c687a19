"""What runs neural models. Needs the extra `models`; torch is imported when a model is loaded, not before."""

from __future__ import annotations

from xner.models.aligners import (
    PRESETS,
    EncoderAligner,
    EncoderAlignerOptions,
    TrainingOptions,
    TrainingReport,
    train_encoder,
)
from xner.models.scorers import NmtScorer, NmtStage, load_translation_scorer
from xner.models.taggers import Tagged, Tagger, TaggerStage
from xner.models.translators import Translation, TranslationCache, Translator

__all__ = [
    "PRESETS",
    "EncoderAligner",
    "EncoderAlignerOptions",
    "NmtScorer",
    "NmtStage",
    "Tagged",
    "Tagger",
    "TaggerStage",
    "TrainingOptions",
    "TrainingReport",
    "Translation",
    "TranslationCache",
    "Translator",
    "load_translation_scorer",
    "train_encoder",
]
