"""Reading and writing: tables with and without the look at all buffers, columns and Parquet beside other readers."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any, Literal
from unittest import mock

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from xner import _core, io, schema
from xner._layouts import check_buffers
from xner._support.arrow import pylist
from xner.io import _lines, parquet
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


TEXTS = {"ascii": "word", "latin": "neun wörd", "cyrillic": "слово", "chinese": "中文"}
LOOKS: dict[str, Callable[[pa.Array[Any], bytes], Any]] = {
    "xner": lambda words, _: check_buffers(words, "it"),
    "pyarrow": lambda words, _: words.validate(full=True),
    "core": lambda _, data: _core.is_utf8(data),
    "python": lambda _, data: data.decode(),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("text", TEXTS)
def test_look_at_texts(benchmark: BenchmarkFixture, text: str, look: str) -> None:
    """Of a million words: as a column, with their offsets, or as one text."""
    words = pa.array([TEXTS[text]] * 1_000_000)
    data = (TEXTS[text] * len(words)).encode()
    benchmark(LOOKS[look], words, data)
    fastest = benchmark.stats.stats.min  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["gigabytes_per_second"] = round(len(data) / fastest / 1e9, 2)


def tell_share(benchmark: BenchmarkFixture, module: Any, look: str, read: Callable[[], Any]) -> None:
    """What a function of a module takes of reading, of processor time."""
    function, spent, shares = getattr(module, look), [0.0], []

    def timed(*arguments: Any) -> None:
        start = time.process_time()
        function(*arguments)
        spent[0] += time.process_time() - start

    def one_round() -> None:
        spent[0], start = 0.0, time.process_time()
        read()
        shares.append(100 * spent[0] / (time.process_time() - start))

    with mock.patch.object(module, look, timed):
        benchmark.pedantic(one_round, rounds=20, warmup_rounds=2)
    benchmark.extra_info["share_percent"] = round(statistics.median(shares), 1)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
@pytest.mark.parametrize("reader", ["xner", "layout"])
def test_share_of_the_look(
    benchmark: BenchmarkFixture, labelled: pa.Table, tmp_path: Path, kind: str, reader: str
) -> None:
    path = tmp_path / f"table.{kind}"
    io.write(labelled, path)
    tell_share(benchmark, parquet, "_check", lambda: READERS[reader](path))


@pytest.mark.parametrize("kind", ["conll", "jsonl", "txt"])
def test_share_of_the_look_at_texts(benchmark: BenchmarkFixture, labelled: pa.Table, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"table.{kind}"
    io.write(labelled.select(["id", "tokens"]) if kind == "txt" else labelled, path)
    tell_share(benchmark, _lines, "_look", lambda: io.read(path))


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
