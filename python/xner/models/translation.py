"""Translation of texts by multilingual models: batches, statuses, and a cache that makes runs go on where they stopped.

    translator = Translator.load("facebook/nllb-200-distilled-600M")
    for found in translator.translate(["Angela Merkel visited Madrid."], "eng_Latn", "yor_Latn"):
        print(found.text, found.status)

Two engines do the same: transformers, and CTranslate2 with models in its own format, which are made on first use.
"""

from __future__ import annotations

import json
import queue
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

from xner._arguments import number, whole_number
from xner._choices import choose
from xner._extras import require
from xner.errors import Error
from xner.models.batching import batches_by_length
from xner.models.device import DTYPES, Dtype, in_halves, resolve_devices, resolve_dtype
from xner.models.generation import Generated, ctranslate2_generate, load_ctranslate2, transformers_generate
from xner.models.loading import first_line, folder_digest, import_transformers, revision
from xner.models.seq2seq import Seq2SeqTokenizer, load_seq2seq
from xner.models.translation_cache import TranslationCache, content_key, default_cache_path
from xner.models.translation_scores import ENGINES, Engine

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "STATUSES",
    "Decoding",
    "Translation",
    "TranslationEngine",
    "Translator",
    "convert_model",
    "judge_translation",
]

_WHAT = "translating"
_TOKEN_BUDGETS = {"cuda": 8_192, "mps": 2_048, "cpu": 1_024}

# Texts whose numbers of pieces round up to the same multiple of this share batches and the limit on length.
_BUCKET = 8
_LONGEST_LOOP = 8  # words

