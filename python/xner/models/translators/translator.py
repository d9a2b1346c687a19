"""Translation of texts: batches, statuses, and a cache that makes runs go on where they stopped.

    translator = Translator.load("facebook/nllb-200-distilled-600M")
    for found in translator.translate(["Angela Merkel visited Madrid."], "eng_Latn", "yor_Latn"):
        print(found.text, found.status)

Two engines do the same: transformers, and CTranslate2 with models in its own format, which are made on first use.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from xner._support.arguments import number, whole_number
from xner._support.progress import Reporter, silent
from xner._version import __version__
from xner.models.network.batching import batches_by_length
from xner.models.translators.cache import TranslationCache, content_key
from xner.models.translators.conversion import convert_model
from xner.models.translators.engines import Engine, EngineDtype, load_engine

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from xner.models.translators.engines import TranslationEngine
    from xner.models.translators.seq2seq import Seq2SeqTokenizer

__all__ = ["STATUSES", "Decoding", "Spread", "Translation", "Translator", "convert_model", "judge_translation"]

_WHAT = "translating"
_TOKEN_BUDGETS = {"cuda": 8_192, "mps": 2_048, "cpu": 1_024}

# Texts whose numbers of pieces round up to the same multiple of this share batches and the limit on length.
_BUCKET = 8
_LONGEST_LOOP = 8  # words
Spread: TypeAlias = "Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]"
"""Calls a function for each of some batches, wherever that is, and gives what it returns in order, as `map` does."""

STATUSES: Final = {
    "ok": "nothing is wrong",
    "empty_source": "there is nothing to translate",
    "too_long": "it has more word pieces than the model takes, and was not translated",
    "empty": "the model said nothing",
    "cut": "the limit on length ended it",
    "looping": "it repeats itself",
    "copied": "it is the source text",
}
"""What can be said of a translation."""


class Translation(NamedTuple):
    """A text's translation.

    Attributes:
        text: as the model said it.
        status: a key of `STATUSES`.
    """

    text: str
    status: str


@dataclass(frozen=True, slots=True)
class Decoding:
    """How translations are searched for.

    Attributes:
        beams: hypotheses that are kept; 1 takes the likeliest token each time.
        length_ratio: most pieces of a translation for each piece of its source text, which is counted in eights.
        length_extra: pieces that are allowed beside.

    Raises:
        Error: a value out of range.
    """

    beams: int = 4
    length_ratio: float = 2.0
    length_extra: int = 20

    def __post_init__(self) -> None:
        whole_number("beams", self.beams, 1)
        number("length_ratio", self.length_ratio, "above 0", lambda value: 0 < value < 1e6)
        whole_number("length_extra", self.length_extra, 0)

    def limit(self, pieces: int) -> int:
        """The most pieces of a translation."""
        return max(1, int(self.length_ratio * _bucket(pieces)) + self.length_extra)


def _bucket(pieces: int) -> int:
    return -(-pieces // _BUCKET) * _BUCKET


class Translator:
    """Translates texts. Make one with `Translator.load`.

    Attributes:
        name: of the model, or its folder.
        decoding: how translations are searched for.
    """

    def __init__(self, engine: TranslationEngine, decoding: Decoding, token_budget: int | None) -> None:
        """Use `Translator.load`."""
        self.name = engine.name
        self.decoding = decoding
        self._engine = engine
        self._token_budget = token_budget

    def __repr__(self) -> str:
        return f"Translator({self.name!r}, beams={self.decoding.beams})"

    @property
    def _tokenizer(self) -> Seq2SeqTokenizer:
        return self._engine.tokenizer

    @classmethod
    def load(
        cls,
        model: str,
        *,
        engine: Engine = "auto",
        decoding: Decoding | None = None,
        device: str | Sequence[str] = "auto",
        dtype: EngineDtype = "auto",
        token_budget: int | None = None,
        tokenizer: str | None = None,
        lazily: bool = False,
    ) -> Translator:
        """Prepare a translation model. Its weights are read when there is something to translate, and not before.

        So languages that it does not know, and runs whose translations are all in the cache, cost next to nothing.

        Args:
            model: name on the Hugging Face hub, or folder, of a model with weights in safetensors files: NLLB-200,
                M2M-100, mBART-50, MADLAD-400, or Marian's (OPUS-MT); or the folder of such a model in CTranslate2's
                format, with its tokenizer.
            engine: `ctranslate2` (which converts the model on first use), `transformers`, or `auto`: the former for a
                folder in its format.
            decoding: how to search; None for the defaults.
            device: `auto` (all CUDA devices, else Apple's MPS, else the processor), a name (`cuda:1`), or several.
            dtype: precision; `auto` is half precision on GPUs, float32 elsewhere. CTranslate2 takes `int8`, too.
            token_budget: most source tokens in a batch, padding included; None goes by the device.
            tokenizer: name or folder of another tokenizer than the model's: CTranslate2 folders may come without one.
            lazily: whether configuration and tokenizer, too, are read when they are needed first, and not before.

        Raises:
            Error: an extra is not installed, an option has no meaning, or the model is not of a known family.
        """
        if token_budget is not None:
            whole_number("token_budget", token_budget, 1)
        made = load_engine(
            model, engine=engine, tokenizer=tokenizer, device=device, dtype=dtype, what=_WHAT, lazily=lazily
        )
        return cls(made, decoding or Decoding(), token_budget)

    def language_codes(self, source_language: str, target_language: str) -> tuple[str, str]:
        """The model's own codes of two languages.

        Args:
            source_language: `eng_Latn`, `en`, `English`; or as the model spells it: `en_XX`, `__en__`, `<2en>`.
            target_language: likewise.

        Raises:
            Error: a language that is unknown, or that the model does not translate from or into; the message names the
                nearest ones.
        """
        return self._tokenizer.source_code(source_language), self._tokenizer.target_code(target_language)

    @property
    def signature(self) -> str:
        """What translates, and how, for tables and papers."""
        decoding = ",".join(f"{name}={value:g}" for name, value in asdict(self.decoding).items())
        return f"xner:{__version__}|translator:{self.name}|engine:{self._engine.signature}|{decoding}"

    @property
    def identity(self) -> str:
        """Tells what decides translations, but the languages: the weights' content, the engine, and the search."""
        return f"{self._engine.identity}|{json.dumps(asdict(self.decoding), sort_keys=True)}"

    def translate(
        self,
        texts: Sequence[str],
        source_language: str,
        target_language: str,
        *,
        cache: str | os.PathLike[str] | None = None,
        progress: Reporter = silent,
        spread: Spread | None = None,
    ) -> list[Translation]:
        """Translate texts, each distinct one once.

        Args:
            texts: sentences.
            source_language: `eng_Latn`, `en`, `English`; or as the model spells it.
            target_language: likewise.
            cache: a file that keeps translations, for runs to come and for this one should it be interrupted; None for
                none. Batches are the same whatever is in it, so that an interrupted run ends as if it had not been.
            progress: told `translate`, the distinct texts done, and their number.
            spread: calls a function, which can be pickled, for each batch, in other processes, and gives what it
                returns in order; None computes here. Batches are the same.

        Returns:
            One translation a text, in order.

        Raises:
            Error: a language that the model does not know; the model's weights or the cache cannot be used.
        """
        source_language, target_language = self.language_codes(source_language, target_language)
        start = self._tokenizer.start(target_language)
        distinct = [text for text in dict.fromkeys(texts) if text.strip()]
        encoded = dict(zip(distinct, self._tokenizer.encode(distinct, source_language, target_language), strict=True))
        settings = json.dumps(asdict(self.decoding), sort_keys=True)
        identity = self._engine.identity
        keys = {
            text: content_key("translation", identity, settings, source_language, target_language, text)
            for text in distinct
        }
        longest = self._engine.longest
        too_long = [text for text, ids in encoded.items() if longest is not None and len(ids) > longest]
        found = dict.fromkeys(too_long, Translation("", "too_long"))
        with TranslationCache(cache) as kept:
            stored = kept.get(list(keys.values()))
            for text, key in keys.items():
                if key in stored:
                    found[text] = Translation(*json.loads(stored[key]))
            batches = [
                missing
                for batch in self._batches(encoded)
                if (missing := [text for text in batch if text not in found])
            ]
            for batch, translations in self._computed(batches, encoded, start, spread):
                done = dict(zip(batch, translations, strict=True))
                kept.put({keys[text]: json.dumps(value, ensure_ascii=False) for text, value in done.items()})
                found |= done
                progress("translate", len(found), len(distinct))
        return [found[text] if text in found else Translation("", "empty_source") for text in texts]

    def _computed(
        self,
        batches: Sequence[Sequence[str]],
        encoded: Mapping[str, list[int]],
        start: Sequence[int],
        spread: Spread | None = None,
    ) -> Iterator[tuple[Sequence[str], list[Translation]]]:
        """Batches and their translations, in order, from here or from elsewhere."""
        if spread is not None and batches:
            pieces = ({text: encoded[text] for text in batch} for batch in batches)
            yield from zip(batches, spread(_Batch(self, start), pieces), strict=True)
            return

        def translate(model: Any, some: Sequence[str]) -> list[Translation]:
            return self._batch(model, some, [encoded[text] for text in some], start)

        yield from self._engine.run(batches, translate)

    def _batches(self, encoded: dict[str, list[int]]) -> list[list[str]]:
        """All texts in batches that share a limit on length, the longest first."""
        buckets: dict[int, list[str]] = {}
        for text, ids in encoded.items():
            buckets.setdefault(_bucket(len(ids)), []).append(text)
        budget = self._token_budget or _TOKEN_BUDGETS.get(self._engine.kind, _TOKEN_BUDGETS["cpu"])
        batches = []
        for length in sorted(buckets, reverse=True):
            texts = sorted(buckets[length])
            grouped = batches_by_length([length] * len(texts), budget)
            batches += [[texts[index] for index in batch] for batch in grouped]
        return batches

    def _batch(
        self, model: Any, texts: Sequence[str], sources: Sequence[list[int]], start: Sequence[int]
    ) -> list[Translation]:
        limit = self._engine.within(self.decoding.limit(max(map(len, sources))), start)
        translations = []
        for text, made in zip(
            texts, self._engine.generate(model, sources, start, self.decoding.beams, limit), strict=True
        ):
            translation = self._tokenizer.decode(made.ids).strip()
            translations.append(Translation(translation, judge_translation(text, translation, ended=made.ended)))
        return translations


@dataclass(frozen=True, slots=True)
class _Batch:
    """Translates a batch in another process: texts with their pieces.

    Attributes:
        translator: whose model is loaded there once.
        start: tokens that every translation begins with.
    """

    translator: Translator
    start: Sequence[int]

    def __call__(self, encoded: Mapping[str, list[int]]) -> list[Translation]:
        ((_, found),) = self.translator._computed([list(encoded)], encoded, self.start)
        return found


def judge_translation(source: str, translation: str, *, ended: bool) -> str:
    """What is to be said of a translation: a key of `STATUSES`.

    A copy is what has the words of the source, at least four of them; names stay what they are. A loop is a sequence of
    up to eight words that comes four times in a row, eight words in all, where the source has none.

    Args:
        source: the source text.
        translation: its translation.
        ended: whether the model ended it.
    """
    if not translation.strip():
        return "empty"
    words = translation.split()
    if _loops(words) and not _loops(source.split()):
        return "looping"
    if not ended:
        return "cut"
    original = source.split()
    return "copied" if len(original) >= 4 and [w.lower() for w in words] == [w.lower() for w in original] else "ok"


def _loops(words: Sequence[str]) -> bool:
    for length in range(1, _LONGEST_LOOP + 1):
        repeats = max(4, -(-8 // length))
        same = 0
        for at in range(length, len(words)):
            same = same + 1 if words[at] == words[at - length] else 0
            if same >= length * (repeats - 1):
                return True
    return False
