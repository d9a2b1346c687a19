"""The translation models of the command line: their options, and loading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli.options.declared import declared_options
from xner.cli.options.decorators import with_options, with_parameters
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
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "TranslatorSettings",
    "engine_options",
    "take_engine",
    "translator_options",
]

F = TypeVar("F", bound="Callable[..., Any]")

_DEFAULT = Decoding()

_MODELS = (
    "Name on the Hugging Face hub, or folder, of a model with weights in safetensors files: "
    f"{', '.join(family.title for family in FAMILIES)}; or a folder of one in CTranslate2's format. Or "
    "command:PROGRAM, a program with its arguments that reads lines and writes their translations, or openai:MODEL, a "
    "language model behind a service."
)
_DTYPES = [*DTYPES, "int8"]
_DTYPE_NOTE = ". For ctranslate2, which takes int8 too, that of the model's files"

_ENGINE = click.option(
    "--engine",
    type=click.Choice(list(ENGINES)),
    default="auto",
    show_default=True,
    help="What computes: ctranslate2 is the quicker one on processors, and converts a model on first use; auto takes "
    "it for models in its format.",
)
_ENGINE_OPTIONS = [
    _ENGINE,
    click.option("--tokenizer", help="Name or folder of the tokenizer, where the model's folder has none."),
    computing_options(dtypes=_DTYPES, dtype_note=_DTYPE_NOTE),
]
_DECODING_OPTIONS = [
    click.option(
        "--beams",
        type=click.IntRange(1),
        default=_DEFAULT.beams,
        show_default=True,
        help="Hypotheses that are kept.",
    ),
    click.option(
        "--length-ratio",
        type=click.FloatRange(0, min_open=True),
        default=_DEFAULT.length_ratio,
        show_default=True,
        help="Most pieces of a translation for each piece of its source.",
    ),
    click.option(
        "--cache",
        type=cache_file,
        help="File that keeps translations for runs to come.  [default: in the user's folder of caches]",
    ),
]
_OUTSIDE_OPTIONS = declared_options(
    TranslatingOptions, only=["base_url", "translator_timeout"], titles={"Translation": ""}
)
# What means nothing to programs and services, unless it is at its default.
_OF_MODELS: Mapping[str, Any] = {
    "engine": "auto",
    "tokenizer": None,
    "device": "auto",
    "dtype": "auto",
    "token_budget": None,
    "beams": _DEFAULT.beams,
    "length_ratio": _DEFAULT.length_ratio,
}
_OPTIONS = [
    click.option("--model", required=True, help=_MODELS),
    *_ENGINE_OPTIONS,
    *_DECODING_OPTIONS,
]


def engine_options(command: F) -> F:
    """Add the options of what runs translation models to a command; `take_engine` gathers their values."""
    return with_options(_ENGINE_OPTIONS, command)


def take_engine(values: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `engine_options` out of a command's values, as loading a model takes them."""
    taken = {name: values.pop(name) for name in ("engine", "tokenizer", "device", "dtype", "token_budget")}
    return taken | {"device": device_names(taken["device"])}


def translator_options(command: F) -> F:
    """Add the options of translation models to a command; `TranslatorSettings.take` gathers their values."""
    return with_options(_OPTIONS, with_parameters(_OUTSIDE_OPTIONS, command))


@dataclass(frozen=True, slots=True)
class TranslatorSettings:
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

    @classmethod
    def take(cls, values: dict[str, Any]) -> TranslatorSettings:
        """Take the options of translation models out of a command's values.

        Args:
            values: of all options by name; those of `translator_options` are removed.

        Raises:
            click.UsageError: options that the translator does not take.
        """
        model = values.pop("model")
        if not takes_options_of(model, "models"):
            for name, default in _OF_MODELS.items():
                if values[name] != default:
                    flag = f"--{name.replace('_', '-')}"
                    raise click.UsageError(f"{flag} goes with a --model that is one, not with a program or service")
        try:
            outside = TranslatingOptions(
                translator=model,
                base_url=values.pop("base_url"),
                translator_timeout=values.pop("translator_timeout"),
            ).outside
        except OptionError as error:
            raise click.UsageError(str(error)) from None
        decoding = Decoding(beams=values.pop("beams"), length_ratio=values.pop("length_ratio"))
        cache = values.pop("cache") or default_cache_path()
        return cls(model, decoding, cache, take_engine(values) | outside)

    def load(self) -> TextTranslator:
        """The model, which is read when there is something to translate."""
        return load_translator(self.model, decoding=self.decoding, lazily=True, **self.loading)