STATUSES: Final = {
    "ok": "nothing is wrong",
    "empty_source": "there is nothing to translate",
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


class TranslationEngine(Protocol):
    """A model that translates batches."""

    @property
    def identity(self) -> str:
        """Tells what decides translations, the weights' content above all, from all others."""

    @property
    def token_budget(self) -> int:
        """Tokens in a batch that suit the device."""

    @property
    def devices(self) -> Sequence[Any]:
        """One copy of the model a device."""

    def generate(
        self, model: Any, sources: Sequence[Sequence[int]], mark: int, beams: int, limit: int
    ) -> list[Generated]:
        """Translate a batch.

        Args:
            model: one of `devices`.
            sources: texts in tokens, with marks and end tokens.
            mark: of the target language.
            beams: see `Decoding`.
            limit: most tokens of a translation, its mark and its end token not counted.

        Returns:
            For each text the tokens between mark and end.
        """


class Translator:
    """Translates texts. Make one with `Translator.load`.

    Attributes:
        name: of the model, or its folder.
        decoding: how translations are searched for.
    """

    def __init__(
        self,
        name: str,
        tokenizer: Seq2SeqTokenizer,
        engine: TranslationEngine,
        decoding: Decoding,
        token_budget: int | None,
    ) -> None:
        """Use `Translator.load`."""
        self.name = name
        self.decoding = decoding
        self._tokenizer = tokenizer
        self._engine = engine
        self._token_budget = token_budget or engine.token_budget
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()  # copies of the model that nobody uses now
        for device in engine.devices:
            self._idle.put(device)

    @classmethod
    def load(
        cls,
        model: str,
        *,
        engine: Engine = "auto",
        decoding: Decoding | None = None,
        device: str | Sequence[str] = "auto",
        dtype: Dtype | Literal["int8"] = "auto",
        token_budget: int | None = None,
    ) -> Translator:
        """Load a multilingual translation model.

        Args:
            model: name on the Hugging Face hub, or folder, of an NLLB-200 or M2M-100 model with weights in safetensors
                files; or the folder of such a model in CTranslate2's format, with its tokenizer.
            engine: `ctranslate2` (which converts the model on first use), `transformers`, or `auto`: the former for a
                folder with a `model.bin`.
            decoding: how to search; None for the defaults.
            device: `auto` (all CUDA devices, else Apple's MPS, else the processor), a name (`cuda:1`), or several.
            dtype: precision; `auto` is half precision on GPUs, float32 elsewhere. CTranslate2 takes `int8`, too.
            token_budget: most source tokens in a batch, padding included; None goes by the device.

        Raises:
            Error: an extra is not installed, an option has no meaning, or the model cannot be used.
        """
        choose("engine", engine, dict.fromkeys(ENGINES))
        if token_budget is not None:
            whole_number("token_budget", token_budget, 1)
        is_converted = (Path(model) / "model.bin").is_file() and not (Path(model) / "model.safetensors").is_file()
        tokenizer = Seq2SeqTokenizer.load(model, what=_WHAT)
        made: TranslationEngine
        if engine == "ctranslate2" or (engine == "auto" and is_converted):
            folder = Path(model) if is_converted else convert_model(model, dtype)
            made = _CTranslate2.load(folder, tokenizer, device, dtype)
        else:
            if dtype == "int8":
                raise Error("dtype='int8': that is for engine='ctranslate2'")
            choose("dtype", dtype, DTYPES)
            made = _Transformers.load(model, tokenizer, device, dtype)
        return cls(model, tokenizer, made, decoding or Decoding(), token_budget)

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
        progress: Callable[[str, int, int], None] | None = None,
    ) -> list[Translation]:
        """Translate texts, each distinct one once.

        Args:
            texts: sentences.
            source_language: `eng_Latn`, `en`, `English`; or as the model spells it.
            target_language: likewise.
            cache: a file that keeps translations, for runs to come and for this one should it be interrupted; None for
                none. Batches are the same whatever is in it, so that an interrupted run ends as if it had not been.
            progress: called with the name of the work, distinct texts that are done, and their number.

        Returns:
            One translation a text, in order.

        Raises:
            Error: an unknown language; the cache cannot be used.
        """
        source_language, target_language = map(self._tokenizer.code, (source_language, target_language))
        mark = self._tokenizer.mark(target_language)
        distinct = [text for text in dict.fromkeys(texts) if text.strip()]
        encoded = dict(zip(distinct, self._tokenizer.encode(distinct, source_language), strict=True))
        settings = json.dumps(asdict(self.decoding), sort_keys=True)
        identity = self._engine.identity
        keys = {
            text: content_key("translation", identity, settings, source_language, target_language, text)
            for text in distinct
        }
        found: dict[str, Translation] = {}
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

            def run(batch: Sequence[str]) -> dict[str, Translation]:
                return self._batch(batch, encoded, mark)

            for done in self._on_all_devices(run, batches):
                kept.put({keys[text]: json.dumps(value, ensure_ascii=False) for text, value in done.items()})
                found |= done
                if progress is not None:
                    progress("translate", len(found), len(distinct))
        return [found[text] if text in found else Translation("", "empty_source") for text in texts]

    def _batches(self, encoded: dict[str, list[int]]) -> list[list[str]]:
        """All texts in batches that share a limit on length, the longest first."""
        buckets: dict[int, list[str]] = {}
        for text, ids in encoded.items():
            buckets.setdefault(_bucket(len(ids)), []).append(text)
        batches = []
        for length in sorted(buckets, reverse=True):
            texts = sorted(buckets[length])
            grouped = batches_by_length([length] * len(texts), self._token_budget)
            batches += [[texts[index] for index in batch] for batch in grouped]
        return batches

    def _on_all_devices(
        self, run: Callable[[Sequence[str]], dict[str, Translation]], batches: Sequence[Sequence[str]]
    ) -> Iterator[dict[str, Translation]]:
        if len(self._engine.devices) == 1:
            yield from map(run, batches)
            return
        with ThreadPoolExecutor(len(self._engine.devices)) as pool:
            yield from pool.map(run, batches)

    def _batch(self, batch: Sequence[str], encoded: dict[str, list[int]], mark: int) -> dict[str, Translation]:
        done: dict[str, Translation] = {}
        limit = self.decoding.limit(max(len(encoded[text]) for text in batch))

        def work(some: Sequence[str]) -> None:
            model = self._idle.get()
            try:
                made = self._engine.generate(model, [encoded[text] for text in some], mark, self.decoding.beams, limit)
            finally:
                self._idle.put(model)
            for text, (ids, ended) in zip(some, made, strict=True):
                translation = self._tokenizer.decode(ids).strip()
                done[text] = Translation(translation, judge_translation(text, translation, ended=ended))

        in_halves(work, batch)
        return done


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


