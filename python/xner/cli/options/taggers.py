"""Taggers, and names of classes, on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group, GroupedOption
from xner.cli.options.models import computing_options
from xner.errors import OptionError
from xner.models.network.device import device_names
from xner.models.taggers.catalogue import load_tagger, takes_options_of
from xner.models.taggers.tag_schemes import SCHEMES
from xner.models.taggers.tagger import DECODINGS, WORDS
from xner.pipelines.tagging import TaggingOptions, classes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xner.models.taggers.tagger import WordTagger

__all__ = ["ChosenTagger", "classes_group", "tagger_group"]

classes_group: Group[dict[str, str]] = Group(
    declared_options(TaggingOptions, only=["class_map", "ignore_class"], titles={"Tagger": "Classes"}), classes_of
)
"""New names of classes by old ones."""

_OF_FINDING = ("classes", "class_map", "ignore_class", "tagger_threshold")
_OF_NETWORKS: Mapping[str, Any] = {
    "words": "first",
    "decoding": "argmax",
    "scheme": "auto",
    "dtype": "auto",
    "token_budget": None,
    "overlap": 128,
    "compile": False,
}
"""What only networks for token classification take, with its defaults."""


@dataclass(frozen=True, slots=True)
class ChosenTagger:
    """Which tagger is wanted, and how it tags.

    Attributes:
        model: as for `load_tagger`.
        classes: new names of the classes that it finds.
        loading: further options for `load_tagger`.
    """

    model: str
    classes: dict[str, str]
    loading: dict[str, Any]

    def load(self) -> WordTagger:
        """The tagger."""
        return load_tagger(self.model, classes=self.classes, **self.loading)


def _chosen(model: str, device: str, **options: Any) -> ChosenTagger:
    found = TaggingOptions(tagger=model, **{name: options.pop(name) for name in _OF_FINDING}).loading
    if not takes_options_of(model, "networks"):
        for name, default in _OF_NETWORKS.items():
            if options[name] != default:
                raise OptionError(f"{name} goes with a --model of transformers, not with {model!r}")
    return ChosenTagger(model, found.pop("classes"), {"device": device_names(device), **found, **options})


tagger_group = Group(
    [
        GroupedOption(
            ["--model"],
            required=True,
            help="Name on the Hugging Face hub, or folder, of a token-classification model; spacy:NAME for a package "
            "or folder of a pipeline of spaCy; gliner:NAME for a model of GLiNER, which is asked for --classes.",
        ),
        *declared_options(TaggingOptions, only=_OF_FINDING, titles={"Tagger": "Classes"}),
        GroupedOption(
            ["--words"],
            type=click.Choice(WORDS),
            default=_OF_NETWORKS["words"],
            show_default=True,
            help="Which of a word's pieces speak for it: the first, all in the mean, or the one that is surest.",
            title="Labels",
        ),
        GroupedOption(
            ["--decoding"],
            type=click.Choice(DECODINGS),
            default=_OF_NETWORKS["decoding"],
            show_default=True,
            help="Each word's most probable label, or the most probable valid sequence of labels.",
            title="Labels",
        ),
        GroupedOption(
            ["--scheme"],
            type=click.Choice(SCHEMES),
            default=_OF_NETWORKS["scheme"],
            show_default=True,
            help="Of the model's labels; auto tells it from their names.",
            title="Labels",
        ),
        *computing_options(),
        GroupedOption(
            ["--overlap"],
            type=click.IntRange(0),
            default=_OF_NETWORKS["overlap"],
            show_default=True,
            help="Word pieces that neighbouring windows of a sentence share that is longer than the model takes.",
            title="Computing",
        ),
        GroupedOption(
            ["--compile"], is_flag=True, help="Compile the model first: worth it for long runs.", title="Computing"
        ),
    ],
    _chosen,
)
