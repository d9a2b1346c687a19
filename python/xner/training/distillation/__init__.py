"""Students that learn what teachers say of text."""

from __future__ import annotations

from xner._support.faces import listing
from xner.training.distillation.distilling import distill
from xner.training.distillation.language_similarity import LanguageSimilarity

__all__ = ["LanguageSimilarity", "distill"]

__dir__ = listing(__all__)
