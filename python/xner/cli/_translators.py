"""The translation models of the command line: their options, and loading them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli._inputs import output_file
from xner.cli._models import computing_options, device_names, engine_option, model_key
from xner.models.device import DTYPES
from xner.models.translation import Decoding, Translator
from xner.models.translation_cache import default_cache_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["TranslatorSettings", "translator_options"]

F = TypeVar("F", bound="Callable[..., Any]")

_DEFAULT = Decoding()

_OPTIONS = [
    click.option(
        "--model",
        required=True,
        help="Name on the Hugging Face hub, or folder, of an NLLB-200 or M2M-100 model; a folder in CTranslate2's "
        "format.",
    ),
    engine_option,
    computing_options(dtypes=[*DTYPES, "int8"], dtype_note=". int8 is for ctranslate2"),
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
        type=output_file,
        help="File that keeps translations for runs to come.  [default: in the user's folder of caches]",
    ),
]


def translator_options(command: F) -> F:
    """Add the options of translation models to a command; `TranslatorSettings.take` gathers their values."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class TranslatorSettings:
    """Which translation model is wanted, and how it translates.

    Attributes:
        model: name on the Hugging Face hub, or folder.
        decoding: how translations are searched for.
        cache: the file that keeps them, for `Translator.translate`.
        loading: further options for `Translator.load`.
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
        """
        decoding = Decoding(beams=values.pop("beams"), length_ratio=values.pop("length_ratio"))
        cache = values.pop("cache") or default_cache_path()
        loading = {name: values.pop(name) for name in ("engine", "device", "dtype", "token_budget")}
        loading["device"] = device_names(loading["device"])
        return cls(values.pop("model"), decoding, cache, loading)

    @property
    def key(self) -> dict[str, Any]:
        """What decides the translations, for a run's fingerprint."""
        return {"model": model_key(self.model), "decoding": asdict(self.decoding), "loading": self.loading}

    def load(self) -> Translator:
        """The model.

        Raises:
            Error: it cannot be used.
        """
        return Translator.load(self.model, decoding=self.decoding, **self.loading)
