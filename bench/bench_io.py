"""Reading and writing: tables with and without the look at all buffers, columns and Parquet beside other readers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal
from unittest import mock

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from xner import io, schema
from xner._support.arrow import pylist
from xner.io import parquet
from xner.io.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable
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


PACKED: dict[str, Literal["lz4", "zstd"]] = {"lz4": "lz4", "zstd": "zstd"}
ROUNDS = {"parquet": 40, "arrow": 60, "lz4": 60, "zstd": 60}


@pytest.mark.parametrize("kind", ROUNDS)
def test_read(benchmark: BenchmarkFixture, table: pa.Table, tmp_path: Path, kind: str) -> None:
    """With the look at all buffers, in turns with reading without it, so that other work slows both down alike."""
    path = tmp_path / ("table.parquet" if kind == "parquet" else "table.arrow")
    if packed := PACKED.get(kind):
        feather.write_feather(table, path, compression=packed)
    else:
        io.write(table, path)
    assert io.read(path).equals(table)
    unchecked = []

    def read_unchecked() -> None:
        with mock.patch.object(parquet, "_check"):
            start = time.perf_counter()
            io.read(path)
            unchecked.append(time.perf_counter() - start)

    benchmark.pedantic(io.read, args=[path], setup=read_unchecked, rounds=ROUNDS[kind], warmup_rounds=2)
    fastest, least = benchmark.stats.stats.min, min(unchecked)  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["unchecked_ms"] = round(1e3 * least, 1)
    benchmark.extra_info["checked_ms"] = round(1e3 * fastest, 1)
    benchmark.extra_info["more_percent"] = round(100 * (fastest / least - 1), 1)


def plain_conll(path: Path) -> list[tuple[list[str], list[str]]]:
    """As a script does it."""
    sentences, words, labels = [], list[str](), list[str]()
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            word, _, label = line.partition("\t")
            words.append(word)
            labels.append(label)
        elif words:
            sentences.append((words, labels))
            words, labels = [], []
    return sentences


def pandas_conll(path: Path) -> pd.DataFrame:
    """By pandas, which does not group the words of a sentence."""
    return pd.read_csv(path, sep="\t", header=None, names=["word", "label"], quoting=3, keep_default_na=False)


@pytest.fixture(scope="module")
def labelled(table: pa.Table) -> pa.Table:
    """A tenth of the sentences, with labels."""
    rows = table.slice(0, SENTENCES // 10).select(["id", "tokens"])
    tags = [["B-PER", *["O"] * (len(row) - 1)] for row in pylist(rows["tokens"])]
    return rows.append_column("labels", pa.array(tags, schema.WORDS_TYPE))


def tell_speed(benchmark: BenchmarkFixture, rows: pa.Table) -> None:
    """Millions of words a second in the fastest round."""
    words = len(pc.list_flatten(rows["tokens"]))
    fastest = benchmark.stats.stats.min  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["million_words_per_second"] = round(words / fastest / 1e6, 2)


READERS: dict[str, Callable[[Path], Any]] = {
    "xner": io.read,
    "layout": lambda path: Layout().read_labelled(path),
    "pandas": pandas_conll,
    "python": plain_conll,
}


@pytest.mark.parametrize("reader", READERS)
def test_read_conll(benchmark: BenchmarkFixture, labelled: pa.Table, tmp_path: Path, reader: str) -> None:
    path = tmp_path / "table.conll"
    io.write(labelled, path)
    found = benchmark(READERS[reader], path)
    if reader == "xner":
        assert found.equals(labelled)
    tell_speed(benchmark, labelled)


WRITERS: dict[str, Callable[[pa.Table, Path], Any]] = {
    "xner": io.write,
    "python": lambda rows, path: path.write_text(
        "".join(
            "".join(f"{word}\t{label}\n" for word, label in zip(row["tokens"], row["labels"], strict=True)) + "\n"
            for row in rows.to_pylist()
        )
    ),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_write_conll(benchmark: BenchmarkFixture, labelled: pa.Table, tmp_path: Path, writer: str) -> None:
    benchmark(WRITERS[writer], labelled, tmp_path / f"{writer}.conll")
    assert io.read(tmp_path / f"{writer}.conll").select(["tokens", "labels"]).equals(labelled.drop_columns(["id"]))
    tell_speed(benchmark, labelled)


PARQUET_READERS: dict[str, Callable[[Path], Any]] = {
    "xner": io.read,
    "layout": lambda path: Layout().read_labelled(path),
    "pandas": pd.read_parquet,
    "pyarrow": pq.read_table,
}


@pytest.mark.parametrize("reader", PARQUET_READERS)
def test_read_parquet(benchmark: BenchmarkFixture, labelled: pa.Table, tmp_path: Path, reader: str) -> None:
    path = tmp_path / "table.parquet"
    io.write(labelled, path)
    found = benchmark(PARQUET_READERS[reader], path)
    assert len(found.table if reader == "layout" else found) == len(labelled)
    tell_speed(benchmark, labelled)
