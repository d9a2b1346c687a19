"""Translation models: families, engines, and what they have translated before."""

from __future__ import annotations

from xner.models.translators.cache import TranslationCache
from xner.models.translators.translator import Translation, Translator

__all__ = ["Translation", "TranslationCache", "Translator"]
