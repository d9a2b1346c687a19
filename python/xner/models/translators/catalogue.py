"""Translators by name: `Translator`, programs, services, and what distributions add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from xner._support.progress import Reporter, silent
from xner._support.registry import Registry

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from xner.models.translators.translator import Translation

__all__ = [
    "TRANSLATORS",
    "LoadTranslator",
    "TextTranslator",
    "load_translator",
    "takes_options_of",
    "translator_name",
]


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
    "xner.translators",
    "translator",
    {
        _OWN: "xner.models.translators.translator:Translator.load",
        "command": "xner.models.translators.command:CommandTranslator.load",
        "openai": "xner.models.translators.chat:ChatTranslator.load",
    },
)
"""What loads translators, by name. Distributions add theirs to the entry points `xner.translators`."""


def load_translator(model: str, **options: Any) -> TextTranslator:
    """Load a translator.

    Args:
        model: name on the Hugging Face hub, or folder; or `NAME:MODEL`, with a name of `TRANSLATORS`: `command:` and a
            program with its arguments, `openai:` and the name of a model behind a service.
        **options: those of `Translator.load`; for programs and services `timeout` and `base_url`.

    Raises:
        Error: it cannot be loaded.
    """
    load, name = TRANSLATORS.prefixed(model) or (TRANSLATORS[_OWN], model)
    return load(name, **options)


def translator_name(model: str) -> str:
    """The name in `TRANSLATORS` of what loads a translator: `openai` of `openai:gpt-4o-mini`."""
    prefix, colon, _ = model.partition(":")
    return prefix if colon and prefix in TRANSLATORS else _OWN


def takes_options_of(model: str, what: Literal["models", "services", "outside"]) -> bool:
    """Whether a translator takes options of a kind; what distributions add takes all.

    Args:
        model: as for `load_translator`.
        what: `models` that are computed here (engine, device, decoding); `services` (base_url); or what is `outside`,
            programs as well (timeout).
    """
    return translator_name(model) not in _TAKE_NONE[what]


_TAKE_NONE: Final = {"models": {"command", "openai"}, "services": {_OWN, "command"}, "outside": {_OWN}}
