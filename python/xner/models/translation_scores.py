"""How probable a translation model finds one text as the translation of another.

    model = load_translation_scorer("facebook/nllb-200-distilled-600M")
    for rows, values in model.log_probabilities([("Madrid", "Madrid")], "eng_Latn", "deu_Latn"):
        ...

Two engines compute the same: transformers, and CTranslate2 with models in its own format.
"""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from xner._arguments import whole_number
from xner._choices import choose
from xner.errors import Error
from xner.models.batching import batches_by_length
from xner.models.device import DTYPES, Dtype, in_halves, resolve_devices, resolve_dtype
from xner.models.generation import (
    Generated,
    ctranslate2_generate,
    load_ctranslate2,
    memory_errors,
    transformers_generate,
)
from xner.models.loading import folder_digest, revision
from xner.models.seq2seq import Seq2SeqTokenizer, load_seq2seq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import torch

__all__ = [
    "ENGINES",
    "CTranslate2Scorer",
    "Engine",
    "TransformersScorer",
    "TranslationScorer",
    "load_translation_scorer",
]

Engine = Literal["auto", "transformers", "ctranslate2"]
ENGINES = ("auto", "transformers", "ctranslate2")

_WHAT = "scoring translations"
_TOKEN_BUDGETS = {"cuda": 16_384, "mps": 4_096, "cpu": 2_048}
# Logits that are in memory at once: NLLB has 256 206 a token, so a quarter of a gigabyte is 256 tokens.
_LOGITS = 1 << 26

# As many as translation models are mostly run with.
_BEAMS = 5

T = TypeVar("T")
R = TypeVar("R")
Floats = npt.NDArray[np.float64]
# A source and a target text in tokens.
TokenPair = tuple[list[int], list[int]]


class TranslationScorer(Protocol):
    """A model that tells how probable translations are, and translates."""

    @property
    def name(self) -> str:
        """Of the model, or its folder."""

    @property
    def signature(self) -> str:
        """Engine and precision."""

    @property
    def identity(self) -> str:
        """Tells what decides the model's answers, its weights' content above all, from all others."""

    def language_code(self, language: str) -> str:
        """The model's own code of a language that is given by any code or name.

        Raises:
            Error: the model does not know it; the message names the nearest ones.
        """

    def log_probabilities(
        self, pairs: Sequence[tuple[str, str]], source_language: str, target_language: str
    ) -> Iterator[tuple[Sequence[int], Floats]]:
        """Mean log-probability of a target token, given the source text and the target tokens before it.

        The target's tokens are its pieces and the end token; the mark of its language, which is forced upon the
        decoder, is none of them.

        Args:
            pairs: source and target texts.
            source_language: of all source texts, as the model spells it: `eng_Latn`.
            target_language: of all target texts.

        Yields:
            Batch by batch: indices into `pairs`, in no order, and as many values, natural logarithms.

        Raises:
            Error: an unknown language, or values that are not finite.
        """

    def translate(
        self, texts: Sequence[str], source_language: str, target_language: str
    ) -> Iterator[tuple[Sequence[int], list[str]]]:
        """Translate texts, by beam search.

        Args:
            texts: to be translated.
            source_language: of all texts.
            target_language: of the translations.

        Yields:
            Batch by batch: indices into `texts`, in no order, and as many translations.

        Raises:
            Error: an unknown language.
        """


def load_translation_scorer(
    model: str,
    *,
    engine: Engine = "auto",
    tokenizer: str | None = None,
    device: str | Sequence[str] = "auto",
    dtype: Dtype = "auto",
    token_budget: int | None = None,
) -> TranslationScorer:
    """Load a multilingual translation model to score with.

    Args:
        model: name on the Hugging Face hub, or folder, of an NLLB-200 or M2M-100 model, whose weights are read from
            safetensors files only; or the folder of such a model in CTranslate2's format.
        engine: `ctranslate2`, `transformers`, or `auto`, which takes the former for a folder with a `model.bin`.
        tokenizer: name or folder of another tokenizer than the model's: CTranslate2 folders may come without one.
        device: `auto` (all CUDA devices, else Apple's MPS, else the processor), a name (`cuda:1`), or several.
        dtype: precision: `auto` is bfloat16 or float16 on CUDA devices, float32 elsewhere; for CTranslate2 what the
            model was converted to.
        token_budget: most tokens on either side of a batch, padding included; None goes by the device. A batch that
            does not fit the device's memory is done in halves.

    Raises:
        Error: the extra `models` or `translate` is not installed, an option has no meaning, or the model cannot be
            used.
    """
    choose("engine", engine, dict.fromkeys(ENGINES))
    choose("dtype", dtype, DTYPES)
    if token_budget is not None:
        whole_number("token_budget", token_budget, 1)
    converted = (Path(model) / "model.bin").is_file() and not (Path(model) / "model.safetensors").is_file()
    if engine == "ctranslate2" or (engine == "auto" and converted):
        return CTranslate2Scorer.load(model, tokenizer=tokenizer, device=device, dtype=dtype, token_budget=token_budget)
    return TransformersScorer.load(model, tokenizer=tokenizer, device=device, dtype=dtype, token_budget=token_budget)