class _Transformers:
    """Translates with a model of transformers."""

    def __init__(self, name: str, tokenizer: Seq2SeqTokenizer, models: Sequence[Any]) -> None:
        self._name = name
        self._tokenizer = tokenizer
        self.devices = list(models)
        self.token_budget = _TOKEN_BUDGETS.get(models[0].device.type, _TOKEN_BUDGETS["cpu"])

    @classmethod
    def load(cls, name: str, tokenizer: Seq2SeqTokenizer, device: str | Sequence[str], dtype: Dtype) -> _Transformers:
        models = [
            load_seq2seq(name, device=one, dtype=resolve_dtype(dtype, one, what=_WHAT), what=_WHAT)
            for one in resolve_devices(device, what=_WHAT)
        ]
        return cls(name, tokenizer, models)

    @property
    def identity(self) -> str:
        precision = str(self.devices[0].dtype).removeprefix("torch.")
        return f"transformers|{precision}|{revision(self._name, what=_WHAT)}"

    def generate(
        self, model: Any, sources: Sequence[Sequence[int]], mark: int, beams: int, limit: int
    ) -> list[Generated]:
        return transformers_generate(model, self._tokenizer, sources, mark, beams=beams, limit=limit)


class _CTranslate2:
    """Translates with a model in CTranslate2's format."""

    def __init__(self, folder: Path, tokenizer: Seq2SeqTokenizer, models: Sequence[Any]) -> None:
        self._folder = folder
        self._tokenizer = tokenizer
        self.devices = list(models)
        self.token_budget = _TOKEN_BUDGETS[models[0].device]

    @classmethod
    def load(cls, folder: Path, tokenizer: Seq2SeqTokenizer, device: str | Sequence[str], dtype: str) -> _CTranslate2:
        models = load_ctranslate2(str(folder), device, dtype, what=_WHAT)
        return cls(folder, tokenizer, models)

    @property
    def identity(self) -> str:
        return f"ctranslate2|{self.devices[0].compute_type}|{folder_digest(self._folder)}"

    def generate(
        self, model: Any, sources: Sequence[Sequence[int]], mark: int, beams: int, limit: int
    ) -> list[Generated]:
        return ctranslate2_generate(model, self._tokenizer, sources, mark, beams=beams, limit=limit)


def convert_model(name: str, dtype: str = "auto", *, folder: Path | None = None) -> Path:
    """A model in CTranslate2's format, converted where that has not been done before.

    Args:
        name: on the Hugging Face hub, or a folder, with weights in safetensors files.
        dtype: precision that weights are kept in: `int8`, `float16`, `bfloat16`, `float32`, or `auto`: as they are.
        folder: where converted models are kept; None for `ctranslate2` in the user's folder of caches.

    Returns:
        The folder of the converted model.

    Raises:
        Error: the extra `translate` is not installed, or the model cannot be converted.
    """
    require("ctranslate2", extra="translate", what=f"{_WHAT} with CTranslate2")
    from ctranslate2.converters import TransformersConverter

    transformers = import_transformers(_WHAT)
    kinds = ("model.safetensors", "model.safetensors.index.json")
    try:
        if not any(transformers.utils.hub.has_file(name, kind) for kind in kinds):
            raise Error(f"cannot convert '{name}': it has no weights in safetensors files")
    except OSError as error:
        raise Error(f"cannot load the translation model '{name}': {first_line(error)}") from error
    place = (folder or default_cache_path().parent / "ctranslate2") / f"{revision(name, what=_WHAT)[:32]}-{dtype}"
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        try:
            TransformersConverter(name).convert(str(aside), quantization=None if dtype == "auto" else dtype, force=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise Error(f"cannot convert '{name}' to CTranslate2's format: {first_line(error)}") from error
        try:
            aside.rename(place)
        except OSError:
            if not place.is_dir():  # another process was faster
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return place
