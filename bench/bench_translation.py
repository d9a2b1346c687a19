"""Translation: engines, precisions and batches, on a model of 44 M parameters with random weights.

A random model never ends a sentence, so that each translation has the length that is allowed: the same work for all.
"""

from __future__ import annotations

import random
import sys
import time
from functools import partial
from operator import eq
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from xner.models.translators import Translator
from xner.models.translators.translator import Decoding

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))
import tiny_models  # what tests make models with

LANGUAGES = "eng_Latn", "deu_Latn"
DECODING = Decoding(beams=4, length_ratio=1.0, length_extra=0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 + 6 layers of 512 dimensions; the vocabulary is that of the tests, so nearly all is in the layers."""
    sizes: dict[str, Any] = {"d_model": 512, "encoder_layers": 6, "decoder_layers": 6, "encoder_attention_heads": 8}
    sizes |= {"decoder_attention_heads": 8, "encoder_ffn_dim": 2048, "decoder_ffn_dim": 2048}
    return tiny_models.save_nllb(tmp_path_factory.mktemp("nllb"), max_position_embeddings=512, **sizes)


def texts(count: int) -> list[str]:
    """Of 1 to 12 words; the tests' tokenizer makes a token of each letter."""
    draw = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        " ".join("".join(draw.choices(letters, k=draw.randint(1, 6))) for _ in range(draw.randint(1, 12)))
        for _ in range(count)
    ]


def seconds(run: Any) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def test_engines(benchmark: BenchmarkFixture, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same texts in the same batches by transformers, and by CTranslate2 in float32 and int8.

    Transformers runs as it does by default, several batches at once, and with all threads on one batch.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # for the converted models
    some = texts(64)
    load = partial(Translator.load, str(model), decoding=DECODING)
    engines = {
        "transformers": load(device="cpu"),
        "transformers, a batch at a time": load(device="cpu"),
        "CTranslate2 float32": load(engine="ctranslate2", dtype="float32", device="cpu"),
        "CTranslate2 int8": load(engine="ctranslate2", dtype="int8", device="cpu"),
    }
    monkeypatch.setattr(engines["transformers, a batch at a time"]._engine, "_threads", lambda: None)
    plain = engines["transformers"].translate(some, *LANGUAGES)
    same = sum(map(eq, plain, engines["CTranslate2 float32"].translate(some, *LANGUAGES)))
    assert same >= 0.9 * len(some), "beams of random weights come close to each other, but not often"
    engines["CTranslate2 int8"].translate(some[:8], *LANGUAGES)
    best = dict.fromkeys(engines, float("inf"))
    for _ in range(3):  # in turns: what else the machine does hits all alike
        for name, translator in engines.items():
            best[name] = min(best[name], seconds(partial(translator.translate, some, *LANGUAGES)))
    benchmark.pedantic(engines["CTranslate2 int8"].translate, (some, *LANGUAGES), rounds=1)
    benchmark.extra_info["transformers, sentences a second"] = round(len(some) / best["transformers"], 1)
    for name, taken in best.items():
        benchmark.extra_info[f"{name}, times as fast as transformers"] = round(best["transformers"] / taken, 2)


def test_batches(benchmark: BenchmarkFixture, model: Path) -> None:
    """Batches by length under a budget of tokens, beside batches of sixteen in the order of the input."""
    some = texts(96)
    translator = Translator.load(str(model), decoding=Decoding(beams=1, length_ratio=1.0, length_extra=0), device="cpu")
    benchmark.pedantic(lambda: translator.translate(some, *LANGUAGES), rounds=2)
    engine, tokenizer = translator._engine, translator._tokenizer

    def in_order() -> None:
        for first in range(0, len(some), 16):
            sources = tokenizer.encode(some[first : first + 16], *LANGUAGES)
            limit = translator.decoding.limit(max(map(len, sources)))
            engine.generate(engine.models[0], sources, tokenizer.start(LANGUAGES[1]), 1, limit)

    assert benchmark.stats is not None
    theirs = min(seconds(in_order) for _ in range(2))
    benchmark.extra_info["times as fast as in order"] = round(theirs / benchmark.stats["min"], 2)
