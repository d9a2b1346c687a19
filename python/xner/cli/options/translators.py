"""The translation models of the command line: their options, and loading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from xner._support.options import renamed_in_errors
from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group, GroupedOption
from xner.cli.options.inputs import cache_file
from xner.cli.options.models import computing_options
from xner.errors import OptionError
from xner.models.network.device import DTYPES, device_names
from xner.models.translators.cache import default_cache_path
from xner.models.translators.catalogue import TextTranslator, load_translator, takes_options_of
from xner.models.translators.engines import ENGINES
from xner.models.translators.families import FAMILIES
from xner.models.translators.translator import Decoding
from xner.pipelines.translating import TranslatingOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ChosenTranslator", "engine_group", "translator_group"]

_DEFAULT = Decoding()
_TITLE = "Translation"
_DTYPES = [*DTYPES, "int8"]
_DTYPE_NOTE = ". For ctranslate2, which takes int8 too, that of the model's files"

_ENGINE_OPTIONS = [
    GroupedOption(
        ["--translator-engine"],
        type=click.Choice(list(ENGINES)),
        default="auto",
        show_default=True,
        help="What computes: ctranslate2 is the quicker one on processors, and converts a model on first use; auto "
        "takes it for models in its format.",
        title="Computing",
    ),
    GroupedOption(
        ["--tokenizer"],
        help="Name or folder of the tokenizer, where the model's folder has none.",
        title="Computing",
    ),
    *computing_options(dtypes=_DTYPES, dtype_note=_DTYPE_NOTE),
]
_MODEL_OPTIONS = [
    GroupedOption(
        ["--model"],
        required=True,
        help="Name on the Hugging Face hub, or folder, of a model with weights in safetensors files: "
        f"{', '.join(family.title for family in FAMILIES)}; or a folder of one in CTranslate2's format. Or "
        "command:PROGRAM, a program with its arguments that reads lines and writes their translations, or "
        "openai:MODEL, a language model behind a service.",
    ),
    *declared_options(TranslatingOptions, only=["base_url", "translator_timeout"]),
    GroupedOption(
        ["--beams"],
        type=click.IntRange(1),
        default=_DEFAULT.beams,
        show_default=True,
        help="Hypotheses that are kept.",
        title=_TITLE,
    ),
    GroupedOption(
        ["--length-ratio"],
        type=click.FloatRange(0, min_open=True),
        default=_DEFAULT.length_ratio,
        show_default=True,
        help="Most pieces of a translation for each piece of its source.",
        title=_TITLE,
    ),
    GroupedOption(
        ["--cache"],
        type=cache_file,
        help="File that keeps translations for runs to come.  [default: in the user's folder of caches]",
        title=_TITLE,
    ),
]
_OF_MODELS: Mapping[str, Any] = {
    "translator_engine": "auto",
    "tokenizer": None,
    "device": "auto",
    "dtype": "auto",
    "token_budget": None,
    "beams": _DEFAULT.beams,
    "length_ratio": _DEFAULT.length_ratio,
}
"""What means nothing to programs and services, unless it is at its default."""


@dataclass(frozen=True, slots=True)
class ChosenTranslator:
    """Which translation model is wanted, and how it translates.

    Attributes:
        model: as for `load_translator`.
        decoding: how translations are searched for.
        cache: the file that keeps them, for `Translator.translate`.
        loading: further options for `load_translator`.
    """

    model: str
    decoding: Decoding
    cache: Path
    loading: dict[str, Any]

    def load(self) -> TextTranslator:
        """The model, which is read when there is something to translate."""
        with renamed_in_errors(engine="translator_engine"):
            return load_translator(self.model, decoding=self.decoding, lazily=True, **self.loading)


def _engine(device: str, translator_engine: str, **options: Any) -> dict[str, Any]:
    return {**options, "engine": translator_engine, "device": device_names(device)}


def _chosen(
    model: str,
    base_url: str | None,
    translator_timeout: float | None,
    beams: int,
    length_ratio: float,
    cache: Path | None,
    **engine: Any,
) -> ChosenTranslator:
    if not takes_options_of(model, "models"):
        given = {**engine, "beams": beams, "length_ratio": length_ratio}
        for name, default in _OF_MODELS.items():
            if given[name] != default:
                raise OptionError(f"{name} goes with a --model that is one, not with a program or service")
    outside = TranslatingOptions(translator=model, base_url=base_url, translator_timeout=translator_timeout).outside
    decoding = Decoding(beams=beams, length_ratio=length_ratio)
    return ChosenTranslator(model, decoding, cache or default_cache_path(), _engine(**engine) | outside)


engine_group: Group[dict[str, Any]] = Group(_ENGINE_OPTIONS, _engine)
"""What runs a translation model, as loading it takes that."""
translator_group = Group([*_MODEL_OPTIONS, *_ENGINE_OPTIONS], _chosen)
