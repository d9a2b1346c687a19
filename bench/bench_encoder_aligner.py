"""The encoder aligner beside what it replaces: same random weights, same sentences, same links.

What it replaces is the simalign package where that is installed, and else the same in plain transformers: a sentence
pair at a time through the whole network. Real weights would not be faster or slower, but their int8 links would differ
less or more. `pytest bench/bench_encoder_aligner.py -o 'python_files=bench_*.py'`
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import torch
import transformers

import xner
from xner._support.arrow import pylist
from xner.models.network import _packed_weights as packed_weights
from xner.models.network import _unpadded as unpadded
from xner.models.network.pieces import PieceTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))
import tiny_models  # what tests make models with

ROUNDS = 3
EVERY = 256  # pairs, of which sizes take what they have time for

Sides = tuple[list[list[str]], list[list[str]]]
Links = list[set[tuple[int, int]]]


class Size(NamedTuple):
    """A network, the layer whose output is compared, and how many sentence pairs go through it."""

    layers: int
    dimensions: int
    layer: int
    pairs: int


SIZES = {"base": Size(12, 768, 8, 64), "small": Size(6, 384, 4, 100)}


@pytest.fixture(scope="module")
def europarl(test_data: Path) -> Sides:
    """The first Europarl pairs that have words on both sides."""
    folder = test_data / "europarl-ner"
    sides = [
        xner.io.read_conll(folder / f"{language}-europarl.test.conll02")["tokens"].to_pylist()
        for language in ("en", "de")
    ]
    pairs = [pair for pair in zip(*sides, strict=True) if all(pair)][:EVERY]
    return [source for source, _ in pairs], [target for _, target in pairs]


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> Size:
    return SIZES[request.param]


@pytest.fixture(scope="module")
def sentences(europarl: Sides, size: Size) -> Sides:
    """As many of them as the size takes, evenly spread."""
    chosen = [number * EVERY // size.pairs for number in range(size.pairs)]
    source, target = ([side[at] for at in chosen] for side in europarl)
    return source, target


@pytest.fixture(scope="module")
def model(europarl: Sides, size: Size, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A BERT with random weights; its WordPiece vocabulary is learned from the sentences themselves."""
    folder = tmp_path_factory.mktemp("bert")
    tokenizer = tiny_models.learned_bert_tokenizer(words for side in europarl for words in side)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        num_hidden_layers=size.layers,
        hidden_size=size.dimensions,
        num_attention_heads=size.dimensions // 64,
        intermediate_size=4 * size.dimensions,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return str(folder)


def as_pairs(row: list[dict[str, Any]]) -> set[tuple[int, int]]:
    return {(link["source"], link["target"]) for link in row}


def with_simalign(model: str, size: Size) -> Callable[[Sides], Links]:
    simalign = pytest.importorskip("simalign", reason="pip install -c constraints.txt simalign")
    peer = simalign.SentenceAligner(model=model, token_type="bpe", matching_methods="i", layer=size.layer, device="cpu")
    return lambda sides: [set(peer.get_word_aligns(*pair)["itermax"]) for pair in zip(*sides, strict=True)]


def with_transformers(model: str, size: Size) -> Callable[[Sides], Links]:
    """As users would write it: both sentences of a pair are a batch, and the core extracts the links."""
    network = transformers.AutoModel.from_pretrained(model).eval()
    tokenizer = PieceTokenizer.load(model, what="a bench")

    def links(source: list[str], target: list[str]) -> set[tuple[int, int]]:
        pieces = tokenizer.pieces([source, target])
        before, after = tokenizer.around()
        rows = [torch.tensor([*before, *side.ids, *after]) for side in pieces]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=tokenizer.padding)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        with torch.no_grad():
            states = network(ids, attention_mask=mask, output_hidden_states=True).hidden_states[size.layer]
        first, second = (
            torch.nn.functional.normalize(side[len(before) : len(before) + len(one)], dim=-1)
            for side, one in zip(states, pieces, strict=True)
        )
        similarity = ((first @ second.T + 1) / 2).numpy()
        found = xner.links.extract(
            similarity, "itermax", source_words=pieces[0].words, target_words=pieces[1].words
        ).pairs
        return set(map(tuple, found.tolist()))

    return lambda sides: [links(*pair) for pair in zip(*sides, strict=True)]


@pytest.mark.parametrize("peer", [with_simalign, with_transformers])
def test_engines(
    benchmark: BenchmarkFixture,
    peer: Callable[[str, Size], Callable[[Sides], Links]],
    sentences: Sides,
    model: str,
    size: Size,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How many times as fast as the peer, by the clock and by processor time; and how many links differ.

    In float32 links differ by rounding near ties alone.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # for the converted models

    def loaded(**options: Any) -> Callable[[Sides], Links]:
        aligner = xner.EncoderAligner.load("simalign-mbert", model, layer=size.layer, device="cpu", **options)
        return lambda sides: [as_pairs(row) for row in pylist(aligner.align(*sides))]

    with monkeypatch.context() as patched:
        for module in (packed_weights, unpadded):
            patched.setattr(module, "_TYPES", ())
        padded = loaded()
    ways: dict[str, Callable[[Sides], Links]] = {
        "peer": peer(model, size),
        "transformers, padded, weights as they are": padded,
        "transformers": loaded(),
        "transformers bfloat16": loaded(dtype="bfloat16"),
        "CTranslate2 float32": loaded(engine="ctranslate2"),
        "CTranslate2 int8": loaded(engine="ctranslate2", dtype="int8"),
    }
    links: dict[str, Links] = {}
    clock = dict.fromkeys(ways, float("inf"))
    processor = dict(clock)
    for _ in range(ROUNDS):  # in turns: what else the machine does hits all alike
        for name, align in ways.items():
            start = time.perf_counter(), time.process_time()
            links[name] = align(sentences)
            clock[name] = min(clock[name], time.perf_counter() - start[0])
            processor[name] = min(processor[name], time.process_time() - start[1])
    total = sum(map(len, links["peer"]))
    shares = {
        name: sum(len(one & two) for one, two in zip(found, links["peer"], strict=True)) / total
        for name, found in links.items()
    }
    assert min(shares["transformers"], shares["CTranslate2 float32"]) >= 0.99
    benchmark.pedantic(ways["CTranslate2 int8"], (sentences,), rounds=1)
    benchmark.extra_info["links"] = total
    for name in ways:
        benchmark.extra_info[name] = {
            "pairs a second": round(size.pairs / clock[name], 1),
            "times as fast": round(clock["peer"] / clock[name], 2),
            "times as fast by processor time": round(processor["peer"] / processor[name], 2),
            "links of the peer": round(shares[name], 4),
        }
