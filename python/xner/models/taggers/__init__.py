"""Token-classification models as taggers of words."""

from __future__ import annotations

from xner._support.faces import listing
from xner.models.taggers.catalogue import TAGGERS, load_tagger
from xner.models.taggers.tagger import Tagged, Tagger, TaggerStage, WordTagger

__all__ = ["TAGGERS", "Tagged", "Tagger", "TaggerStage", "WordTagger", "load_tagger"]

__dir__ = listing(__all__)
