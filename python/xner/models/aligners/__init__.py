"""Word aligners made of multilingual encoders, and their fine-tuning."""

from __future__ import annotations

from xner._support.faces import listing
from xner.models.aligners.catalogue import ALIGNERS, WordAligner, load_aligner
from xner.models.aligners.encoder_aligner import EncoderAligner
from xner.models.aligners.options import ENCODER_PRESETS, EncoderAlignerOptions
from xner.models.aligners.training import EncoderTrainingOptions, EncoderTrainingReport, train_encoder

__all__ = [
    "ALIGNERS",
    "ENCODER_PRESETS",
    "EncoderAligner",
    "EncoderAlignerOptions",
    "EncoderTrainingOptions",
    "EncoderTrainingReport",
    "WordAligner",
    "load_aligner",
    "train_encoder",
]

__dir__ = listing(__all__)
