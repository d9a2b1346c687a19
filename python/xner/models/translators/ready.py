"""Translations that are there already, in place of a translator.

translator = ReadyTranslations.read("es.txt")  # a translation a line, as many as there are sentences
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xner import schema
from xner._support.arrow import pylist
from xner._support.progress import Reporter, silent
from xner._version import __version__
from xner.errors import Error
from xner.io.sides import read_translations
from xner.models.translators.cache import content_key
from xner.models.translators.translator import STATUSES, Translation, judge_translation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

__all__ = ["ReadyTranslations"]


@dataclass(frozen=True, slots=True, repr=False)
class ReadyTranslations:
    """Gives the translations of a file, row by row. Make one with `ReadyTranslations.read`.

    Attributes:
        path: where they come from, for messages.
        texts: the translations, one for each source sentence, empty ones included.
        statuses: what is known of them, keys of `STATUSES`; None, or another, has the translation looked at.
    """

    path: str
    texts: tuple[str, ...]
    statuses: tuple[str | None, ...]

    def __repr__(self) -> str:
        return f"ReadyTranslations({self.path!r})"

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file of translations.

        Args:
            path: text with one translation a line, or a table with a column `translation`, and, as `xner translate`
                writes it, `translation_status`.

        Raises:
            Error: no such column, or a file that cannot be read.
        """
        table = read_translations(path)
        texts = [text or "" for text in pylist(table.column(schema.TRANSLATION))]
        known = schema.TRANSLATION_STATUS in table.schema.names
        statuses = pylist(table.column(schema.TRANSLATION_STATUS)) if known else [None] * len(texts)
        return cls(os.fspath(path), tuple(texts), tuple(statuses))

    @property
    def signature(self) -> str:
        """Where translations come from, for tables and papers."""
        return f"xner:{__version__}|translations:{self.path}"

    @property
    def identity(self) -> str:
        """Tells these translations from all others, whatever file has them."""
        return f"translations:{content_key(*self.texts, *(status or '' for status in self.statuses)).hex()}"

    def translate(
        self,
        texts: Sequence[str],
        source_language: str,
        target_language: str,
        *,
        cache: str | os.PathLike[str] | None = None,
        progress: Reporter = silent,
    ) -> list[Translation]:
        """The translations of all source sentences.

        Args:
            texts: all sentences in the order of the file.
            source_language: of no effect.
            target_language: of no effect.
            cache: of no effect.
            progress: told `translate` once.

        Returns:
            One translation a text; a text that is empty has none.

        Raises:
            Error: there are not as many as texts; the message has both numbers.
        """
        if len(texts) != len(self.texts):
            raise Error(
                f"'{self.path}' has {len(self.texts)} translations, but there are {len(texts)} source sentences: it "
                "needs one for each, in the same order, with an empty line or row where there is none"
            )
        progress("translate", len(texts), len(texts))
        return [
            self._translation(source, text.strip(), status)
            for source, text, status in zip(texts, self.texts, self.statuses, strict=True)
        ]

    def _translation(self, source: str, text: str, status: str | None) -> Translation:
        if not source.strip():
            return Translation("", "empty_source")
        return Translation(text, status if status in STATUSES else judge_translation(source, text, ended=True))
