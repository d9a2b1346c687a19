"""The tagger beside transformers' own token-classification pipeline: same random weights, same sentences, same labels.

Real weights would not be faster or slower. `pytest bench/bench_tagger.py -o 'python_files=bench_*.py'`
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

from xner import io, labels
from xner._support.arrow import pylist
from xner.models.taggers import Tagger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_benchmark.fixture import BenchmarkFixture

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))
import tiny_models  # what tests make models with

ROUNDS = 3
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-DATE", "I-DATE"]
SIZES: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 512},
    "small": {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 6, "intermediate_size": 1536},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
}

# Times as fast as one sentence at a time. What is computed takes most of a large model's time, whoever asks for it.
LEAST = {"tiny": 1.5, "small": 1.5, "base": 1.0}


@pytest.fixture(scope="module")
def sentences(test_data: Path) -> list[list[str]]:
    """The first 48 sentences of each of four African languages."""
    languages = [test_data / "masakhaner2" / language / "test.txt" for language in ("yor", "xho", "swa", "hau")]
    return [words for path in languages for words in pylist(io.read_conll(path)["tokens"])[:48]]


def save_model(folder: Path, sentences: Sequence[Sequence[str]], size: str) -> str:
    """A BERT with random weights, and pieces that are learned from the sentences."""
    tokenizer = tiny_models.learned_bert_tokenizer(sentences)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        **SIZES[size],
        "vocab_size": len(tokenizer),
        "id2label": dict(enumerate(LABELS)),
        "label2id": {label: number for number, label in enumerate(LABELS)},
    }
    config = transformers.BertConfig(**settings)
    model = transformers.BertForTokenClassification(config)
    model.classifier.weight.data *= 10  # labels that are far from equally probable
    model.save_pretrained(folder)
    return str(folder)


def word_labels(words: Sequence[str], tokens: Sequence[dict[str, Any]]) -> list[str]:
    """IOB2 labels out of what the pipeline says of words joined by blanks: that of each word's first token."""
    by_start = {token["start"]: token["entity"] for token in tokens}
    found, start = [], 0
    for word in words:
        found.append(by_start.get(start, "O"))
        start += len(word) + 1
    return labels.encode(labels.decode(found), len(words))


@pytest.mark.parametrize("size", list(SIZES))
def test_beside_the_pipeline(
    benchmark: BenchmarkFixture, sentences: list[list[str]], tmp_path: Path, size: str
) -> None:
    """Sentences a second; the pipeline is fed one sentence at a time, and, for comparison, in batches of sixteen.

    By the clock, and by processor time, which other work on the machine disturbs less.
    """
    sentences = sentences[:: 4 if size == "base" else 1]
    model = save_model(tmp_path, sentences, size)
    tagger = Tagger.load(model, device="cpu")
    pipeline = transformers.pipeline("token-classification", model=model, device="cpu", ignore_labels=[])
    texts = [" ".join(words) for words in sentences]
    theirs = [word_labels(words, pipeline(text)) for words, text in zip(sentences, texts, strict=True)]
    assert [tagged.labels for tagged in tagger.tag(sentences)] == theirs
    assert len({label for words in theirs for label in words}) > 4

    ways: dict[str, Callable[[], Any]] = {
        "ours": partial(tagger.tag, sentences),
        "one sentence at a time": lambda: [pipeline(text) for text in texts],
        "batches of 16": lambda: pipeline(texts, batch_size=16),
    }
    clock = dict.fromkeys(ways, float("inf"))
    processor = dict(clock)
    for _ in range(ROUNDS):  # in turns: what else the machine does hits all alike
        for name, work in ways.items():
            start = time.perf_counter(), time.process_time()
            work()
            clock[name] = min(clock[name], time.perf_counter() - start[0])
            processor[name] = min(processor[name], time.process_time() - start[1])
    assert clock["ours"] * LEAST[size] <= clock["one sentence at a time"]
    benchmark.pedantic(ways["ours"], rounds=1)
    benchmark.extra_info["sentences a second"] = round(len(texts) / clock["ours"], 1)
    for name in list(ways)[1:]:
        benchmark.extra_info[f"times as fast as the pipeline, {name}"] = round(clock[name] / clock["ours"], 2)
        benchmark.extra_info[f"by processor time, {name}"] = round(processor[name] / processor["ours"], 2)
