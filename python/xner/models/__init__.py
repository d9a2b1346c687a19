"""What runs neural models. Needs the extra `models`; torch is imported when a model is loaded, not before."""

from __future__ import annotations

from xner._support.faces import listing
from xner.models.aligners import (
    ALIGNERS,
    ENCODER_PRESETS,
    EncoderAligner,
    EncoderAlignerOptions,
    EncoderTrainingOptions,
    EncoderTrainingReport,
    load_aligner,
    train_encoder,
)
from xner.models.scorers import NmtScorer, NmtStage, load_translation_scorer
from xner.models.taggers import TAGGERS, Tagged, Tagger, TaggerStage, load_tagger
from xner.models.translators import TRANSLATORS, Translation, TranslationCache, Translator, load_translator

__all__ = [
    "ALIGNERS",
    "ENCODER_PRESETS",
    "TAGGERS",
    "TRANSLATORS",
    "EncoderAligner",
    "EncoderAlignerOptions",
    "EncoderTrainingOptions",
    "EncoderTrainingReport",
    "NmtScorer",
    "NmtStage",
    "Tagged",
    "Tagger",
    "TaggerStage",
    "Translation",
    "TranslationCache",
    "Translator",
    "load_aligner",
    "load_tagger",
    "load_translation_scorer",
    "load_translator",
    "train_encoder",
]

__dir__ = listing(__all__)
