"""Filters over projected Europarl rows, repeated to 100 000, beside the plain Python that the tests hold them against.

Run with `pytest bench/bench_filters.py -o 'python_files=bench_*.py'`. Both read an Arrow batch and give labels.
As a corpus of this size has more distinct words than repeated rows, each repetition spells every tenth its own way.
"""

from __future__ import annotations

import timeit
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import golden
from reference import filters as reference
from xner import schema
from xner._support.arrow import pylist
from xner.filters.catalogue import FILTERS
from xner.filters.counts import LengthRatio
from xner.filters.stage import Filters
from xner.projection import Projector

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

ROWS = 100_000
VALUES: dict[str, tuple[Any, ...]] = {
    "discontinuous": ("largest",),
    "affixes": ("attach", ("und",), ("der",)),
    "min-score": (0.5,),
    "min-margin": (0.1,),
}
CHAINS = {name: [name] for name in FILTERS} | {"all": list(FILTERS)}


def respelled(sentences: Any, repetition: int) -> pa.Array[Any]:
    """The sentences with every tenth word in a spelling of this repetition."""
    words = sentences.flatten()
    is_tenth = pa.array(np.arange(len(words)) % 10 == 0)
    spelled = pc.if_else(is_tenth, pc.binary_join_element_wise(words, str(repetition), ""), words)
    return pa.ListArray.from_arrays(sentences.offsets, spelled)


@pytest.fixture(scope="module")
def projected(test_data: Path) -> pa.RecordBatch:
    """Projected rows, in one batch."""
    batch = Projector()(golden.record_batch(golden.load(test_data, "en-de.grow")))
    column = batch.schema.get_field_index(schema.TOKENS)
    copies = [
        batch.set_column(column, schema.TOKENS, respelled(batch.column(column), repetition))
        for repetition in range(-(-ROWS // batch.num_rows))
    ]
    table = pa.Table.from_batches(copies).slice(0, ROWS).combine_chunks()
    return table.to_batches(max_chunksize=ROWS)[0]


def reference_rows(batch: pa.RecordBatch) -> list[reference.Row]:
    """Rows as the reference takes them."""
    rows = []
    for row in batch.to_pylist():
        entities = [
            reference.Entity(e["start"], e["end"], e["source"], e["score"], e["margin"]) for e in row["entities"]
        ]
        sources = [(e["start"], e["end"], e["label"]) for e in row["source_entities"]]
        links = [(link["source"], link["target"]) for link in row["links"]]
        rows.append(reference.Row(row["tokens"], row["source_tokens"], sources, links, entities))
    return rows


def check(found: pa.RecordBatch, expected: list[reference.Row]) -> None:
    """The first rows of a result are the reference's."""
    head = found.slice(0, len(expected))
    assert head[schema.LABELS].to_pylist() == [reference.encode(row) for row in expected]
    reasons = [[record["reason"] for record in row] for row in pylist(head[schema.DROPPED])]
    assert reasons == [[reason for *_, reason in row.dropped] for row in expected]


def report(benchmark: BenchmarkFixture, rows: int) -> None:
    """Put the best round's rows a second beside the figures."""
    fastest = benchmark.stats.stats.min  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["rows_per_second"] = round(rows / fastest)


def plainly(batch: pa.RecordBatch, steps: list[tuple[str, tuple[Any, ...], bool]]) -> list[reference.Row]:
    """The rows, filtered by the reference."""
    rows = reference_rows(batch)
    for row in rows:
        reference.apply(row, steps)
    return rows


@pytest.mark.parametrize("how", ["arrow", "plain Python"])
@pytest.mark.parametrize("chain", CHAINS)
def test_filters(benchmark: BenchmarkFixture, projected: pa.RecordBatch, chain: str, how: str) -> None:
    """One filter, or all of them one after the other, by entity."""
    filters = Filters([FILTERS[name](*VALUES.get(name, ())) for name in CHAINS[chain]])
    steps = [(name, VALUES.get(name, ()), False) for name in CHAINS[chain]]
    few = projected.slice(0, 5000)
    check(filters(projected), plainly(few, steps))
    if how == "arrow":
        benchmark.pedantic(filters, (projected,), rounds=5, warmup_rounds=1)
        report(benchmark, projected.num_rows)
    else:
        benchmark.pedantic(lambda: [reference.encode(row) for row in plainly(few, steps)], rounds=3)
        report(benchmark, few.num_rows)


def test_time_is_linear_in_the_rows(projected: pa.RecordBatch) -> None:
    """Where every entity is dropped."""
    filters = Filters([LengthRatio(1000)])

    def seconds(rows: int) -> float:
        batch = projected.slice(0, rows)
        return min(timeit.repeat(lambda: filters(batch), number=1, repeat=5))

    assert seconds(ROWS) < 16 * seconds(ROWS // 8)
