"""Translation models: families, engines, and what they have translated before."""

from __future__ import annotations

from xner._support.faces import listing
from xner.models.translators.cache import TranslationCache
from xner.models.translators.catalogue import TRANSLATORS, TextTranslator, load_translator
from xner.models.translators.translator import Translation, Translator

__all__ = ["TRANSLATORS", "TextTranslator", "Translation", "TranslationCache", "Translator", "load_translator"]

__dir__ = listing(__all__)
