"""Taggers by name: those of transformers, and what distributions add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from xner._support.registry import Registry

if TYPE_CHECKING:
    from xner.models.taggers.tagger import WordTagger

__all__ = ["TAGGERS", "LoadTagger", "load_tagger"]


class LoadTagger(Protocol):
    """Loads a tagger."""

    def __call__(self, model: str, **options: Any) -> WordTagger:
        """Load it.

        Args:
            model: its name.
            **options: those of `Tagger.load`; it may ignore what means nothing to it.
        """


_OWN = "transformers"

TAGGERS: Final[Registry[LoadTagger]] = Registry(
    "xner.taggers", "tagger", {_OWN: "xner.models.taggers.tagger:Tagger.load"}
)
"""What loads taggers, by name. Distributions add theirs to the entry points `xner.taggers`."""


def load_tagger(model: str, **options: Any) -> WordTagger:
    """Load a tagger.

    Args:
        model: name on the Hugging Face hub, or folder; or `NAME:MODEL`, with a name of `TAGGERS`.
        **options: those of `Tagger.load`.

    Raises:
        Error: it cannot be loaded.
    """
    load, name = TAGGERS.prefixed(model) or (TAGGERS[_OWN], model)
    return load(name, **options)
