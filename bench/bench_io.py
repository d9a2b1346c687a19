"""Reading tables, with and without the look at their buffers that damaged files make necessary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from xner import io, schema
from xner.io import parquet

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

SENTENCES = 100_000


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Sentence pairs of 1 to 40 words, one word in ten beyond ASCII, with two entities and a link a word."""
    lengths = [1 + index * 7 % 40 for index in range(1000)]
    words = [
        [f"w{index * place % 977}" + "é" * (place % 10 == 0) for place in range(n)] for index, n in enumerate(lengths)
    ]
    entities = [[{"start": 0, "end": 1, "label": "PER"}, {"start": n - 1, "end": n, "label": "LOC"}] for n in lengths]
    links = [[{"source": place, "target": place, "score": 0.5} for place in range(n)] for n in lengths]
    small = pa.table(
        {
            "tokens": pa.array(words, schema.WORDS_TYPE),
            "source_tokens": pa.array([row[::-1] for row in words], schema.WORDS_TYPE),
            "source_entities": pa.array(entities, schema.SOURCE_ENTITIES_TYPE),
            "links": pa.array(links, schema.LINKS_TYPE),
        }
    )
    whole = pa.concat_tables([small] * (SENTENCES // len(words))).combine_chunks()
    return whole.add_column(0, "id", pa.array([str(row) for row in range(whole.num_rows)]))


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "unchecked"])
@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_read(
    benchmark: BenchmarkFixture,
    table: pa.Table,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format: str,
    checked: bool,
) -> None:
    path = tmp_path / f"table.{format}"
    io.write(table, path)
    assert io.read(path).equals(table)
    if not checked:
        monkeypatch.setattr(parquet, "_check", lambda batch, path: None)
    benchmark(io.read, path)
    fastest = benchmark.stats.stats.min  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["ns_per_sentence"] = round(fastest / table.num_rows * 1e9, 1)
