"""What runs neural models. Needs the extra `models`; torch is imported when a model is loaded, not before."""

from __future__ import annotations

from xner.models.alignment_training import TrainingOptions, TrainingReport, train_encoder
from xner.models.encoder_aligner import PRESETS, EncoderAligner, EncoderAlignerOptions

__all__ = [
    "PRESETS",
    "EncoderAligner",
    "EncoderAlignerOptions",
    "TrainingOptions",
    "TrainingReport",
    "train_encoder",
]
