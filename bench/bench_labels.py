"""Labels to entities and back over columns of sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pytest

from xner import schema
from xner._support.arrow import pylist
from xner.labels import decode, decode_batch, encode, encode_batch

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

SENTENCES = 200_000


@pytest.fixture(scope="module")
def labels() -> pa.ListArray[Any]:
    """Sentences of 0 to 30 words with an entity in every ten."""
    rows = [(["O"] * 7 + ["B-PER", "I-PER", "B-LOC"]) * (index % 4) for index in range(100)]
    small = cast("pa.ListArray[Any]", pa.array(rows, schema.WORDS_TYPE))
    return pa.concat_arrays([small] * (SENTENCES // len(rows)))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("reading", ["lenient", "strict", "validate"])
def test_decode(benchmark: BenchmarkFixture, labels: pa.ListArray[Any], reading: str, threads: int) -> None:
    head = decode_batch(labels.slice(0, 100), reading=reading)  # type: ignore[arg-type]  # a str of the parameters
    expected = [decode(row, reading=reading) for row in labels.slice(0, 100).to_pylist()]  # type: ignore[arg-type]  # a str of the parameters
    assert [[tuple(item.values()) for item in row] for row in pylist(head)] == expected
    benchmark(decode_batch, labels, reading=reading, threads=threads)
    fastest = benchmark.stats.stats.min  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["ns_per_word"] = round(fastest / len(labels.values) * 1e9, 2)


@pytest.mark.parametrize("threads", [1, 2])
def test_encode(benchmark: BenchmarkFixture, labels: pa.ListArray[Any], threads: int) -> None:
    entities = decode_batch(labels)
    assert encode_batch(entities, labels).equals(labels)
    benchmark(encode_batch, entities, labels, threads=threads)
    fastest = benchmark.stats.stats.min  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["ns_per_word"] = round(fastest / len(labels.values) * 1e9, 2)


def test_plain_python(benchmark: BenchmarkFixture, labels: pa.ListArray[Any]) -> None:
    """One sentence at a time through lists."""
    rows = pylist(labels.slice(0, 10_000))

    def run() -> None:
        for row in rows:
            encode(decode(row), len(row))

    benchmark(run)
    words = sum(map(len, rows))
    fastest = benchmark.stats.stats.min  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["ns_per_word"] = round(fastest / words * 1e9, 1)
