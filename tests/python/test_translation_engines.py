"""Engines of translation models: batches on all devices, in halves where memory is short."""

from __future__ import annotations

import extras

extras.need("models", "translate")

import itertools
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import torch

from test_translation import sentences
from xner.models.scorers.translation_scores import load_translation_scorer
from xner.models.translators import Translator
from xner.models.translators.engines import load_engine
from xner.models.translators.translator import Decoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from xner.models.translators.engines import TranslationEngine

LANGUAGES = ("eng_Latn", "deu_Latn")
BATCHES = [[0, 1, 2, 3, 4], [5], [6, 7, 8], [9, 10, 11, 12, 13, 14, 15]]


@pytest.fixture
def engine(outspoken_nllb: Path) -> TranslationEngine:
    """On two devices, with names in place of models."""
    made = load_engine(
        str(outspoken_nllb), engine="auto", tokenizer=None, device=["cpu", "cpu"], dtype="auto", what="a test"
    )
    made.__dict__["models"] = ["first", "second"]  # in place of the cached property
    return made


def test_every_device_works_on_one_batch_at_a_time(engine: TranslationEngine) -> None:
    """Both are at work at once, each on its own, and results come in order."""
    both = threading.Barrier(2, timeout=60)
    busy: list[str] = []
    seen: list[str] = []

    def compute(model: str, items: Sequence[int]) -> list[int]:
        assert model not in busy
        busy.append(model)
        if items[0] in {0, 5}:
            both.wait()  # the first two batches wait for each other
        seen.append(model)
        busy.remove(model)
        return [item * 10 for item in items]

    found = list(engine.run(BATCHES, compute))
    assert found == [(batch, [item * 10 for item in batch]) for batch in BATCHES]
    assert set(seen) == {"first", "second"}


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError()])
def test_what_does_not_fit_is_done_in_halves(engine: TranslationEngine, error: BaseException) -> None:
    sizes: list[int] = []

    def compute(_: str, items: Sequence[int]) -> list[int]:
        if len(items) > 2:
            raise error
        sizes.append(len(items))
        return [item * 10 for item in items]

    assert list(engine.run(BATCHES, compute)) == [(batch, [item * 10 for item in batch]) for batch in BATCHES]
    assert max(sizes) == 2

    def fail(_: str, items: Sequence[int]) -> list[int]:
        raise error

    with pytest.raises(type(error)):
        list(engine.run(BATCHES, fail))


def test_nothing_to_do_reads_no_weights(engine: TranslationEngine) -> None:
    engine.__dict__["models"] = None
    assert list(engine.run([], lambda _, items: items)) == []


def test_a_failure_is_told(engine: TranslationEngine) -> None:
    def compute(_: str, items: Sequence[int]) -> list[int]:
        if 7 in items:
            raise ValueError("seven")
        return list(items)

    with pytest.raises(ValueError, match="seven"):
        list(engine.run(BATCHES, compute))


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
class TestOneCopyOnAProcessor:
    @pytest.fixture
    def engine(self, outspoken_nllb: Path) -> TranslationEngine:
        made = load_engine(
            str(outspoken_nllb), engine="auto", tokenizer=None, device="cpu", dtype="auto", what="a test"
        )
        made.__dict__["models"] = ["only"]  # in place of the cached property
        return made

    def test_two_batches_are_computed_at_once(self, engine: TranslationEngine) -> None:
        both = threading.Barrier(2, timeout=60)
        threads: list[int] = []

        def compute(model: str, items: Sequence[int]) -> list[int]:
            assert model == "only"
            threads.append(torch.get_num_threads())
            both.wait()
            return [item * 10 for item in items]

        assert list(engine.run(BATCHES, compute)) == [(batch, [item * 10 for item in batch]) for batch in BATCHES]
        assert threads == [1] * len(BATCHES)

    def test_a_single_batch_has_all_threads(self, engine: TranslationEngine) -> None:
        assert list(engine.run([[1]], lambda _, items: [torch.get_num_threads() for _ in items])) == [([1], [2])]

    def test_a_failure_ends_it(self, engine: TranslationEngine) -> None:
        begun: list[int] = []

        def compute(_: str, items: Sequence[int]) -> list[int]:
            begun.append(items[0])
            if items == [2]:
                raise ValueError("two")
            time.sleep(0.01)
            return list(items)

        with pytest.raises(ValueError, match="two"):
            list(engine.run([[number] for number in range(100)], compute))
        assert len(begun) < 50

    def test_an_interrupt_ends_it(self, engine: TranslationEngine) -> None:
        begun: list[int] = []
        over = threading.Event()
        main = threading.get_ident()

        def compute(_: str, items: Sequence[int]) -> list[int]:
            begun.append(items[0])
            if items == [1]:
                time.sleep(0.3)  # what comes right before a thread begins to wait does not wake it
                signal.pthread_kill(main, signal.SIGINT)  # once: a second one would end the tests
            over.wait(10)
            return list(items)

        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # other libraries change it
        try:
            with pytest.raises(KeyboardInterrupt):
                list(engine.run([[number] for number in range(100)], compute))
        finally:
            over.set()
            signal.signal(signal.SIGINT, before)
        assert set(begun) <= {0, 1}, "which were begun before"

    def test_all_is_as_with_one_thread(self, outspoken_nllb: Path) -> None:
        texts = sentences(12)
        decoding = Decoding(beams=2, length_ratio=0.5, length_extra=1)
        translator = Translator.load(str(outspoken_nllb), decoding=decoding, token_budget=64, device="cpu")
        scorer = load_translation_scorer(str(outspoken_nllb), engine="transformers", device="cpu", token_budget=64)
        pairs = list(itertools.pairwise(texts))

        def everything() -> tuple[list[Any], list[list[float]]]:
            scores = [found.tolist() for _, found in scorer.log_probabilities(pairs, *LANGUAGES)]
            return translator.translate(texts, *LANGUAGES), scores

        at_once = everything()
        torch.set_num_threads(1)
        assert everything() == at_once
        assert len(at_once[1]) > 2


