"""What runs translation models: transformers, and CTranslate2 with models in its own format. Both compute the same.

An engine translates batches of texts in tokens, and tells how probable translations are. It knows what can be known
without a model's weights when it is made; they are read when they are needed first.
"""

from __future__ import annotations

import queue
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar, cast

import numpy as np

from xner._support.arguments import choose
from xner._support.extras import require
from xner.errors import Error, OptionError
from xner.models.network.device import (
    DTYPES,
    Dtype,
    batch_threads,
    dtype_name,
    in_halves,
    load_apart,
    resolve_devices,
    resolve_dtype,
    share_of_cores,
    side_by_side,
)
from xner.models.network.loading import Reloaded, first_line, model_identity
from xner.models.translators.conversion import convert_model, is_converted
from xner.models.translators.seq2seq import Seq2SeqTokenizer, load_seq2seq, longest_text, translation_model_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor

    import torch

__all__ = [
    "ENGINES",
    "CTranslate2Engine",
    "Engine",
    "EngineDtype",
    "Generated",
    "TokenPair",
    "TransformersEngine",
    "TranslationEngine",
    "load_engine",
]

Engine = Literal["auto", "transformers", "ctranslate2"]
ENGINES: Final = ("auto", "transformers", "ctranslate2")
EngineDtype = Dtype | Literal["int8"]

# A source and a target text in tokens.
TokenPair = tuple[list[int], list[int]]

# Fine-tuned models that go with the tokenizer of the model that they were made of.
_TOKENIZERS: Final = {"thennal/nllb-200-3.3B-labelpigeon": "facebook/nllb-200-3.3B"}
# Sources are padded to a multiple of this, so that what is computed of a text does not depend on the others' lengths.
_WIDTH = 8
# Logits that are in memory at once: NLLB has 256 206 a token, so a quarter of a gigabyte is 256 tokens.
_LOGITS = 1 << 26

T = TypeVar("T")
R = TypeVar("R")


class Generated(NamedTuple):
    """A translation in tokens, what was forced and the end token not among them, and whether the model ended it."""

    ids: list[int]
    ended: bool


