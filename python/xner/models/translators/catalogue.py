"""Translators by name: `Translator`, and what distributions add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from xner._support.progress import Reporter, silent
from xner._support.registry import Registry

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from xner.models.translators.translator import Translation

__all__ = ["TRANSLATORS", "LoadTranslator", "TextTranslator", "load_translator"]


class TextTranslator(Protocol):
    """Translates texts."""

    @property
    def signature(self) -> str:
        """One line for tables and papers: the version, the model, and every option."""

    @property
    def identity(self) -> str:
        """Tells what decides translations, the languages apart, from all others; read without the model's weights."""

    def translate(
        self,
        texts: Sequence[str],
        source_language: str,
        target_language: str,
        *,
        cache: str | os.PathLike[str] | None = None,
        progress: Reporter = silent,
    ) -> list[Translation]:
        """Translate texts; see `Translator.translate`."""


class LoadTranslator(Protocol):
    """Loads a translator."""

    def __call__(self, model: str, **options: Any) -> TextTranslator:
        """Load it.

        Args:
            model: its name.
            **options: those of `Translator.load`; it may ignore what means nothing to it.
        """


_OWN = "seq2seq"

TRANSLATORS: Final[Registry[LoadTranslator]] = Registry(
    "xner.translators", "translator", {_OWN: "xner.models.translators.translator:Translator.load"}
)
"""What loads translators, by name. Distributions add theirs to the entry points `xner.translators`."""


def load_translator(model: str, **options: Any) -> TextTranslator:
    """Load a translator.

    Args:
        model: name on the Hugging Face hub, or folder; or `NAME:MODEL`, with a name of `TRANSLATORS`.
        **options: those of `Translator.load`.

    Raises:
        Error: it cannot be loaded.
    """
    load, name = TRANSLATORS.prefixed(model) or (TRANSLATORS[_OWN], model)
    return load(name, **options)
