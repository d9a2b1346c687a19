"""A translator from one language into another."""

from __future__ import annotations

import inspect
import json
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xner._support.progress import Reporter, silent
from xner.models.translators.ready import ReadyTranslations
from xner.text import languages

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from xner.models.translators.catalogue import TextTranslator
    from xner.models.translators.translator import Spread, Translation

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
        self._spread: Spread | None = None

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

    @property
    def can_spread(self) -> bool:
        """Whether other processes can translate batches: those of services, which others compute, need not."""
        return "spread" in inspect.signature(self._translator.translate).parameters

    @property
    def is_ready(self) -> bool:
        """Whether translations are there, which belong to texts by their places: then all are asked for at once."""
        return isinstance(self._translator, ReadyTranslations)

    def of_rows(self, first: int, rows: int) -> Direction:
        """The same for some of the texts, where translations are there.

        Args:
            first: the place of the first one of these texts.
            rows: how many there are.
        """
        found, ready = copy(self), self._translator
        assert isinstance(ready, ReadyTranslations), "translations are there"
        places = slice(first, first + rows)
        found._translator = replace(ready, texts=ready.texts[places], statuses=ready.statuses[places])
        return found

    def over(self, spread: Spread) -> Direction:
        """The same, but for where batches are translated.

        Args:
            spread: as for `Translator.translate`; of no effect for translators that do not take it.
        """
        found = copy(self)
        found._spread = spread if self.can_spread else None
        return found

    def translate(self, texts: Sequence[str], *, progress: Reporter = silent) -> list[Translation]:
        """Translate texts: `Translator.translate`."""
        more: Any = {} if self._spread is None else {"spread": self._spread}
        return self._translator.translate(
            texts, self.source_language, self.target_language, cache=self._cache, progress=progress, **more
        )
