"""Taggers by name: those of transformers, of spaCy and GLiNER, and what distributions add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from xner._support.registry import Registry

if TYPE_CHECKING:
    from xner.models.taggers.tagger import WordTagger

__all__ = ["TAGGERS", "TELL_NO_PROBABILITIES", "LoadTagger", "load_tagger", "tagger_name", "takes_options_of"]


class LoadTagger(Protocol):
    """Loads a tagger."""

    def __call__(self, model: str, **options: Any) -> WordTagger:
        """Load it.

        Args:
            model: its name.
            **options: those of `load_tagger`; it may ignore what means nothing to it.
        """


_OWN = "transformers"

TAGGERS: Final[Registry[LoadTagger]] = Registry(
    "xner.taggers",
    "tagger",
    {
        _OWN: "xner.models.taggers.tagger:Tagger.load",
        "spacy": "xner.models.taggers.spacy:SpacyTagger.load",
        "gliner": "xner.models.taggers.gliner:GlinerTagger.load",
        "ready": "xner.models.taggers.ready:ReadyLabels.load",
    },
)
"""What loads taggers, by name. Distributions add theirs to the entry points `xner.taggers`."""


def load_tagger(model: str, **options: Any) -> WordTagger:
    """Load a tagger.

    Args:
        model: name on the Hugging Face hub, or folder, of a token-classification model; or `NAME:MODEL`, with a name of
            `TAGGERS`: `spacy:` and a package or folder of a pipeline, `gliner:` and a model of GLiNER, `ready:` and a
            folder of labels that a system outside has made.
        **options: those of `Tagger.load`; for GLiNER those of `GlinerTagger.load`, `asked_classes` above all. Of these,
            spaCy takes `classes` and `device`.

    Raises:
        Error: it cannot be loaded, or does not take an option.
    """
    load, name = TAGGERS.prefixed(model) or (TAGGERS[_OWN], model)
    return load(name, **options)


def tagger_name(model: str) -> str:
    """The name in `TAGGERS` of what loads a tagger: `spacy` of `spacy:xx_ent_wiki_sm`."""
    prefix, colon, _ = model.partition(":")
    return prefix if colon and prefix in TAGGERS else _OWN


def takes_options_of(model: str, what: Literal["networks", "classes"]) -> bool:
    """Whether a tagger takes options of a kind; what distributions add takes all.

    Args:
        model: as for `load_tagger`.
        what: `networks` for token classification (precision, batches, the scheme of labels); or `classes` that it is
            asked for, and how sure it has to be of them.
    """
    return tagger_name(model) not in _TAKE_NONE[what]


TELL_NO_PROBABILITIES: Final = frozenset({"spacy", "gliner", "ready"})
"""Names in `TAGGERS` of those that have no probabilities of labels by word."""

_TAKE_NONE: Final = {"networks": {"spacy", "gliner", "ready"}, "classes": {_OWN, "spacy", "ready"}}
