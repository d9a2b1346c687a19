"""The encoder aligner beside the simalign package: same random weights of BERT-base size, same sentences, same links.

Real weights would not be faster or slower. `pytest bench/bench_encoder_aligner.py -o 'python_files=bench_*.py'`
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

import xner
from xner._support.arrow import pylist

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))
import tiny_models  # what tests make models with

PAIRS = 256


@pytest.fixture(scope="module")
def sentences(test_data: Path) -> tuple[list[list[str]], list[list[str]]]:
    """The first Europarl pairs that have words on both sides."""
    folder = test_data / "europarl-ner"
    sides = [
        xner.io.read_conll(folder / f"{language}-europarl.test.conll02")["tokens"].to_pylist()
        for language in ("en", "de")
    ]
    pairs = [pair for pair in zip(*sides, strict=True) if all(pair)][:PAIRS]
    return [source for source, _ in pairs], [target for _, target in pairs]


@pytest.fixture(scope="module")
def model(sentences: tuple[list[list[str]], list[list[str]]], tmp_path_factory: pytest.TempPathFactory) -> str:
    """BERT-base with random weights; its WordPiece vocabulary is learned from the sentences themselves."""
    folder = tmp_path_factory.mktemp("bert-base")
    tokenizer = tiny_models.learned_bert_tokenizer(words for side in sentences for words in side)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    transformers.BertModel(transformers.BertConfig(vocab_size=len(tokenizer))).save_pretrained(folder)
    return str(folder)


def as_pairs(row: list[dict[str, Any]]) -> set[tuple[int, int]]:
    return {(link["source"], link["target"]) for link in row}


def test_beside_simalign(
    benchmark: BenchmarkFixture, sentences: tuple[list[list[str]], list[list[str]]], model: str
) -> None:
    """Sentence pairs a second; and how many links differ between the two, which comes from rounding near ties."""
    simalign = pytest.importorskip("simalign", reason="pip install -c constraints.txt simalign")
    peer = simalign.SentenceAligner(model=model, token_type="bpe", matching_methods="i", layer=8, device="cpu")
    aligner = xner.EncoderAligner.load("simalign-mbert", model, device="cpu")

    aligner.align(*(side[:8] for side in sentences))
    peer.get_word_aligns(sentences[0][0], sentences[1][0])
    start = time.perf_counter()
    theirs = [set(peer.get_word_aligns(*pair)["itermax"]) for pair in zip(*sentences, strict=True)]
    their_seconds = time.perf_counter() - start

    ours = [as_pairs(row) for row in pylist(aligner.align(*sentences))]
    differing = sum(len(a ^ b) for a, b in zip(ours, theirs, strict=True))
    total = sum(map(len, theirs))
    assert differing <= 0.01 * total

    benchmark.pedantic(aligner.align, sentences, rounds=3)
    seconds = benchmark.stats.stats.median  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info.update(
        pairs_per_second=round(PAIRS / seconds, 1),
        simalign_pairs_per_second=round(PAIRS / their_seconds, 1),
        ratio=round(their_seconds / seconds, 2),
        links=total,
        differing_links=differing,
    )
