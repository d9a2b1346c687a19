"""What runs neural models. Needs the extra `models`; torch is imported when a model is loaded, not before."""

from __future__ import annotations

from xner.models.alignment_training import TrainingOptions, TrainingReport, train_encoder
from xner.models.encoder_aligner import PRESETS, EncoderAligner, EncoderAlignerOptions
from xner.models.nmt_score import NmtScorer
from xner.models.nmt_stage import NmtStage
from xner.models.tagger import Tagged, Tagger, TaggerStage
from xner.models.translation_cache import TranslationCache
from xner.models.translation_scores import load_translation_scorer

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
    "TranslationCache",
    "load_translation_scorer",
    "train_encoder",
]
