"""Shifts of Europarl-NER's German sentences, ten times over, at severity 3.

Run with `pytest bench/bench_shift.py -o 'python_files=bench_*.py'`. From an Arrow table to a shifted one, edits and
counts included; words a second, of the original, are in the extra information. The lexicon has every second word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from xner import io, labels
from xner._support.arrow import flattened, one_array, pylist
from xner.experiments.shift import KINDS, Kind, apply_edits, shift

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

TIMES = 10


@pytest.fixture(scope="module")
def corpus(test_data: Path) -> pa.Table:
    """The sentences, in one piece."""
    table = io.read_conll(test_data / "europarl-ner" / "de-europarl.test.conll02")
    return pa.concat_tables([table] * TIMES).combine_chunks()


def words_of(table: pa.Table) -> list[str]:
    return pylist(flattened(one_array(table["tokens"])))


@pytest.mark.parametrize("kind", KINDS)
def test_shift(benchmark: BenchmarkFixture, corpus: pa.Table, kind: Kind) -> None:
    options: dict[str, Any] = {"transliterator": "decomposition"} if kind == "transliterate" else {}
    if kind == "code-switch":
        options["lexicon"] = {word: f"{word}x" for word in sorted(set(words_of(corpus)))[::2]}
    made = shift(corpus, kind, **options)
    labels.decode_batch(made.table["labels"], reading="validate")
    assert made.summary.before.entities == made.summary.after.entities
    assert apply_edits(corpus, made.edits).table == made.table
    benchmark.extra_info["share"] = made.summary.share
    benchmark.pedantic(shift, args=(corpus, kind), kwargs=options, rounds=5, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["words a second"] = len(words_of(corpus)) / benchmark.stats.stats.median
