"""Speed of the built-in aligner: `pytest bench/bench_alignment.py`. Every bench checks its result first."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

import xner._core as _core
from reference.alignment import Reference
from xner.alignment import FOLDS, Aligner, AlignerOptions, _model_file
from xner.alignment._folding import Numbering
from xner.alignment._lexicon_counts import LexiconCounts
from xner.alignment._model_file import Fitted, TrainedOn, core_options

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

Corpus = tuple[list[list[str]], list[list[str]]]


def europarl(language: str) -> list[list[str]]:
    folder = Path(os.environ.get("XNER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    path = folder / "europarl-ner" / f"{language}-europarl.test.conll02"
    if not path.is_file():
        pytest.skip(f"{path} is missing: set XNER_TEST_DATA")
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    sentences = [[line.split("\t")[0] for line in block.splitlines() if line.strip()] for block in blocks]
    return [sentence for sentence in sentences if sentence]


def synthetic(rows: int) -> Corpus:
    """Sentences of 5 to 30 words with frequencies as in a language, translated word by word, lightly shuffled."""
    rng = random.Random(0)
    vocabulary = 20_000
    words = [
        ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(vocabulary)]
        for _ in "st"
    ]
    weights = [1 / rank for rank in range(1, vocabulary + 1)]
    lengths = [rng.randint(5, 30) for _ in range(rows)]
    drawn = rng.choices(range(vocabulary), weights, k=sum(lengths))
    source, target, start = [], [], 0
    for length in lengths:
        ids = drawn[start : start + length]
        start += length
        source.append([words[0][i] for i in ids])
        for k in range(length - 1):
            if rng.random() < 0.2:
                ids[k], ids[k + 1] = ids[k + 1], ids[k]
        target.append([words[1][i] for i in ids])
    return source, target


def fit_and_align(source: list[list[str]], target: list[list[str]], threads: int) -> int:
    links = Aligner.fit(source, target, threads=threads).align(source, target, threads=threads)
    return len(links.flatten())


def test_europarl_on_one_core(benchmark: BenchmarkFixture) -> None:
    source, target = europarl("en"), europarl("de")
    assert len(source) == len(target) == 799
    assert fit_and_align(source, target, 1) == fit_and_align(source, target, 2) > 10_000
    benchmark.extra_info["rows"] = len(source)
    benchmark.pedantic(fit_and_align, (source, target, 1), rounds=5)
    assert benchmark.stats is not None
    assert benchmark.stats["min"] < 1.0


@pytest.mark.parametrize("slow", [False, True], ids=["kernel", "python reference"])
def test_beside_the_reference(benchmark: BenchmarkFixture, slow: bool) -> None:
    source, target = europarl("en")[:20], europarl("de")[:20]
    options = AlignerOptions()
    numbers = {
        n: getattr(options, n) for n in options.__dataclass_fields__ if isinstance(getattr(options, n), (int, float))
    }

    def reference() -> int:
        model = Reference(source, target, FOLDS["auto"], numbers)
        model.fit()
        return sum(len(model.scores(*pair)) for pair in zip(source, target, strict=True))

    if slow:
        benchmark.pedantic(reference, rounds=1)
    else:
        benchmark(fit_and_align, source, target, 1)


def test_20k_pairs_on_two_cores(benchmark: BenchmarkFixture) -> None:
    source, target = synthetic(20_000)
    benchmark.extra_info["rows"] = len(source)
    links = benchmark.pedantic(fit_and_align, (source, target, 2), rounds=2)
    assert links > 0.8 * sum(map(len, source))
    assert benchmark.stats is not None
    assert benchmark.stats["min"] < 10.0


def test_time_is_linear_in_the_corpus() -> None:
    source, target = synthetic(10_000)
    seconds = {}
    for rows in (2_500, 10_000):
        before = time.process_time()
        fit_and_align(source[:rows], target[:rows], 1)
        seconds[rows] = time.process_time() - before
    assert seconds[10_000] < 1.6 * 4 * seconds[2_500]


def made_up_model(path: Path, types: int, entries: int) -> None:
    """A model of made-up words w0, w1, ... that met as words do: few of them most others."""
    seed = Aligner.fit([["a"]], [["b"]])
    shares = np.arange(1, types + 1) ** -0.8
    sizes = np.clip((shares / shares.sum() * entries).astype(np.int64), 1, types // 2)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    targets = np.concatenate([np.arange(size) * (types // size) for size in sizes]).astype(np.int32)
    arrays = seed._fitted.model.arrays()
    texts = _core.TextIndex.of([f"w{number}" for number in range(types)])
    for level in range(len(seed._fitted.texts)):
        counts = np.full(len(targets), 0.5, np.float32)
        arrays |= {f"levels.{level}.offsets": offsets, f"levels.{level}.targets": targets}
        arrays |= {f"levels.{level}.counts": counts}
        for side in ("source", "target"):
            arrays |= {
                f"levels.{level}.{side}_{name}": np.full(types, 30, np.float32) for name in ("frequency", "totals")
            }
    arrays |= {name: np.ones(types, np.float32) for name in ("source_null", "target_null")}
    levels = len(seed._fitted.texts)
    model = _core.AlignerModel(core_options(seed.options), levels, 10**6, arrays, is_input=False)
    size = TrainedOn(10**6, 25 * 10**6, 25 * 10**6, "made up")
    Aligner(Fitted(model, seed.options, size, [(texts, texts)] * levels)).save(path)


@pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "read"])
def test_load_and_align_ten_pairs(
    benchmark: BenchmarkFixture, mapped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As large as a model of a million pairs: 400 000 words and 29 million pairs of them on each of three levels."""
    path = tmp_path / "model.safetensors"
    made_up_model(path, 400_000, 30_000_000)
    sentences = pa.array([[f"w{(7 * i * j + i) % 5000}" for j in range(25)] for i in range(10)])
    links = Aligner.load(path).align(sentences, sentences)
    monkeypatch.setattr(_model_file, "_MAPPED_FROM", 0 if mapped else 10**12)
    assert Aligner.load(path).align(sentences, sentences).equals(links)
    benchmark.extra_info["megabytes"] = path.stat().st_size // 10**6
    benchmark.pedantic(lambda: Aligner.load(path).align(sentences, sentences), rounds=5)


