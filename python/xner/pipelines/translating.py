"""The translation model of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from xner._support.options import (
    Choice,
    DeclaredOptions,
    Flag,
    Number,
    Text,
    When,
    Whole,
    option,
    renamed_in_errors,
)
from xner.errors import OptionError
from xner.models.network.device import DTYPES, device_names
from xner.models.translators.cache import default_cache_path
from xner.models.translators.catalogue import load_translator, takes_options_of
from xner.models.translators.chat import BASE_URL, KEY, check_base_url
from xner.models.translators.engines import ENGINES
from xner.models.translators.families import FAMILIES
from xner.models.translators.ready import ReadyTranslations
from xner.models.translators.translator import Decoding
from xner.text.word_splitting import SPLITTERS
from xner.translation.direction import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TranslatingOptions"]

_DEFAULT = Decoding()
_TRANSLATES = When("translator or translations", lambda o: o.translates)
_WITH_TRANSLATOR = When("translator", lambda o: o.translator is not None)
_WITH_MODEL = When(
    "a translator that is a model, not a program or service",
    lambda o: o.translator is not None and takes_options_of(o.translator, "models"),
)
_WITH_SERVICE = When(
    "a translator that is a service: openai:MODEL",
    lambda o: o.translator is not None and takes_options_of(o.translator, "services"),
)
_WITH_OUTSIDE = When(
    "a translator that is a program or service: command:PROGRAM, openai:MODEL",
    lambda o: o.translator is not None and takes_options_of(o.translator, "outside"),
)
_GROUP = "Translation"


@dataclass(frozen=True, slots=True)
class _Url:
    """The URL of a service, without anything secret."""

    metavar: str = "URL"

    def check(self, name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise OptionError(f"{name}={value!r}: expected a URL")
        return check_base_url(value)

    def parse(self, name: str, text: str) -> str:
        return self.check(name, text)

    def to_text(self, value: str) -> str:
        return value


@dataclass(frozen=True, slots=True)
class TranslatingOptions(DeclaredOptions):
    """How a pipeline translates, if it does.

    Raises:
        Error: a value is unknown or out of range, or options of a translator without one.
    """

    translator: str | None = option(
        None,
        Text("MODEL"),
        "The translation model: name on the Hugging Face hub, or folder, of a model with weights in safetensors files: "
        f"{', '.join(family.title for family in FAMILIES)}; or a folder of one in CTranslate2's format. Or "
        "command:PROGRAM, a program with its arguments that reads lines and writes their translations, or "
        "openai:MODEL, a language model behind a service.",
        optional=True,
        group=_GROUP,
    )
    translations: str | None = option(
        None,
        Text("FILE"),
        "Translations that are there already, in place of --translator: a text file with one a line, as many as there "
        "are source sentences, or a table with a column `translation`.",
        optional=True,
        group=_GROUP,
    )
    base_url: str | None = option(
        None,
        _Url(),
        f"Where the service of openai:MODEL is, whose key is taken from the environment variable {KEY}.",
        when=[_WITH_SERVICE],
        optional=True,
        default_text=BASE_URL,
        group=_GROUP,
    )
    translator_timeout: float | None = option(
        None,
        Number(positive=True),
        "Seconds that command:PROGRAM has for a batch of 1000 lines, or openai:MODEL for a sentence.",
        when=[_WITH_OUTSIDE],
        optional=True,
        default_text="600, or 120",
        group=_GROUP,
    )
    translator_engine: str = option(
        "auto",
        Choice(tuple(ENGINES)),
        "What computes: ctranslate2 is the quicker one on processors, and converts a model on first use; auto takes it "
        "for models in its format.",
        when=[_WITH_MODEL],
        group=_GROUP,
    )
    translator_device: str = option(
        "auto",
        Text("DEVICE"),
        "Where it computes: cpu, cuda, cuda:1, ...; several with commas.",
        when=[_WITH_MODEL],
        group=_GROUP,
    )
    translator_dtype: str = option(
        "auto",
        Choice((*DTYPES, "int8")),
        "Its precision; auto is half precision on GPUs, float32 elsewhere; for ctranslate2, which takes int8 too, that "
        "of the model's files.",
        when=[_WITH_MODEL],
        group=_GROUP,
    )
    beams: int = option(_DEFAULT.beams, Whole(1), "Hypotheses that are kept.", when=[_WITH_MODEL], group=_GROUP)
    length_ratio: float = option(
        _DEFAULT.length_ratio,
        Number(positive=True),
        "Most pieces of a translation for each piece of its source.",
        when=[_WITH_MODEL],
        group=_GROUP,
    )
    cache: str | None = option(
        None,
        Text("FILE"),
        "File that keeps translations for runs to come.",
        when=[_WITH_TRANSLATOR],
        optional=True,
        default_text="in the user's folder of caches",
        group=_GROUP,
    )
    words: str | None = option(
        None,
        Choice(tuple(SPLITTERS)),
        "How translations are split into words; by default as suits the language.",
        when=[_TRANSLATES],
        optional=True,
        group=_GROUP,
    )
    keep_bad: bool = option(
        False,
        Flag(),
        "Use translations that are cut, repeat themselves or copy the source; else their rows are empty.",
        when=[_TRANSLATES],
        group=_GROUP,
    )

    def check_together(self) -> None:
        """See `DeclaredOptions`."""
        if self.translator is not None and self.translations is not None:
            raise OptionError("translator and translations: one of them makes the target sentences, not both")

    @property
    def translates(self) -> bool:
        """Whether anything gives translations."""
        return self.translator is not None or self.translations is not None

    @property
    def decoding(self) -> Decoding:
        """How translations are searched for."""
        return Decoding(beams=self.beams, length_ratio=self.length_ratio)

    @property
    def outside(self) -> dict[str, Any]:
        """What programs and services are loaded with, as far as it is given."""
        given = {"base_url": self.base_url, "timeout": self.translator_timeout}
        return {name: value for name, value in given.items() if value is not None}

    def directions(self) -> Callable[[str, str], Direction]:
        """What makes the translator from one language into another; the model is loaded once for all.

        Raises:
            OptionError: no model is named, and no file of translations.
            Error: the file of translations cannot be read.
        """
        if self.translations is not None:
            return partial(Direction, ReadyTranslations.read(self.translations))
        if self.translator is None:
            raise OptionError("translator is missing: the translation model")
        loading: dict[str, Any] = {
            "engine": self.translator_engine,
            "device": device_names(self.translator_device),
            "dtype": self.translator_dtype,
            **self.outside,
        }
        own_names = {name: f"translator_{name}" for name in ("engine", "device", "dtype")}
        with renamed_in_errors(**own_names):
            translator = load_translator(self.translator, decoding=self.decoding, lazily=True, **loading)
        return partial(Direction, translator, cache=default_cache_path() if self.cache is None else self.cache)
