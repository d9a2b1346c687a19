"""How probable a translation model finds one text as the translation of another.

    model = load_translation_scorer("facebook/nllb-200-distilled-600M")
    for rows, values in model.log_probabilities([("Madrid", "Madrid")], "eng_Latn", "deu_Latn"):
        ...

Two engines compute the same: transformers, and CTranslate2 with models in its own format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from xner._support.arguments import whole_number
from xner.errors import Error
from xner.models.network.batching import batches_by_length
from xner.models.translators.engines import Engine, EngineDtype, load_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from xner.models.translators.engines import TokenPair, TranslationEngine
    from xner.models.translators.seq2seq import Seq2SeqTokenizer

__all__ = ["ModelScorer", "TranslationScorer", "load_translation_scorer"]

_WHAT = "scoring translations"
_TOKEN_BUDGETS = {"cuda": 16_384, "mps": 4_096, "cpu": 2_048}

# As many as translation models are mostly run with.
_BEAMS = 5

T = TypeVar("T")
R = TypeVar("R")
Floats = npt.NDArray[np.float64]


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
    dtype: EngineDtype = "auto",
    token_budget: int | None = None,
) -> TranslationScorer:
    """Prepare a multilingual translation model to score with. Its weights are read on first use.

    Args:
        model: name on the Hugging Face hub, or folder, of a model that translates between all its languages and marks
            both sides: NLLB-200, M2M-100 or mBART-50, whose weights are read from safetensors files only; or the folder
            of such a model in CTranslate2's format.
        engine: `ctranslate2` (which converts the model on first use), `transformers`, or `auto`: the former for a
            folder in its format.
        tokenizer: name or folder of another tokenizer than the model's: CTranslate2 folders may come without one.
        device: `auto` (all CUDA devices, else Apple's MPS, else the processor), a name (`cuda:1`), or several.
        dtype: precision: `auto` is bfloat16 or float16 on CUDA devices, float32 elsewhere; for CTranslate2, which takes
            `int8` too, what the model was converted to.
        token_budget: most tokens on either side of a batch, padding included; None goes by the device. A batch that
            does not fit the device's memory is done in halves.

    Raises:
        Error: the extra `models` or `translate` is not installed, an option has no meaning, or the model cannot be
            used to score with.
    """
    if token_budget is not None:
        whole_number("token_budget", token_budget, 1)
    made = load_engine(model, engine=engine, tokenizer=tokenizer, device=device, dtype=dtype, what=_WHAT)
    family = made.tokenizer.family
    if family.place != "sides":
        raise Error(
            f"'{model}' cannot score: models of the family {family.title} are not told what language a source text is "
            "in; NLLB-200, M2M-100 and mBART-50 are"
        )
    return ModelScorer(made, token_budget)


class ModelScorer:
    """Scores with an engine's model. Make one with `load_translation_scorer`.

    Of texts that are longer than the model takes it sees the beginning alone.

    Attributes:
        name: of the model, or its folder.
    """

    def __init__(self, engine: TranslationEngine, token_budget: int | None) -> None:
        """Use `load_translation_scorer`."""
        self.name = engine.name
        self._engine = engine
        self._token_budget = token_budget

    def __repr__(self) -> str:
        return f"<ModelScorer: {self.name}, {self.signature}>"

    @property
    def _tokenizer(self) -> Seq2SeqTokenizer:
        return self._engine.tokenizer

    @property
    def signature(self) -> str:
        """Engine and precision."""
        return self._engine.signature

    @property
    def identity(self) -> str:
        """Tells what decides the model's answers, its weights' content above all, from all others."""
        return f"{self._engine.identity}|beams:{_BEAMS}"

    def language_code(self, language: str) -> str:
        """See `TranslationScorer`."""
        return self._tokenizer.target_code(language)

    def log_probabilities(
        self, pairs: Sequence[tuple[str, str]], source_language: str, target_language: str
    ) -> Iterator[tuple[Sequence[int], Floats]]:
        """See `TranslationScorer`. Batches hold pairs of similar length, the longest ones come first."""
        tokenizer = self._tokenizer
        sources = _encoded(
            {source for source, _ in pairs}, lambda texts: tokenizer.encode(texts, source_language, target_language)
        )
        targets = _encoded(
            {target for _, target in pairs}, lambda texts: tokenizer.encode_targets(texts, target_language)
        )
        tokens: list[TokenPair] = [(self._cut(sources[source]), self._cut(targets[target])) for source, target in pairs]
        lengths = [max(map(len, pair)) for pair in tokens]
        given = len(tokenizer.start(target_language))

        def means(model: Any, some: Sequence[TokenPair]) -> list[float]:
            return self._engine.mean_log_probabilities(model, some, given)

        for batch, values in self._in_batches(tokens, lengths, means):
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
        sources = list(map(self._cut, self._tokenizer.encode(texts, source_language, target_language)))
        start = self._tokenizer.start(target_language)
        # Every beam is a row of the decoder's batch.
        lengths = [_BEAMS * len(source) for source in sources]

        def translate(model: Any, some: Sequence[list[int]]) -> list[str]:
            limit = self._engine.within(_longest_translation(some), start)
            made = self._engine.generate(model, some, start, _BEAMS, limit)
            return [self._tokenizer.decode(one.ids) for one in made]

        yield from self._in_batches(sources, lengths, translate)

    def _cut(self, ids: list[int]) -> list[int]:
        """A text in tokens, its beginning alone where it is longer than the model takes."""
        longest = self._engine.longest
        return ids if longest is None or len(ids) <= longest else [*ids[: longest - 1], self._tokenizer.end]

    def _in_batches(
        self, items: Sequence[T], lengths: Sequence[int], compute: Callable[[Any, Sequence[T]], Iterable[R]]
    ) -> Iterator[tuple[Sequence[int], list[R]]]:
        """Compute something for all items.

        Args:
            items: what is computed with.
            lengths: of the items, in tokens.
            compute: from a model and a batch of items to as many results.

        Yields:
            Indices of items, and as many results.
        """
        budget = self._token_budget or _TOKEN_BUDGETS.get(self._engine.kind, _TOKEN_BUDGETS["cpu"])
        batches = batches_by_length(lengths, budget)
        return self._engine.run(batches, lambda model, some: compute(model, [items[index] for index in some]))


def _encoded(texts: set[str], encode: Callable[[Sequence[str]], list[list[int]]]) -> dict[str, list[int]]:
    ordered = sorted(texts)
    return dict(zip(ordered, encode(ordered), strict=True))


def _longest_translation(sources: Sequence[Sequence[int]]) -> int:
    """When to stop a translation that finds no end, in tokens."""
    return 2 * max(map(len, sources)) + 16