def test_lexicon_of_a_corpus_in_blocks(benchmark: BenchmarkFixture) -> None:
    """Entries without blanks are cut into words of sentences, which come in three blocks."""
    random_ = random.Random(1)
    letters = [chr(0x4E00 + place) for place in range(2000)]

    def chinese(sizes: list[int]) -> str:
        return "".join(random_.choice(letters) for _ in range(random_.choice(sizes)))

    def english() -> str:
        return f"en{random_.randrange(200_000)}"

    entries = [
        (
            chinese([1, 2, 2, 3, 4]) if random_.random() < 0.8 else f"ab{random_.randrange(10**6)}",
            " ".join(english() for _ in range(random_.choice([1, 1, 2, 3]))),
            1.0,
        )
        for _ in range(300_000)
    ]
    numberings = Numbering("auto", romanized=True), Numbering("auto", romanized=True)
    seconds = []

    def count() -> None:
        start = time.process_time()
        counts = LexiconCounts(entries, numberings)
        spent = time.process_time() - start
        for _ in range(3):
            side = numberings[0].number([[chinese([1, 2, 2]) for _ in range(20)] for _ in range(3000)], "tokens")
            numberings[1].number([[english() for _ in range(20)] for _ in range(3000)], "tokens")
            start = time.process_time()
            counts.rows(side, 6.0)
            seconds.append(round(spent + time.process_time() - start, 2))
            spent = 0.0

    benchmark.pedantic(count, rounds=1)
    benchmark.extra_info["processor_seconds"] = seconds