class _Scorer(ABC):
    """What the engines have in common: tokens, batches, devices. They differ in how a batch is computed.

    Attributes:
        name: of the model, or its folder.
    """

    def __init__(self, name: str, tokenizer: Seq2SeqTokenizer, models: Sequence[Any], token_budget: int) -> None:
        """Use `load_translation_scorer`. `models`: one a device, with the same weights."""
        self.name = name
        self._tokenizer = tokenizer
        self._models = list(models)
        self._token_budget = token_budget

    def language_code(self, language: str) -> str:
        """See `TranslationScorer`."""
        return self._tokenizer.code(language)

    def log_probabilities(
        self, pairs: Sequence[tuple[str, str]], source_language: str, target_language: str
    ) -> Iterator[tuple[Sequence[int], Floats]]:
        """See `TranslationScorer`. Batches hold pairs of similar length, the longest ones come first."""
        sources = self._encode({source for source, _ in pairs}, source_language)
        targets = self._encode({target for _, target in pairs}, target_language)
        tokens = [(sources[source], targets[target]) for source, target in pairs]
        lengths = [max(map(len, pair)) for pair in tokens]
        for batch, values in self._in_batches(tokens, lengths, self._means):
            found = np.array(values)
            if not np.isfinite(found).all():
                raise Error(
                    f"the translation model '{self.name}' gave probabilities that are not finite numbers; "
                    "a wider dtype (float32, or bfloat16 in place of float16) helps"
                )
            yield batch, found

    def translate(
        self, texts: Sequence[str], source_language: str, target_language: str
    ) -> Iterator[tuple[Sequence[int], list[str]]]:
        """See `TranslationScorer`."""
        sources = self._tokenizer.encode(texts, source_language)
        mark = self._tokenizer.mark(target_language)
        # Every beam is a row of the decoder's batch.
        lengths = [_BEAMS * len(source) for source in sources]

        def compute(model: Any, some: Sequence[list[int]]) -> list[str]:
            return [self._tokenizer.decode(made.ids) for made in self._generate(model, some, mark)]

        yield from self._in_batches(sources, lengths, compute)

    def _in_batches(
        self, items: Sequence[T], lengths: Sequence[int], compute: Callable[[Any, Sequence[T]], Iterable[R]]
    ) -> Iterator[tuple[Sequence[int], list[R]]]:
        """Compute something for all items, on all devices, in halves where memory is short.

        Args:
            items: what is computed with.
            lengths: of the items, in tokens.
            compute: from a model and a batch of items to as many results.

        Yields:
            Indices of items, and as many results.
        """
        batches = batches_by_length(lengths, self._token_budget)
        idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for model in self._models:
            idle.put(model)

        def run(batch: Sequence[int]) -> tuple[Sequence[int], list[R]]:
            results: list[R] = []  # halves are done in order
            model = idle.get()
            try:
                in_halves(lambda some: results.extend(list(compute(model, [items[i] for i in some]))), batch)
            finally:
                idle.put(model)
            return batch, results

        if len(self._models) == 1:
            yield from map(run, batches)
            return
        with ThreadPoolExecutor(len(self._models)) as pool:
            yield from pool.map(run, batches)

    def _encode(self, texts: set[str], language: str) -> dict[str, list[int]]:
        ordered = sorted(texts)
        return dict(zip(ordered, self._tokenizer.encode(ordered, language), strict=True))

    @abstractmethod
    def _means(self, model: Any, pairs: Sequence[TokenPair]) -> list[float]:
        """Mean log-probabilities of the targets' tokens behind the language's mark."""

    @abstractmethod
    def _generate(self, model: Any, sources: Sequence[list[int]], mark: int) -> list[Generated]:
        """The best translations, in tokens, into the language with that mark."""


