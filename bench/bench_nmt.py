"""NMT scores batched and without repetition beside one pair at a time: same random weights, same pairs, same scores.

Real weights would not be faster or slower. `pytest bench/bench_nmt.py -s -o 'python_files=bench_*.py'`
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import xner
from xner._support.arrow import pylist
from xner.models.scorers import NmtScorer, NmtStage, load_translation_scorer
from xner.projection import ProjectionOptions
from xner.text import detokenize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    from pytest_benchmark.fixture import BenchmarkFixture

MODEL_ROWS = 16  # sentence pairs that go through the model
ONE_BY_ONE = 60  # pairs of texts that go through it one at a time
LANGUAGES = ("eng_Latn", "deu_Latn")


@pytest.fixture(scope="module")
def corpus(test_data: Path) -> pa.RecordBatch:
    """Europarl pairs with entities, of at most 25 German words, linked by the built-in aligner."""
    folder = test_data / "europarl-ner"
    english, german = (xner.io.read_conll(folder / f"{name}-europarl.test.conll02") for name in ("en", "de"))
    table = pa.table(
        {
            "tokens": german["tokens"],
            "source_tokens": english["tokens"],
            "source_entities": xner.labels.decode_batch(english["labels"].combine_chunks()),
            "links": xner.Aligner.fit(english["tokens"], german["tokens"]).align(english["tokens"], german["tokens"]),
        }
    )
    lengths = zip(pylist(table["tokens"]), pylist(table["source_entities"]), strict=True)
    kept = [row for row, (words, entities) in enumerate(lengths) if entities and len(words) <= 25]
    [batch] = table.take(kept).combine_chunks().to_batches()
    return batch


@pytest.fixture(scope="module")
def model(corpus: pa.RecordBatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An NLLB of 6 + 6 layers, 256 dimensions, 32 000 logits; its pieces are learned from the sentences themselves."""
    folder = tmp_path_factory.mktemp("nllb")
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    texts = (detokenize(words) for side in ("tokens", "source_tokens") for words in pylist(corpus.column(side)))
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=4000, special_tokens=special))
    learned: dict[str, Any] = json.loads(pieces.to_str())["model"]
    merges: Any = [tuple(merge) for merge in learned["merges"]]
    tokenizer = transformers.NllbTokenizer(
        vocab=learned["vocab"],
        merges=merges,
        src_lang=LANGUAGES[0],
        additional_special_tokens=list(LANGUAGES),
    )
    tokenizer.save_pretrained(folder)
    config = transformers.M2M100Config(
        vocab_size=32_000,
        d_model=256,
        encoder_layers=6,
        decoder_layers=6,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=1024,
        decoder_ffn_dim=1024,
        init_std=0.1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    torch.manual_seed(0)
    transformers.M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def converted(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model in CTranslate2's format."""
    from ctranslate2.converters import TransformersConverter

    folder = tmp_path_factory.mktemp("converted")
    converter = TransformersConverter(str(model), copy_files=["tokenizer.json", "tokenizer_config.json"])
    converter.convert(str(folder), force=True)
    return folder


class Recorder:
    """Takes the place of a scorer and notes what it is asked for."""

    cap = 1.0
    signature = "recorder"

    def __init__(self, highest: float = 1.0) -> None:
        self.pairs: list[tuple[str, str]] = []
        self._highest = highest

    def score(self, pairs: Sequence[tuple[str, str]], *, progress: object) -> npt.NDArray[np.float64]:
        """Made-up scores, uniform from 0 to the highest."""
        self.pairs += pairs
        digests = (hashlib.sha256("\0".join(pair).encode()).digest() for pair in pairs)
        return np.array([self._highest * int.from_bytes(digest[:4], "little") / 2**32 for digest in digests])


def one_at_a_time(model: Path, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """What the definition says, four calls of the model a pair."""
    network = transformers.AutoModelForSeq2SeqLM.from_pretrained(model).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)

    def log_probability(given: str, text: str, languages: Sequence[str]) -> float:
        tokenizer.src_lang, tokenizer.tgt_lang = languages
        source = tokenizer(given, return_tensors="pt")
        labels = tokenizer(text_target=text, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            logits = network(**source, labels=labels).logits.log_softmax(-1)
        return float(logits[0, range(1, labels.shape[1]), labels[0, 1:]].mean())

    def normalised(given: str, text: str, languages: Sequence[str]) -> float:
        repeated = log_probability(text, text, [languages[1]] * 2)
        return math.exp(log_probability(given, text, languages) - repeated)

    return [
        (normalised(source, target, LANGUAGES) + normalised(target, source, LANGUAGES[::-1])) / 2
        for source, target in pairs
    ]


@pytest.mark.parametrize("engine", ["model", "converted"])
def test_beside_one_pair_at_a_time(
    benchmark: BenchmarkFixture, engine: str, model: Path, corpus: pa.RecordBatch, request: pytest.FixtureRequest
) -> None:
    """Pairs of an entity and an n-gram a second, all of them, nothing skipped, from an empty cache."""
    asked = Recorder()
    NmtStage(asked, ProjectionOptions(score="nmt"), prune=False)(corpus.slice(0, MODEL_ROWS))  # type: ignore[arg-type]  # a stand-in
    loaded = load_translation_scorer(str(request.getfixturevalue(engine)), device="cpu")

    def score() -> npt.NDArray[np.float64]:
        return NmtScorer(loaded, *LANGUAGES, threshold=0, cap=1e9).score(asked.pairs)

    some = asked.pairs[:: len(asked.pairs) // ONE_BY_ONE]
    one_at_a_time(model, some[:2])
    start = time.perf_counter()
    expected = one_at_a_time(model, some)
    seconds_one_by_one = time.perf_counter() - start

    scores: Any = benchmark.pedantic(score, rounds=1)
    np.testing.assert_allclose(scores[:: len(asked.pairs) // ONE_BY_ONE], expected, rtol=1e-3)
    speed = len(asked.pairs) / benchmark.stats.stats.median  # type: ignore[union-attr]  # set by the run
    before = len(some) / seconds_one_by_one
    benchmark.extra_info.update(pairs_per_second=round(speed), one_at_a_time=round(before), ratio=round(speed / before))
    print(f"\n{engine}: {len(asked.pairs)} pairs, {speed:.0f}/s; one at a time {before:.0f}/s; {speed / before:.1f}x")


@pytest.mark.parametrize("score", ["nmt", "align_nmt"])
@pytest.mark.parametrize("highest", [1.0, 0.6])
def test_pairs_skipped(score: str, highest: float, corpus: pa.RecordBatch) -> None:
    """How many pairs are skipped where scores are random, and so tell nothing; and that labels stay the same."""
    some = NmtStage(Recorder(highest), ProjectionOptions(score=score))  # type: ignore[arg-type]  # a stand-in
    every = NmtStage(Recorder(highest), ProjectionOptions(score=score), prune=False)  # type: ignore[arg-type]  # a stand-in
    start = time.perf_counter()
    batch = some(corpus)
    seconds = time.perf_counter() - start
    projector = xner.Projector(score=score)
    same = [
        one == other
        for one, other in zip(*(projector(b)["labels"].to_pylist() for b in (batch, every(corpus))), strict=True)
    ]
    assert np.mean(same) > 0.99, "but for ties"
    counts = some.counts
    milliseconds = 1e3 * seconds / corpus.num_rows
    print(
        f"\n{score}, scores up to {highest}: {corpus.num_rows} sentences, {counts.pairs} pairs, "
        f"{counts.skipped / counts.pairs:.1%} skipped, {milliseconds:.1f} ms a sentence beside scoring"
    )