class TranslationEngine(Reloaded):
    """A translation model, one copy a device. All that is read of it is read when it is needed first.

    Attributes:
        name: of the model, or its folder.
    """

    def __init__(
        self, name: str, *, tokenizer: str | None, device: str | Sequence[str], dtype: EngineDtype, what: str
    ) -> None:
        """Use `load_engine`, whose arguments these are."""
        self.name = name
        self._tokenizer_name = tokenizer or _TOKENIZERS.get(name, name)
        self._device = device
        self._dtype = dtype
        self._what = what

    def prepare(self) -> None:
        """Read all but the weights now.

        Raises:
            Error: an option has no meaning, or the model is not of a known family.
        """
        _ = self.kind, self.tokenizer, self.longest

    @cached_property
    def tokenizer(self) -> Seq2SeqTokenizer:
        """The model's.

        Raises:
            Error: the model is not of a known family.
        """
        self._check_sources()
        return Seq2SeqTokenizer.load(self._tokenizer_name, what=self._what, model_type=self._model_type)

    @property
    def _model_type(self) -> str | None:
        return translation_model_type(self.name, what=self._what)

    @cached_property
    def longest(self) -> int | None:
        """Most tokens of a text, source or translation, special ones included; None for any number, or not known."""
        return longest_text(self.name, what=self._what)

    @property
    def _sources(self) -> dict[str, str]:
        return dict.fromkeys((self.name, self._tokenizer_name), self._what)

    @cached_property
    def _digests(self) -> list[str]:
        """Of the model, and of the tokenizer where it is another's."""
        return [model_identity(name, what=self._what) for name in self._sources]

    @property
    @abstractmethod
    def kind(self) -> str:
        """Of device: `cpu`, `cuda`, `mps`."""

    @property
    @abstractmethod
    def signature(self) -> str:
        """Engine and precision."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Tells what decides the model's answers, its weights' content above all, from all others."""

    @property
    @abstractmethod
    def models(self) -> Sequence[Any]:
        """The model once for each batch that is computed at the same time, or once for all; loaded on first use.

        Raises:
            Error: the weights cannot be used.
        """

    @abstractmethod
    def generate(
        self, model: Any, sources: Sequence[Sequence[int]], start: Sequence[int], beams: int, limit: int
    ) -> list[Generated]:
        """Translate a batch.

        Args:
            model: one of `models`.
            sources: texts in tokens.
            start: tokens that every translation begins with.
            beams: hypotheses that are kept; 1 takes the likeliest token each time.
            limit: most tokens of a translation, `start` and its end token not counted.
        """

    @abstractmethod
    def mean_log_probabilities(self, model: Any, pairs: Sequence[TokenPair], given: int) -> list[float]:
        """How probable translations are, a token.

        Args:
            model: one of `models`.
            pairs: source and target texts in tokens.
            given: how many of a target text's first tokens are forced, and so do not count.
        """

    def within(self, limit: int, start: Sequence[int]) -> int:
        """A limit on the tokens of a translation, lowered where the model does not take as many.

        Args:
            limit: as for `generate`.
            start: likewise.
        """
        # Beside them are the token that starts the decoder and the end token.
        return limit if self.longest is None else max(1, min(limit, self.longest - len(start) - 2))

    def _generated(self, ids: Sequence[int]) -> Generated:
        """What a model said, up to its first end token, without padding."""
        ended = self.tokenizer.end in ids
        said = ids[: ids.index(self.tokenizer.end)] if ended else ids
        return Generated([one for one in said if one != self.tokenizer.padding], ended)

    def run(
        self, batches: Sequence[Sequence[T]], compute: Callable[[Any, Sequence[T]], Iterable[R]]
    ) -> Iterator[tuple[Sequence[T], list[R]]]:
        """Compute something for all batches, on all devices, in halves where memory is short.

        Args:
            batches: of whatever is computed with.
            compute: from one of `models` and items of a batch to as many results.

        Yields:
            Each batch, in order, and its results.
        """
        if not batches:
            return

        def computed(model: Any, batch: Sequence[T]) -> tuple[Sequence[T], list[R]]:
            results: list[R] = []  # halves are done in order
            in_halves(lambda some: results.extend(list(compute(model, some))), batch)
            return batch, results

        models = self.models
        if len(models) == 1:
            yield from side_by_side(self._threads(), partial(computed, models[0]), batches)
            return
        idle: queue.SimpleQueue[Any] = queue.SimpleQueue()  # copies of the model that nobody uses now
        for model in models:
            idle.put(model)

        def computed_by_one(batch: Sequence[T]) -> tuple[Sequence[T], list[R]]:
            model = idle.get()
            try:
                return computed(model, batch)
            finally:
                idle.put(model)

        with ThreadPoolExecutor(len(models)) as pool:
            yield from side_by_side(pool, computed_by_one, batches)

    def _threads(self) -> Executor | None:
        """What computes several batches at once with the only copy of the model; None where they come one by one."""
        return None


def load_engine(
    model: str,
    *,
    engine: Engine,
    tokenizer: str | None,
    device: str | Sequence[str],
    dtype: EngineDtype,
    what: str,
    lazily: bool = False,
) -> TranslationEngine:
    """Prepare a translation model: its configuration and tokenizer are read, its weights are not.

    Args:
        model: name on the Hugging Face hub, or folder, of a model of a known family (`translation_families.FAMILIES`)
            with weights in safetensors files; or the folder of such a model in CTranslate2's format.
        engine: `ctranslate2` (which converts the model on first use), `transformers`, or `auto`: the former for a
            folder in its format.
        tokenizer: name or folder of another tokenizer than the model's: CTranslate2 folders may come without one. None
            takes the model's, or where that is known to have none, that of the model it was made of.
        device: `auto` (all CUDA devices, else Apple's MPS, else the processor), a name (`cuda:1`), or several.
        dtype: precision; `auto` is half precision on GPUs, float32 elsewhere, and for CTranslate2 what the model was
            converted to. CTranslate2 takes `int8`, too.
        what: who needs it, for messages.
        lazily: whether configuration and tokenizer, too, are read when they are needed first.

    Raises:
        Error: an extra is not installed, an option has no meaning, or the model is not of a known family.
    """
    choose("engine", engine, dict.fromkeys(ENGINES))
    choose("dtype", dtype, dict.fromkeys((*DTYPES, "int8")))
    by_ctranslate2 = engine == "ctranslate2" or (engine == "auto" and is_converted(model))
    if dtype == "int8" and not by_ctranslate2:
        raise OptionError("dtype='int8': that is for engine='ctranslate2'")
    kind = CTranslate2Engine if by_ctranslate2 else TransformersEngine
    made = kind(model, tokenizer=tokenizer, device=device, dtype=dtype, what=what)
    if not lazily:
        made.prepare()
    return made


