"""Token-classification models as taggers of words."""

from __future__ import annotations

from xner.models.taggers.tagger import Tagged, Tagger, TaggerStage

__all__ = ["Tagged", "Tagger", "TaggerStage"]