class _Small:
    """A model of CTranslate2 on a device with memory for so many texts at once."""

    def __init__(self, model: Any, most: int, message: str) -> None:
        self._model = model
        self._most = most
        self._message = message
        self.compute_type = model.compute_type

    def translate_batch(self, sources: Sequence[Any], **options: Any) -> Any:
        if len(sources) > self._most:
            raise RuntimeError(self._message)
        return self._model.translate_batch(sources, **options)


def test_ctranslate2_tells_of_memory_in_words(converted_nllb: Path) -> None:
    texts = sentences(20)

    def translator(message: str | None = None) -> Translator:
        made = Translator.load(str(converted_nllb), decoding=Decoding(beams=1), device=["cpu", "cpu"])
        if message is not None:
            made._engine.__dict__["models"] = [_Small(model, 3, message) for model in made._engine.models]
        return made

    expected = translator().translate(texts, *LANGUAGES)
    assert translator("CUDA failed with error out of memory").translate(texts, *LANGUAGES) == expected
    with pytest.raises(RuntimeError, match="something else"):
        translator("something else").translate(texts, *LANGUAGES)


def test_a_model_a_device(outspoken_nllb: Path, converted_nllb: Path) -> None:
    def models(folder: Path, device: Any) -> list[Any]:
        made = Translator.load(str(folder), device=device)._engine
        assert made.kind == "cpu"
        return list(made.models)

    first, second = models(outspoken_nllb, ["cpu", "cpu"])
    assert first.get_output_embeddings().weight.data_ptr() != second.get_output_embeddings().weight.data_ptr()
    assert len({id(model) for model in models(converted_nllb, ["cpu", "cpu"])}) == 2


@pytest.mark.parametrize(("cores", "workers", "threads"), [(1, 1, 1), (2, 2, 1), (4, 4, 1), (16, 4, 4), (10, 4, 2)])
def test_a_processor_works_on_several_batches_at_once(
    cores: int, workers: int, threads: int, converted_nllb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With CTranslate2, on one copy of the weights."""
    import ctranslate2

    made: list[dict[str, Any]] = []

    def load(folder: str, **options: Any) -> Any:
        made.append(options)
        return object()

    monkeypatch.setattr(ctranslate2, "Translator", load)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
    models = Translator.load(str(converted_nllb), device="cpu")._engine.models
    assert len(models) == workers
    assert len({id(model) for model in models}) == 1
    assert [(one["inter_threads"], one["intra_threads"]) for one in made] == [(workers, threads)]


@pytest.mark.usefixtures("two_threads")
def test_torch_has_as_many_threads_as_before(converted_nllb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    Translator.load(str(converted_nllb), device="cpu").translate(sentences(1), *LANGUAGES)
    assert torch.get_num_threads() == 2