class TransformersScorer(_Scorer):
    """Scores with a model of transformers. Make one with `load_translation_scorer`.

    The encoder sees each distinct source text of a batch once. Logits are computed for real target tokens alone, some
    hundred at a time, and summed up in float32.
    """

    @classmethod
    def load(
        cls,
        model: str,
        *,
        tokenizer: str | None,
        device: str | Sequence[str],
        dtype: Dtype,
        token_budget: int | None,
    ) -> TransformersScorer:
        """See `load_translation_scorer`."""
        devices = resolve_devices(device, what=_WHAT)
        loaded = Seq2SeqTokenizer.load(tokenizer or model, what=_WHAT)
        models = [
            load_seq2seq(model, device=one, dtype=resolve_dtype(dtype, one, what=_WHAT), what=_WHAT) for one in devices
        ]
        budget = token_budget or _TOKEN_BUDGETS.get(devices[0].type, _TOKEN_BUDGETS["cpu"])
        return cls(model, loaded, models, budget)

    @property
    def signature(self) -> str:
        """Engine and precision."""
        return "transformers-" + str(self._models[0].dtype).removeprefix("torch.")

    @cached_property
    def identity(self) -> str:
        """Tells what decides the model's answers, its weights' content above all, from all others."""
        digests = {name: revision(name, what=_WHAT) for name in (self.name, self._tokenizer.name)}
        return "|".join([self.signature, f"beams:{_BEAMS}", *digests.values()])

    def _means(self, model: Any, pairs: Sequence[TokenPair]) -> list[float]:
        import torch

        sources = list(dict.fromkeys(tuple(source) for source, _ in pairs))
        row_of_source = {source: row for row, source in enumerate(sources)}
        rows = torch.tensor([row_of_source[tuple(source)] for source, _ in pairs], device=model.device)
        ids = self._padded(sources, model.device)
        mask = (ids != self._tokenizer.padding).long()
        targets = self._padded([target for _, target in pairs], model.device)
        with torch.inference_mode():
            encoded = model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
            start = targets.new_full((len(pairs), 1), model.config.decoder_start_token_id)
            hidden = model.get_decoder()(
                input_ids=torch.cat([start, targets[:, :-1]], dim=1),
                encoder_hidden_states=encoded[rows],
                encoder_attention_mask=mask[rows],
                use_cache=False,
            ).last_hidden_state
            # The first position predicts the language's mark.
            hidden, targets = hidden[:, 1:], targets[:, 1:]
            real = targets != self._tokenizer.padding
            values = _log_probabilities_of(targets[real], hidden[real], model.get_output_embeddings())
            sums = torch.zeros(real.shape, dtype=torch.float64, device="cpu")
            sums[real.cpu()] = values.cpu().double()
            means: list[float] = (sums.sum(dim=1) / real.sum(dim=1).cpu()).tolist()
        return means

    def _generate(self, model: Any, sources: Sequence[list[int]], mark: int) -> list[Generated]:
        limit = _longest_translation(sources)
        return transformers_generate(model, self._tokenizer, sources, mark, beams=_BEAMS, limit=limit)

    def _padded(self, rows: Sequence[Sequence[int]], device: torch.device) -> torch.Tensor:
        import torch

        ids = np.full((len(rows), max(map(len, rows))), self._tokenizer.padding, np.int64)
        for row, values in enumerate(rows):
            ids[row, : len(values)] = values
        return torch.from_numpy(ids).to(device)


def _log_probabilities_of(targets: torch.Tensor, hidden: torch.Tensor, head: Any) -> torch.Tensor:
    """Log-probabilities of target tokens.

    Args:
        targets: their numbers, (tokens).
        hidden: what the decoder says before each, (tokens × dimensions).
        head: from that to logits.

    Returns:
        float32, (tokens).
    """
    import torch

    parts = []
    step = max(1, _LOGITS // head.out_features)
    for first in range(0, len(targets), step):
        logits = head(hidden[first : first + step]).float()
        chosen = logits.gather(1, targets[first : first + step, None]).squeeze(1)
        parts.append(chosen - logits.logsumexp(dim=1))
    return torch.cat(parts)


class CTranslate2Scorer(_Scorer):
    """Scores with a model in CTranslate2's format. Make one with `load_translation_scorer`."""

    @classmethod
    def load(
        cls,
        model: str,
        *,
        tokenizer: str | None,
        device: str | Sequence[str],
        dtype: Dtype,
        token_budget: int | None,
    ) -> CTranslate2Scorer:
        """See `load_translation_scorer`."""
        models = load_ctranslate2(model, device, dtype, what=_WHAT)
        loaded = Seq2SeqTokenizer.load(tokenizer or model, what=_WHAT)
        return cls(model, loaded, models, token_budget or _TOKEN_BUDGETS[models[0].device])

    @property
    def signature(self) -> str:
        """Engine and precision."""
        return f"ctranslate2-{self._models[0].compute_type}"

    @cached_property
    def identity(self) -> str:
        """Tells what decides the model's answers, its weights' content above all, from all others."""
        digests = {self.name: folder_digest(Path(self.name))}
        if self._tokenizer.name != self.name:
            digests[self._tokenizer.name] = revision(self._tokenizer.name, what=_WHAT)
        return "|".join([self.signature, f"beams:{_BEAMS}", *digests.values()])

    def _means(self, model: Any, pairs: Sequence[TokenPair]) -> list[float]:
        tokens = self._tokenizer.tokens
        with memory_errors():
            results = model.score_batch(
                [tokens(source) for source, _ in pairs],
                [tokens(target[:-1]) for _, target in pairs],  # it adds the end token itself
                max_input_length=0,
            )
        return [float(np.mean(result.log_probs[1:], dtype=np.float64)) for result in results]

    def _generate(self, model: Any, sources: Sequence[list[int]], mark: int) -> list[Generated]:
        limit = _longest_translation(sources)
        return ctranslate2_generate(model, self._tokenizer, sources, mark, beams=_BEAMS, limit=limit)


def _longest_translation(sources: Sequence[Sequence[int]]) -> int:
    """When to stop a translation that finds no end, in tokens."""
    return 2 * max(map(len, sources)) + 16
