"""Word aligners made of multilingual encoders, and their fine-tuning."""

from __future__ import annotations

from xner.models.aligners.encoder_aligner import EncoderAligner
from xner.models.aligners.options import PRESETS, EncoderAlignerOptions
from xner.models.aligners.training import TrainingOptions, TrainingReport, train_encoder

__all__ = [
    "PRESETS",
    "EncoderAligner",
    "EncoderAlignerOptions",
    "TrainingOptions",
    "TrainingReport",
    "train_encoder",
]
