"""Scores: a tagger's, spelling, and their sums, beside the plain Python that the tests hold them against.

Run with `pytest bench/bench_scores.py -o 'python_files=bench_*.py'`. `test_given_candidates` shows that a candidate's
cost does not grow with the links below it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

import golden
from reference import candidates, character_score, ner_score
from xner import schema
from xner.projection import Projector
from xner.projection.scores import characters, ner

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

LABELS = ["O", *(f"{prefix}-{name}" for name in ("PER", "ORG", "LOC", "MISC") for prefix in "BI")]
WORDS, SPANS = 40, candidates.ngram(["w"] * 40)


def probabilities(words: int) -> Any:
    """Made-up probabilities, most of them on O."""
    return np.random.default_rng(words).dirichlet([4.0, *[0.2] * 8], size=words).astype(np.float32)


def report(benchmark: BenchmarkFixture, unit: str, count: int) -> None:
    """Put the best round's nanoseconds a unit beside the figures."""
    stats = benchmark.stats.stats  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info[f"ns_per_{unit}"] = round(stats.min / count * 1e9, 1)


@pytest.mark.parametrize("how", ["core", "plain Python"])
def test_ner(benchmark: BenchmarkFixture, how: str) -> None:
    rows = probabilities(WORDS)
    plain = rows.tolist()
    classes = ("PER", "ORG", "LOC", "MISC")
    expected = {name: [ner_score.score(plain, LABELS, span, name) for span in SPANS] for name in classes}
    spans = np.array(SPANS)
    found = ner(rows, LABELS, spans)
    for name in classes:
        assert found[name] == pytest.approx(expected[name], abs=1e-6)
    if how == "core":
        benchmark(ner, rows, LABELS, spans)
    else:
        benchmark(lambda: [ner_score.score(plain, LABELS, span, name) for span in SPANS for name in classes])
    report(benchmark, "score", len(SPANS) * len(classes))


@pytest.mark.parametrize("how", ["core", "plain Python"])
def test_characters(benchmark: BenchmarkFixture, how: str) -> None:
    draw = random.Random(0)
    source, target = (["".join(draw.choices("abcdefg", k=draw.randint(2, 9))) for _ in range(WORDS)] for _ in "st")
    target[10:12] = source[3:5]
    entities = np.array([[3, 5]])
    expected = [character_score.score(source, target, (3, 5), span) for span in SPANS]
    assert characters(source, target, entities, np.array(SPANS))[0] == pytest.approx(expected)
    if how == "core":
        benchmark(characters, source, target, entities, np.array(SPANS))
    else:
        benchmark.pedantic(lambda: [character_score.score(source, target, (3, 5), span) for span in SPANS], rounds=3)
    report(benchmark, "score", len(SPANS))


def tagged(rows: list[golden.Row]) -> pa.RecordBatch:
    """The rows with made-up probabilities and source words."""
    batch = golden.record_batch(rows)
    lengths = [len(row["tokens"]) for row in rows]
    values = probabilities(sum(lengths))
    word_offsets = pa.array(np.arange(0, values.size + 1, len(LABELS)), pa.int32())
    words = pa.ListArray.from_arrays(word_offsets, pa.array(values.ravel()))
    sentences = pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32()), words)
    source = [row["tokens"][: row["n_source"]] + ["s"] * (row["n_source"] - len(row["tokens"])) for row in rows]
    batch = batch.append_column(schema.ner_probabilities_field(LABELS), sentences)
    column = batch.schema.get_field_index(schema.SOURCE_TOKENS)
    return batch.set_column(column, schema.SOURCE_TOKENS, pa.array(source, schema.WORDS_TYPE))


@pytest.mark.parametrize("score", ["align", "align_ner", "align_ner_spans", "align_characters"])
@pytest.mark.parametrize("max_words", [None, 10])
def test_sums(benchmark: BenchmarkFixture, test_data: Path, score: str, max_words: int | None) -> None:
    """Projection of the Europarl rows on one thread; the tests check what is chosen."""
    rows = golden.load(test_data, "en-de.grow")
    batch = tagged(rows)
    projector = Projector(threads=1, score=score, max_words=max_words)
    result = benchmark(projector, batch)
    assert result.equals(Projector(threads=2, score=score, max_words=max_words)(batch))
    report(benchmark, "sentence", len(rows))


@pytest.mark.parametrize("linked", [4, 100])
@pytest.mark.parametrize("words", [50, 200])
def test_given_candidates(benchmark: BenchmarkFixture, words: int, linked: int) -> None:
    """All spans as given candidates of one entity of three words, each linked to so many target words."""
    draw = random.Random(0)
    linked = min(linked, words)
    targets = [sorted(draw.sample(range(words), linked)) for _ in range(3)]
    links = [{"source": source, "target": target} for source in range(3) for target in targets[source]]
    spans = candidates.ngram(["w"] * words)
    batch = pa.record_batch(
        {
            schema.TOKENS: pa.array([["w"] * words], schema.WORDS_TYPE),
            schema.SOURCE_ENTITIES: pa.array([[{"start": 0, "end": 3, "label": "X"}]], schema.SOURCE_ENTITIES_TYPE),
            schema.LINKS: pa.array([links], pa.list_(pa.struct([("source", pa.int32()), ("target", pa.int32())]))),
            schema.CANDIDATES: pa.array([[{"start": a, "end": b} for a, b in spans]], schema.CANDIDATES_TYPE),
        }
    )
    projector = Projector(threads=1, candidates="given")
    result = benchmark(projector, batch)
    assert result[schema.LABELS] == Projector(candidates="ngram")(batch)[schema.LABELS]
    report(benchmark, "candidate", len(spans))