class TransformersEngine(TranslationEngine):
    """A model of transformers. Make one with `load_engine`.

    For probabilities the encoder sees each distinct source text of a batch once. Logits are computed for real target
    tokens alone, some hundred at a time, and summed up in float32.
    """

    @cached_property
    def _devices(self) -> list[tuple[torch.device, torch.dtype]]:
        """Where to compute, and in what precision."""
        dtype = cast("Dtype", self._dtype)
        devices = resolve_devices(self._device, what=self._what)
        return [(device, resolve_dtype(dtype, device, what=self._what)) for device in devices]

    def __getstate__(self) -> dict[str, Any]:
        # In the same precision wherever it is loaded again.
        return super().__getstate__() | {"_dtype": dtype_name(self._devices[0][1])}

    @property
    def kind(self) -> str:
        """See `TranslationEngine`."""
        return self._devices[0][0].type

    @property
    def signature(self) -> str:
        """Engine and precision."""
        return f"transformers-{dtype_name(self._devices[0][1])}"

    @property
    def identity(self) -> str:
        """Tells what decides the model's answers, its weights' content above all, from all others."""
        return "|".join([self.signature, *self._digests])

    @cached_property
    def models(self) -> Sequence[Any]:
        """One copy of the model a device, loaded on first use."""
        self._check_sources()
        return [load_seq2seq(self.name, device=one, dtype=dtype, what=self._what) for one, dtype in self._devices]

    def _threads(self) -> Executor | None:
        return batch_threads() if self.kind == "cpu" else None

    def generate(
        self, model: Any, sources: Sequence[Sequence[int]], start: Sequence[int], beams: int, limit: int
    ) -> list[Generated]:
        """See `TranslationEngine`."""
        import torch

        tokenizer = self.tokenizer
        width = -(-max(map(len, sources)) // _WIDTH) * _WIDTH
        width = min(width, self.longest or width)
        padded = [[*source, *[tokenizer.padding] * (width - len(source))] for source in sources]
        ids = torch.tensor(padded, device=model.device)
        with torch.inference_mode():
            made = model.generate(
                input_ids=ids,
                attention_mask=(ids != tokenizer.padding).long(),
                forced_bos_token_id=start[0] if start else None,
                forced_eos_token_id=None,  # Marian's models would end at the limit as if they had ended by themselves
                num_beams=beams,
                do_sample=False,
                max_new_tokens=len(start) + limit + 1,
                max_length=None,
            )
        # Behind what starts the decoder.
        return [self._generated(row[1 + len(start) :]) for row in made.tolist()]

    def mean_log_probabilities(self, model: Any, pairs: Sequence[TokenPair], given: int) -> list[float]:
        """See `TranslationEngine`."""
        import torch

        sources = list(dict.fromkeys(tuple(source) for source, _ in pairs))
        row_of_source = {source: row for row, source in enumerate(sources)}
        rows = torch.tensor([row_of_source[tuple(source)] for source, _ in pairs], device=model.device)
        ids = self._padded(sources, model.device)
        mask = (ids != self.tokenizer.padding).long()
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
            hidden, targets = hidden[:, given:], targets[:, given:]
            real = targets != self.tokenizer.padding
            bias = getattr(model, "final_logits_bias", None)  # mBART's
            values = _log_probabilities_of(targets[real], hidden[real], model.get_output_embeddings(), bias)
            sums = torch.zeros(real.shape, dtype=torch.float64, device="cpu")
            sums[real.cpu()] = values.cpu().double()
            means: list[float] = (sums.sum(dim=1) / real.sum(dim=1).cpu()).tolist()
        return means

    def _padded(self, rows: Sequence[Sequence[int]], device: torch.device) -> torch.Tensor:
        import torch

        ids = np.full((len(rows), max(map(len, rows))), self.tokenizer.padding, np.int64)
        for row, values in enumerate(rows):
            ids[row, : len(values)] = values
        return torch.from_numpy(ids).to(device)


def _log_probabilities_of(
    targets: torch.Tensor, hidden: torch.Tensor, head: Any, bias: torch.Tensor | None
) -> torch.Tensor:
    """Log-probabilities of target tokens.

    Args:
        targets: their numbers, (tokens).
        hidden: what the decoder says before each, (tokens × dimensions).
        head: from that to logits.
        bias: added to them, (1 × vocabulary).

    Returns:
        float32, (tokens).
    """
    import torch

    parts = []
    step = max(1, _LOGITS // head.out_features)
    for first in range(0, len(targets), step):
        logits = head(hidden[first : first + step])
        logits = (logits if bias is None else logits + bias).float()
        chosen = logits.gather(1, targets[first : first + step, None]).squeeze(1)
        parts.append(chosen - logits.logsumexp(dim=1))
    return torch.cat(parts)


class CTranslate2Engine(TranslationEngine):
    """A model in CTranslate2's format. Make one with `load_engine`."""

    def prepare(self) -> None:
        """See `TranslationEngine`."""
        super().prepare()
        if not self.tokenizer.shares_vocabulary:
            raise Error(f"'{self.name}' has a vocabulary a language, which CTranslate2's converter does not take")

    @cached_property
    def _devices(self) -> list[str]:
        device = self._device
        library = require("ctranslate2", extra="translate", what=f"{self._what} with CTranslate2")
        if device == "auto":
            device = [f"cuda:{index}" for index in range(library.get_cuda_device_count())] or ["cpu"]
        devices = [device] if isinstance(device, str) else list(device)
        if not devices:
            raise OptionError("device=[]: expected 'auto' or the name of at least one device")
        return devices

    @property
    def kind(self) -> str:
        """See `TranslationEngine`."""
        return self._devices[0].partition(":")[0]

    @property
    def _model_type(self) -> str | None:
        return None if is_converted(self.name) else super()._model_type

    @cached_property
    def longest(self) -> int | None:
        """See `TranslationEngine`; a folder in CTranslate2's format does not say how many positions there are."""
        return None if is_converted(self.name) else longest_text(self.name, what=self._what)

    @property
    def signature(self) -> str:
        """Engine and precision."""
        return f"ctranslate2-{self.models[0].compute_type}"

    @property
    def identity(self) -> str:
        """Tells what decides the model's answers, its weights' content above all, from all others."""
        # Known without the weights: the precision that is asked for, and what decides what becomes of it.
        return "|".join([f"ctranslate2-{self._dtype}-{self.kind}", *self._digests])

    @cached_property
    def _folder(self) -> Path:
        return Path(self.name) if is_converted(self.name) else convert_model(self.name, self._dtype)

    @cached_property
    def models(self) -> Sequence[Any]:
        """The model once for each batch that is computed at the same time: one a GPU, several on a processor."""
        self._check_sources()
        library = require("ctranslate2", extra="translate", what=self._what)
        compute = "default" if self._dtype == "auto" else self._dtype
        models = []
        for name in self._devices:
            kind, _, index = name.partition(":")
            workers, threads = share_of_cores(len(self._devices)) if kind == "cpu" else (1, 0)
            place = {"device": kind, "device_index": int(index or 0)}
            share = {"inter_threads": workers, "intra_threads": threads}
            try:
                loaded = load_apart(
                    partial(library.Translator, str(self._folder), compute_type=compute, **place, **share)
                )
            except (RuntimeError, ValueError) as error:
                raise Error(
                    f"cannot load the translation model '{self.name}' on {name!r}: {first_line(error)}"
                ) from error
            models += [loaded] * workers
        return models

    def generate(
        self, model: Any, sources: Sequence[Sequence[int]], start: Sequence[int], beams: int, limit: int
    ) -> list[Generated]:
        """See `TranslationEngine`."""
        tokenizer = self.tokenizer
        with _clear_errors():
            results = model.translate_batch(
                [tokenizer.tokens(source) for source in sources],
                target_prefix=[tokenizer.tokens(start)] * len(sources) if start else None,
                beam_size=beams,
                max_decoding_length=len(start) + limit + 1,
                max_input_length=0,
                return_end_token=True,
            )
        return [self._generated(tokenizer.ids(result.hypotheses[0][len(start) :])) for result in results]

    def mean_log_probabilities(self, model: Any, pairs: Sequence[TokenPair], given: int) -> list[float]:
        """See `TranslationEngine`."""
        tokens = self.tokenizer.tokens
        with _clear_errors():
            results = model.score_batch(
                [tokens(source) for source, _ in pairs],
                [tokens(target[:-1]) for _, target in pairs],  # it adds the end token itself
                max_input_length=0,
            )
        return [float(np.mean(result.log_probs[given:], dtype=np.float64)) for result in results]


@contextmanager
def _clear_errors() -> Iterator[None]:
    """CTranslate2 reports by text alone that memory did not suffice, or that a text is too long."""
    try:
        yield
    except RuntimeError as error:
        if "out of memory" in str(error):
            raise MemoryError from error
        if "No position encodings" in str(error):
            raise Error(f"a text is longer than the translation model takes: {first_line(error)}") from error
        raise
