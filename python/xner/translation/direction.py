"""A translator from one language into another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from xner._support.progress import Reporter, silent
from xner.text import languages

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from xner.models.translators.catalogue import TextTranslator
    from xner.models.translators.translator import Translation

__all__ = ["Direction"]


class Direction:
    """A translator from one language into another.

    Args:
        translator: whose weights are best read when there is something to translate, and not before.
        source_language: `eng_Latn`, `en`, `English`, ...
        target_language: likewise.
        cache: as for `Translator.translate`.

    Attributes:
        source_language: by its code: `eng_Latn`.
        target_language: likewise.

    Raises:
        OptionError: an unknown language.
    """

    def __init__(
        self,
        translator: TextTranslator,
        source_language: str,
        target_language: str,
        *,
        cache: str | os.PathLike[str] | None = None,
    ) -> None:
        self.source_language = languages.language(source_language).code
        self.target_language = languages.language(target_language).code
        self._translator = translator
        self._cache = cache

    @property
    def signature(self) -> str:
        """The translator and the languages, for tables and papers."""
        return f"{self._translator.signature}|languages:{self.source_language}-{self.target_language}"

    @property
    def identity(self) -> str:
        """Tells what decides the translations from all others."""
        return json.dumps([self._translator.identity, self.source_language, self.target_language])

    def __repr__(self) -> str:
        return f"Direction({self._translator!r}, {self.source_language!r}, {self.target_language!r})"

    def translate(self, texts: Sequence[str], *, progress: Reporter = silent) -> list[Translation]:
        """Translate texts: `Translator.translate`."""
        return self._translator.translate(
            texts, self.source_language, self.target_language, cache=self._cache, progress=progress
        )
