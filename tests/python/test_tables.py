"""Tables of every kind, at every entry, give what plain Arrow tables give; damaged ones end nothing but the call."""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xner
from command_line import done
from command_line import xner as command
from xner import _layouts, io, labels, schema
from xner._support.frames import to_table
from xner.alignment import links as link_sets
from xner.errors import DataError, Error, FormatError
from xner.evaluation import links as link_scores
from xner.filters import Filters
from xner.pipelines.projection_run import Pipeline
from xner.projection.memory import Memory, project_with_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Values = dict[str, list[Any]]
compute: Any = pc  # with what its stubs lack

# Two words in every row, so that lists of fixed size can hold them.
VALUES: Values = {
    "id": ["7", "8", "9"],
    "tokens": [["Anna", "kam"], ["Zürich", "schläft"], ["in", "Oslo"]],
    "source_tokens": [["Anna", "came"], ["Zurich", "sleeps"], ["in", "Oslo"]],
    "source_entities": [[{"start": 0, "end": 1, "label": "PER"}], [], [{"start": 1, "end": 2, "label": "LOC"}]],
    "links": [[{"source": 0, "target": 0}, {"source": 1, "target": 1}], [], [{"source": 1, "target": 1}]],
    "gold_labels": [["B-PER", "O"], ["B-LOC", "O"], ["O", "B-LOC"]],
}
WORDS = ("tokens", "source_tokens", "gold_labels")
PLAIN = pa.table(VALUES)
LABELS = [["B-PER", "O"], ["O", "O"], ["O", "B-LOC"]]

STRINGS: dict[str, Callable[[], pa.DataType]] = {
    "string": pa.string,
    "large_string": pa.large_string,
    "string_view": pa.string_view,
    "dictionary": lambda: pa.dictionary(pa.int8(), pa.string()),
}
LISTS: dict[str, Callable[[pa.DataType], pa.DataType]] = {
    "list": pa.list_,
    "large_list": pa.large_list,
    "fixed_size_list": lambda kind: pa.list_(kind, 2),
    "list_view": pa.list_view,
    "large_list_view": pa.large_list_view,
}
NUMBERS: dict[str, pa.DataType] = {"string": pa.int32(), "large_string": pa.int64()}


def column(values: Sequence[Any], kind: pa.DataType) -> pa.ChunkedArray[Any]:
    """Out of a longer array, in two chunks."""
    array = pa.array([values[0], *values, values[-1]], kind).slice(1, len(values))
    return pa.chunked_array([array.slice(0, 1), array.slice(1)])


def laid_out(lists: str, strings: str) -> pa.Table:
    """The rows in other types."""
    text, number, of = STRINGS[strings](), NUMBERS.get(strings, pa.int16()), LISTS[lists]
    views = lists if lists != "fixed_size_list" else "list_view"
    entity = pa.struct([("label", text), ("start", number), ("end", number)])
    columns = {name: column(VALUES[name], of(text)) for name in WORDS}
    columns["id"] = column(VALUES["id"], text)
    columns["source_entities"] = column(VALUES["source_entities"], LISTS[views](entity))
    link = pa.struct([("target", number), ("source", number)])
    columns["links"] = column(VALUES["links"], LISTS[views](link))
    return pa.table({name: columns[name] for name in VALUES})


def frame_of(kind: str) -> Any:
    """The rows as another library has them."""
    if kind == "pandas":
        import pandas as pd

        return pd.DataFrame(VALUES, index=[5, 3, 4])
    if kind == "pandas tuples":
        import pandas as pd

        entities = [[(one["start"], one["end"], one["label"]) for one in row] for row in VALUES["source_entities"]]
        links = [[(one["source"], one["target"]) for one in row] for row in VALUES["links"]]
        arrays = {name: [np.array(row, object) for row in VALUES[name]] for name in WORDS}
        return pd.DataFrame(VALUES | arrays | {"source_entities": entities, "links": links})
    if kind == "pandas arrow":
        import pandas as pd

        return PLAIN.to_pandas(types_mapper=pd.ArrowDtype)
    if kind in {"polars", "polars lazy"}:
        import polars as pl

        frame = pl.from_arrow(laid_out("large_list", "string_view"))
        return frame.lazy() if kind == "polars lazy" else frame  # type: ignore[union-attr]  # no Series
    if kind in {"datasets", "datasets selection"}:
        import datasets

        rows = datasets.Dataset.from_dict(VALUES)
        more = datasets.concatenate_datasets([rows, rows])
        return rows if kind == "datasets" else more.select([3, 1, 5])
    if kind == "reader":
        return PLAIN.to_reader(max_chunksize=2)
    if kind == "batch":
        return PLAIN.combine_chunks().to_batches()[0]
    return Stream(PLAIN)


class Stream:
    """What is no pyarrow table and hands one over."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        table: Any = self._table
        return table.__arrow_c_stream__(requested_schema)


ARROW = [f"{lists} of {strings}" for lists in LISTS for strings in STRINGS]
LIBRARIES = ["pandas", "pandas tuples", "pandas arrow", "polars", "polars lazy", "datasets", "datasets selection"]
KINDS = [
    *ARROW,
    *(pytest.param(kind, marks=pytest.mark.needs("test")) for kind in LIBRARIES),
    *("reader", "batch", "stream"),
]


def rows_of(kind: str) -> Any:
    return laid_out(*kind.split(" of ")) if kind in ARROW else frame_of(kind)


def projected(rows: Any) -> list[Any]:
    """The labels that stages make of rows."""
    found = xner.Projector()(rows)
    filtered = Filters(["one-word"])(to_table(found))
    again = Filters(["length-ratio=0.1"])(xner.Projector()(filtered))
    return [to_table(one)["labels"].to_pylist() for one in (filtered, again)]


@pytest.mark.parametrize("kind", KINDS)
def test_stages_and_pipeline(kind: str) -> None:
    assert projected(rows_of(kind)) == [LABELS, LABELS]
    assert to_table(Pipeline()(rows_of(kind)))["labels"].to_pylist() == LABELS
    run = Pipeline(aligner="builtin", memory=True, filters=["one-word"]).run(rows_of(kind))
    assert (
        run.table["labels"].to_pylist()
        == Pipeline(aligner="builtin", memory=True, filters=["one-word"]).run(PLAIN).table["labels"].to_pylist()
    )
    assert str(run)
    with_memory = project_with_memory(rows_of(kind), xner.Projector())
    assert to_table(with_memory)["labels"].to_pylist() == LABELS
    assert xner.view(rows_of(kind)).html == xner.view(PLAIN).html


@pytest.mark.parametrize("kind", KINDS)
def test_filters_give_the_kind_that_they_take(kind: str) -> None:
    found = xner.Projector()(rows_of(kind))
    made = Filters(["one-word", "length-ratio=0.1"])(found)
    assert type(made) is type(found)
    table = to_table(made)
    assert table["labels"].to_pylist() == LABELS
    assert table["dropped"].to_pylist() == [[], [], []]


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_out_of_columns(kind: str) -> None:
    rows = rows_of(kind)
    rows = to_table(rows) if kind in {"reader", "batch", "stream", "polars lazy"} else rows
    columns: Any = [list(rows[name]) for name in ("tokens", "source_entities", "links", "source_tokens")]
    for tokens, entities, links, source, expected in zip(*columns, LABELS, strict=True):
        words: Any = tokens.values if isinstance(tokens, pa.ListScalar) else tokens
        spans = entities.as_py() if isinstance(entities, pa.Scalar) else entities
        pairs = links.as_py() if isinstance(links, pa.Scalar) else links
        source_words: Any = source.values if isinstance(source, pa.ListScalar) else source
        assert xner.project(words, spans, pairs).labels == expected
        assert xner.project(words, spans, pairs, source_tokens=source_words).labels == expected


@pytest.mark.parametrize("kind", KINDS)
def test_columns(kind: str) -> None:
    rows = rows_of(kind)
    rows = to_table(rows) if kind in {"reader", "batch", "stream", "polars lazy"} else rows
    source, target, gold = rows["source_tokens"], rows["tokens"], rows["gold_labels"]
    assert xner.evaluate(gold, gold).f1 == 1.0
    assert xner.evaluate(gold, PLAIN["gold_labels"]).f1 == 1.0
    aligner = xner.Aligner.fit(source, target)
    expected = xner.Aligner.fit(VALUES["source_tokens"], VALUES["tokens"])
    assert aligner.identity == expected.identity
    assert aligner.align(source, target).equals(expected.align(VALUES["source_tokens"], VALUES["tokens"]))
    aligned = aligner(rows)
    assert to_table(aligned)["links"].to_pylist() == expected(PLAIN)["links"].to_pylist()
    assert labels.decode_batch(gold).equals(labels.decode_batch(PLAIN["gold_labels"]))
    entities = rows["source_entities"]
    assert labels.encode_batch(entities, source).to_pylist() == [["B-PER", "O"], ["O", "O"], ["O", "B-LOC"]]
    assert link_scores.score(rows["links"], PLAIN["links"]).f1 == 1.0
    merged: Any = link_sets.combine([rows["links"], PLAIN["links"]], "union").to_pylist()
    assert [[(one["source"], one["target"]) for one in row] for row in merged] == [
        [(one["source"], one["target"]) for one in row] for row in VALUES["links"]
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", ["conll", "txt", "jsonl", "parquet", "arrow", "pharaoh"])
def test_writers(tmp_path: Path, kind: str, suffix: str) -> None:
    for place, rows in ((tmp_path / f"found.{suffix}", rows_of(kind)), (tmp_path / f"expected.{suffix}", PLAIN)):
        options: dict[str, Any] = {"columns": ["tokens", "gold_labels"]} if suffix == "conll" else {}
        io.write(rows, place, **options)
    found, expected = (io.read(tmp_path / f"{name}.{suffix}") for name in ("found", "expected"))
    for name in expected.schema.names:
        if name != "links":
            assert found[name].to_pylist() == expected[name].to_pylist(), name
    if suffix in {"parquet", "arrow"}:
        assert all(found.schema.field(name).type == schema.COLUMN_TYPES[name] for name in ("id", *WORDS))
    with io.open_writer(tmp_path / f"batches.{suffix}", **options) as writer:
        for batch in to_table(rows_of(kind)).to_batches():
            writer.write(batch)
    assert io.read(tmp_path / f"batches.{suffix}")["id"].to_pylist() == found["id"].to_pylist()


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([7, 8, 9]),
        pa.array([7, 8, 9], pa.uint8()),
        pa.array(["7", "8", "9"], pa.large_string()),
        pa.array(["7", "8", "9"], pa.string_view()),
        pa.array(["7", "8", "9"]).dictionary_encode(),
        compute.run_end_encode(pa.array(["7", "8", "9"])),
    ],
    ids=lambda ids: str(ids.type)[:12],
)
@pytest.mark.parametrize("suffix", ["conll", "jsonl", "parquet", "arrow"])
def test_ids_are_texts(tmp_path: Path, ids: pa.Array[Any], suffix: str) -> None:
    table = PLAIN.set_column(0, "id", ids).rename_columns({"gold_labels": "labels"})
    io.write(table, tmp_path / f"ids.{suffix}")
    found = io.read(tmp_path / f"ids.{suffix}")
    assert found["id"].to_pylist() == ["7", "8", "9"]
    assert found["id"].type == pa.string()
    assert '"7"' in xner.view(table).html
    wrong = table.set_column(1, "tokens", pa.array([["a", "b"], [None, "b"], ["a", "b"]]))
    with pytest.raises(DataError, match=r"id '?8'?"):
        xner.Aligner.fit(VALUES["tokens"], VALUES["tokens"])(wrong)


def test_other_types_of_ids_are_refused(tmp_path: Path) -> None:
    table = PLAIN.set_column(0, "id", pa.array([0.5, 1.5, 2.5])).rename_columns({"gold_labels": "labels"})
    with pytest.raises(Error, match="column 'id': expected string, found double"):
        io.write(table, tmp_path / "a.conll")


def test_numbers_are_no_words(tmp_path: Path) -> None:
    table = PLAIN.set_column(1, "tokens", pa.array([[1, 2]] * 3))
    with pytest.raises(Error, match="column 'tokens': expected list<item: string>, found list<item: int64>"):
        xner.Projector()(table)
    io.write(table, tmp_path / "a.parquet")
    with pytest.raises(FormatError, match=r"a.parquet: column 'tokens': expected .* \(numbers are no texts\)"):
        io.read(tmp_path / "a.parquet")


# -- the same kind out ---------------------------------------------------------------------------------------


@pytest.mark.needs("test")
def test_a_pandas_frame_stays_one() -> None:
    import pandas as pd

    frame = frame_of("pandas")
    frame["note"] = pd.Categorical(["a", "b", "a"])
    frame[3] = [0.5, float("nan"), 1.5]
    before = frame.copy(deep=True)
    stages = (
        xner.Projector(),
        xner.Aligner.fit(frame["source_tokens"], frame["tokens"]),
        Filters(["one-word"]),
        Pipeline(),
    )
    for stage in stages:
        made = stage(stages[0](frame) if stage is stages[2] else frame)
        assert isinstance(made, pd.DataFrame)
        assert made.index.tolist() == [5, 3, 4]
        assert made["note"].dtype == "category"
        assert made[3].equals(frame[3])
        assert made.columns.tolist()[: len(frame.columns)] == frame.columns.tolist()
        assert frame.equals(before)
    assert [list(row) for row in stages[0](frame[1:])["labels"]] == LABELS[1:]
    assert stages[0](frame[:0])["labels"].tolist() == []
    assert "dropped" not in stages[0](stages[2](stages[0](frame)))


@pytest.mark.needs("test")
def test_a_polars_frame_stays_one() -> None:
    import polars as pl

    frame = pl.DataFrame({"tokens": VALUES["tokens"], "note": [1, 2, 3]}).with_columns(
        pl.Series(name, VALUES[name]) for name in ("source_tokens", "source_entities", "links")
    )
    made = Filters(["one-word"])(xner.Projector()(frame))
    assert isinstance(made, pl.DataFrame)
    assert made["labels"].to_list() == LABELS
    assert made["note"].dtype == pl.Int64
    lazy = xner.Projector()(frame.lazy())
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect()["labels"].to_list() == LABELS
    assert xner.Projector()(frame[1:])["labels"].to_list() == LABELS[1:]
    assert xner.Projector()(frame[:0])["labels"].to_list() == []


@pytest.mark.needs("test")
def test_a_data_set_stays_one() -> None:
    import datasets

    rows = frame_of("datasets selection").add_column("tag", [0, 1, 0])
    rows = rows.cast_column("tag", datasets.ClassLabel(names=["a", "b"]))
    made = Filters(["one-word"])(xner.Projector()(rows))
    assert isinstance(made, datasets.Dataset)
    assert made.features["tag"] == rows.features["tag"]
    assert made["labels"][:] == [LABELS[0], LABELS[1], LABELS[2]]
    assert made["status"][0] == "ok"
    assert made.format == rows.format | {"columns": made.column_names}
    assert made.with_format("numpy").format["type"] == "numpy"
    with pytest.raises(Error, match=r"found DatasetDict; .* a dictionary of splits is not: take one of them"):
        xner.Projector()(datasets.DatasetDict(train=rows))
    with pytest.raises(Error, match=r"found IterableDataset; .* a stream is not: .*batched=True"):
        xner.Projector()(rows.to_iterable_dataset())


def test_a_reader_is_read_as_results_are() -> None:
    read = []

    def batches() -> Any:
        for batch in PLAIN.to_batches(max_chunksize=1):
            read.append(batch)
            yield batch

    made = xner.Projector()(pa.RecordBatchReader.from_batches(PLAIN.schema, batches()))
    assert isinstance(made, pa.RecordBatchReader)
    assert len(read) < PLAIN.num_rows
    assert made.read_all()["labels"].to_pylist() == LABELS
    nothing = xner.Projector()(PLAIN.slice(0, 0).to_reader())
    assert nothing.read_all().schema.names == made.schema.names
    wrong = PLAIN.set_column(1, "tokens", pa.array([["a", "b"], ["a", "b"], [None, "b"]]))
    with pytest.raises(DataError, match="row 2"):
        xner.Aligner.fit(VALUES["tokens"], VALUES["tokens"])(wrong.to_reader(max_chunksize=1)).read_all()


def test_batch_and_table_stay_what_they_are() -> None:
    assert isinstance(xner.Projector()(frame_of("batch")), pa.RecordBatch)
    assert isinstance(xner.Projector()(Stream(PLAIN)), pa.Table)
    assert isinstance(Pipeline()(frame_of("batch")), pa.RecordBatch)


# -- rows of objects -----------------------------------------------------------------------------------------


@pytest.mark.needs("test")
@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("tokens", [["a"], "ab", ["c"]], "row 1, column 'tokens', value 'ab': expected a list of words"),
        ("tokens", [["a"], ["b", 1], ["c"]], "row 1, column 'tokens', value 1: expected a word"),
        ("links", [[(0, 0)], [(0, 0)], [(0, "x")]], r"row 2, column 'links', value \(0, 'x'\): expected a pair"),
        ("source_entities", [[], [(0, 1)], []], "row 1, column 'source_entities', value .*: expected .start, end, lab"),
        ("note", [1, "a", None], "column 'note' of the DataFrame: its values are of no one type: convert it, or drop"),
        ("status", [1, "a", None], "column 'status': expected dictionary"),
    ],
)
def test_wrong_cells_of_a_frame(name: str, values: list[Any], message: str) -> None:
    import pandas as pd

    frame = frame_of("pandas")
    frame[name] = pd.Series(values, dtype=object).set_axis(frame.index)
    with pytest.raises(Error, match=message):
        xner.Projector()(frame)


@pytest.mark.needs("test")
def test_missing_cells_of_a_frame() -> None:
    import pandas as pd

    frame = frame_of("pandas")
    for missing in (None, float("nan"), pd.NA):
        frame["links"] = pd.Series([VALUES["links"][0], missing, VALUES["links"][2]], dtype=object).set_axis(
            frame.index
        )
        assert [list(row) for row in xner.Projector()(frame)["labels"]] == LABELS
        tuples = frame_of("pandas tuples")
        tuples["links"] = pd.Series([[(0, 0)], missing, [(1, 1)]], dtype=object)
        assert [list(row) for row in xner.Projector()(tuples)["labels"]] == LABELS


NULLS = ("tokens", "source_tokens", "source_entities", "links", "entities", "labels")


@pytest.mark.needs("test")
@pytest.mark.parametrize("rows", [0, 2])
@pytest.mark.parametrize("kind", ["pandas", "pandas nan", "arrow", "arrow lists", "polars", "datasets"])
def test_columns_without_values(kind: str, rows: int, tmp_path: Path) -> None:
    """pandas makes numbers of them, Arrow a type of nulls; they are columns of what they are called."""
    nulls: Any = pa.nulls(rows)
    if kind == "arrow lists":
        nulls = pa.array([[]] * rows, pa.list_(pa.null()))
    table: Any = pa.table(dict.fromkeys(NULLS, nulls))
    if kind.startswith("pandas"):
        import pandas as pd

        table = pd.DataFrame({name: ([float("nan")] if kind == "pandas nan" else [None]) * rows for name in NULLS})
    elif kind == "polars":
        table = importlib.import_module("polars").from_arrow(table)
    elif kind == "datasets":
        table = importlib.import_module("datasets").Dataset(table)
    aligner = xner.Aligner.fit([["a"]] * 3, [["b"]] * 3)
    for stage in (xner.Projector(), xner.Pipeline(), xner.Pipeline(aligner="builtin"), aligner, Filters(["one-word"])):
        found = to_table(stage(table))
        assert found.num_rows == rows
        assert set(NULLS) <= set(found.schema.names)
    memory = Memory()
    memory.remember(to_table(table))
    assert to_table(memory.hint(table))["hints"].to_pylist() == [[]] * rows
    if rows:
        xner.view(table, tmp_path / "page.html")
        assert (tmp_path / "page.html").stat().st_size > 0


@pytest.mark.needs("test")
def test_one_name_twice() -> None:
    frame = frame_of("pandas")
    twice = frame[["tokens", "tokens"]]
    with pytest.raises(Error, match="the DataFrame has more than one column 'tokens'"):
        xner.Projector()(twice)


@pytest.mark.needs("test")
def test_series_and_slices_of_them() -> None:
    import pandas as pd

    series = pd.Series([["O"], ["B-PER"]], index=[4, 2])
    assert xner.evaluate(series, series).f1 == xner.evaluate(series[1:], series[1:]).f1 == 1.0
    assert repr(xner.Aligner.fit(series, series)) == repr(xner.Aligner.fit([["O"], ["B-PER"]], [["O"], ["B-PER"]]))
    texts = pd.Series(["B-PER", "I-PER", "O"])
    assert labels.decode(texts) == labels.decode(texts.to_numpy()) == [(0, 2, "PER")]
    assert labels.decode(texts[1:]) == [(0, 1, "PER")]
    with pytest.raises(DataError, match="row 1, column 'labels', value 5: expected a list of words"):
        labels.decode_batch(pd.Series([["O"], 5]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"tokens": []}, "found dict; DataFrames and datasets.Dataset are tables, too, and pa.table makes one"),
        ([{"tokens": []}], "found list; .* pa.Table.from_pylist makes one of rows"),
        (Stream(pa.chunked_array([[1]])), "expected a table, found Stream: "),  # type: ignore[arg-type]  # no table
        (7, "found int; DataFrames and datasets.Dataset are tables, too$"),
    ],
)
def test_what_is_no_table(tmp_path: Path, rows: Any, message: str) -> None:
    for entry in (xner.Projector(), Pipeline(), Filters(["one-word"]), xner.view, Memory().remember):
        with pytest.raises(Error, match=message):
            entry(rows)
    with pytest.raises(Error, match=message):
        io.write(rows, tmp_path / "a.jsonl")


def test_other_libraries_are_not_imported() -> None:
    for file in Path(xner.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & {"pandas", "polars"}, file


# -- commands ------------------------------------------------------------------------------------------------


def rewritten(table: pa.Table, path: Path, by: str) -> Path:
    """A file with the table, as another library writes what it has read."""
    pq.write_table(table, path)
    if by == "pandas":
        import pandas as pd

        pd.read_parquet(path).to_parquet(path)
    elif by == "polars":
        import polars as pl

        pl.read_parquet(path).write_parquet(path)
    elif by == "datasets":
        import datasets

        datasets.Dataset(datasets.table.InMemoryTable(table)).to_parquet(path)
    else:
        pq.write_table(table.set_column(0, "id", pa.array([7, 8, 9])), path)
    return path


@pytest.mark.parametrize(
    "by", ["ints", *(pytest.param(by, marks=pytest.mark.needs("test")) for by in ("pandas", "polars", "datasets"))]
)
def test_commands_read_what_others_have_written(tmp_path: Path, by: str) -> None:
    source = PLAIN.select(["id", "source_tokens", "source_entities"])
    target = PLAIN.select(["id", "tokens", "gold_labels"])
    sides: list[str | Path] = [
        "--source",
        rewritten(source, tmp_path / "source.parquet", by),
        "--target",
        rewritten(target, tmp_path / "target.parquet", by),
    ]
    links = rewritten(PLAIN.select(["id", "links"]), tmp_path / "links.parquet", by)
    for suffix in ("conll", "parquet", "arrow", "jsonl"):
        done(command("project", *sides, "--links", links, "-o", tmp_path / f"out.{suffix}"))
        found = io.read(tmp_path / f"out.{suffix}")
        assert found["labels"].to_pylist() == LABELS
        assert found["id"].to_pylist() == VALUES["id"]
    projected = rewritten(io.read(tmp_path / "out.parquet"), tmp_path / "again.parquet", by)
    done(command("align", "--source", sides[3], "--target", sides[3], "-o", tmp_path / "out.pharaoh"))
    done(command("filter", projected, "-o", tmp_path / "filtered.parquet", "--filter", "one-word"))
    filtered = rewritten(io.read(tmp_path / "filtered.parquet"), tmp_path / "filtered2.parquet", by)
    done(command("filter", filtered, "-o", tmp_path / "twice.conll", "--filter", "length-ratio=0.9"))
    assert io.read(tmp_path / "twice.conll")["id"].to_pylist() == VALUES["id"]
    done(command("view", filtered, "-o", tmp_path / "page.html"))
    done(command("evaluate", "--gold", tmp_path / "out.conll", "--predicted", projected, "--bootstrap", "0"))


# -- what was wrong once -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lists", ["list", "list_view", "large_list_view"])
def test_links_as_views(lists: str) -> None:
    kind = LISTS[lists](pa.struct([("source", pa.int64()), ("target", pa.int64())]))
    table = pa.table({name: PLAIN[name] for name in ("tokens", "source_entities")})
    rows = pa.chunked_array([pa.array(VALUES["links"], kind).slice(place, 1) for place in range(3)])
    made = xner.Projector()(table.append_column("links", rows).slice(1))
    assert made["labels"].to_pylist() == LABELS[1:]
    assert made["status"].to_pylist() == ["empty_source", "ok"] or made["status"].to_pylist()[1] == "ok"


def test_missing_words_in_a_memory() -> None:
    made = xner.Projector()(PLAIN)
    made = made.set_column(1, "tokens", pa.array([["Anna", None], [None, None], ["in", "Oslo"]]))
    memory = Memory()
    memory.remember(made)
    assert memory.hint(made)["hints"].to_pylist() == [[], [], []]


@pytest.mark.parametrize("score", [pa.float32(), pa.float64()])
def test_a_missing_row_over_hints(score: pa.DataType) -> None:
    kind = pa.struct([("source", pa.int32()), ("start", pa.int32()), ("end", pa.int32()), ("score", score)])
    values = pa.array([{"source": 0, "start": 1, "end": 2, "score": 9.0}] * 3, kind)
    hints = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), values, mask=pa.array([True, True, False]))
    made = xner.Projector()(PLAIN.append_column("hints", hints))
    assert made["labels"].to_pylist() == LABELS


def test_links_that_lack_a_side(tmp_path: Path) -> None:
    links: Any = pa.array([[{"target": 1, "score": 0.5}], [], []])
    table = PLAIN.set_column(4, "links", links)
    for entry in (xner.Projector(), Pipeline(), xner.view, lambda rows: io.write(rows, tmp_path / "a.pharaoh")):
        with pytest.raises(Error, match="links"):
            entry(table)
    for columns in ([links, PLAIN["links"]], [PLAIN["links"], links]):
        with pytest.raises(DataError, match="expected lists of structs with 'source' and 'target'"):
            link_scores.score(*columns)


@pytest.mark.parametrize(
    "encode", [compute.run_end_encode, pc.dictionary_encode, lambda array: array.cast(pa.string_view())]
)
def test_encoded_statuses(encode: Callable[[Any], Any]) -> None:
    status = encode(pa.array(["ok", "looping", None]))
    table = PLAIN.append_column("status", status)
    expected = xner.Projector()(PLAIN.append_column("status", pa.array(["ok", "looping", None])))
    made = xner.Projector()(table)
    assert made["status"].to_pylist() == expected["status"].to_pylist()
    assert made.schema.field("status").type == schema.STATUS_TYPE
    filtered = Filters(["one-word"])(made.set_column(made.schema.get_field_index("status"), "status", status))
    assert filtered["status"].to_pylist() == ["ok", "looping", None]
    aligned = xner.Aligner.fit(PLAIN["source_tokens"], PLAIN["tokens"])(table)
    assert aligned["status"].to_pylist()[1] == "looping"


@given(data=st.data())
def test_plain_layouts_have_the_same_values(data: st.DataObject) -> None:
    of, text = (data.draw(st.sampled_from(sorted(names))) for names in (LISTS, STRINGS))
    texts = st.none() | st.sampled_from(["", "a", "é", "more than twelve bytes long"])
    rows = data.draw(st.lists(st.none() | st.lists(texts, min_size=2, max_size=2 if "fixed" in of else 3), max_size=6))
    array: Any = pa.array(rows, LISTS[of](STRINGS[text]()))
    start = data.draw(st.integers(0, len(rows)))
    array = array.slice(start, data.draw(st.integers(0, len(rows))))
    nested: Any = pa.StructArray.from_arrays([array], names=["x"])
    for one in (array, nested):
        found = _layouts.plain(one)
        found.validate(full=True)
        assert found.to_pylist() == one.to_pylist()
        assert _layouts.narrowed(found).to_pylist() == one.to_pylist()
    assert not pa.types.is_large_list(_layouts.narrowed(_layouts.plain(array)).type)


def test_views_in_any_order() -> None:
    values = pa.array(["a", "b", "c"])
    kinds: Any = ((pa.ListViewArray, pa.int32()), (pa.LargeListViewArray, pa.int64()))
    for kind, number in kinds:
        views = kind.from_arrays(pa.array([1, 0, 2, 1], number), pa.array([2, 2, 0, 1], number), values)
        assert _layouts.plain(views).to_pylist() == views.to_pylist() == [["b", "c"], ["a", "b"], [], ["b"]]


# -- damage --------------------------------------------------------------------------------------------------


def long_batch(rows: int) -> pa.RecordBatch:
    """Longer than what is checked by pyarrow alone, with nulls and with words beyond ASCII."""
    words = [None if row % 7 == 3 else [f"é{row}", "", "wort"][: row % 4] for row in range(rows)]
    entities = [[{"start": 0, "end": 1, "label": "PER"}] * (row % 3) for row in range(rows)]
    return pa.record_batch(
        {
            "id": pa.array([None if row % 5 == 1 else str(row) for row in range(rows)]),
            "tokens": pa.array(words, pa.list_(pa.string())),
            "source_tokens": pa.array(words, pa.large_list(pa.large_string())),
            "source_entities": pa.array(entities, schema.SOURCE_ENTITIES_TYPE),
            "status": pa.array(["ok", "no_links"] * (rows // 2)).dictionary_encode(),
            "pairs": pa.array([[row, row] for row in range(rows)], pa.list_(pa.int32(), 2)),
        }
    )


def hostile_batch() -> pa.RecordBatch:
    """What projection reads, small, so that a changed byte is one that matters."""
    batch = xner.Projector()(PLAIN).combine_chunks().to_batches()[0]
    return batch.drop_columns(["status"])  # dictionaries are other messages


def body_of(data: bytes) -> int:
    """Where the buffers of a message begin, behind what describes them."""
    return 8 + int.from_bytes(data[4:8], "little")


@given(seed=st.integers(0, 2**32 - 1), start=st.integers(0, 5))
def test_what_is_taken_for_sound_is(seed: int, start: int) -> None:
    random = np.random.default_rng(seed)
    batch = long_batch(400)
    columns = [name for name in batch.schema.names if name != "status"]  # dictionaries are other messages
    message = batch.select(columns).serialize().to_pybytes()
    damaged = bytearray(message)
    for place in random.integers(body_of(message), len(message), int(random.integers(1, 4))):
        damaged[place] ^= 1 << int(random.integers(8))
    found = pa.ipc.read_record_batch(pa.py_buffer(bytes(damaged)), batch.select(columns).schema)
    for array in found.slice(start).columns:
        try:
            _layouts.check_buffers(array, "it")
        except Error:
            with pytest.raises(pa.ArrowInvalid):
                array.validate(full=True)
        else:
            part = pa.concat_arrays([array])  # what the slice shows alone
            part.validate(full=True)
            part.to_pylist()


@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_batches_never_end_the_process(seed: int) -> None:
    random = np.random.default_rng(seed)
    batch = hostile_batch()
    message = batch.serialize().to_pybytes()
    damaged = bytearray(message)
    for place in random.integers(body_of(message), len(message), int(random.integers(1, 6))):
        damaged[place] = int(random.integers(256))
    found = pa.ipc.read_record_batch(pa.py_buffer(bytes(damaged)), batch.schema)
    for stage in (
        xner.Projector(on_error="skip"),
        xner.Projector(method="heuristic"),
        xner.Projector(score="align_characters"),
        lambda rows: xner.memory.Memory().remember(rows),
        lambda rows: labels.encode_batch(rows["source_entities"], rows["tokens"]),
    ):
        with contextlib.suppress(Error):
            stage(found)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_texts_that_begin_within_a_character(kind: pa.DataType) -> None:
    width = np.int32 if kind == pa.string() else np.int64
    data = pa.py_buffer("é".encode() * 3000)
    for step, sound in ((2, True), (3, False)):
        ends = pa.py_buffer(np.arange(0, 6001, step, dtype=width).data)
        array = pa.Array.from_buffers(kind, 6000 // step, [None, ends, data])
        if sound:
            _layouts.check_buffers(array, "it")
        else:
            with pytest.raises(Error, match="it is damaged: it has bytes that are not UTF-8"):
                _layouts.check_buffers(array, "it")


HOSTILE = [
    *(b"\x80", b"\xc3\xa9\xa9"),  # continue nothing
    *(b"\xc3", b"\xe4\xb8", b"\xf0\x9f\x98"),  # cut
    *(b"\xc0\x80", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf"),  # longer than need be
    *(b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff"),  # surrogates, above U+10FFFF
]


@given(
    parts=st.lists(
        st.sampled_from([b"", b"word", b"a" * 70, "é".encode(), "中文".encode(), "😀".encode()])
        | st.text(max_size=40).map(str.encode),
        max_size=60,
    ),
    hostile=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(HOSTILE) | st.binary(max_size=6)), max_size=2),
    kind=st.sampled_from([pa.string(), pa.large_string()]),
    start=st.integers(0, 3),
)
def test_texts_pass_where_python_decodes_each(
    parts: list[bytes], hostile: list[tuple[int, bytes]], kind: pa.DataType, start: int
) -> None:
    for place, part in hostile:
        parts.insert(place, part)
    binary = pa.array(parts, pa.binary() if kind == pa.string() else pa.large_binary())
    array = pa.Array.from_buffers(kind, len(parts), binary.buffers()).slice(start)
    try:
        for part in parts[start:]:
            part.decode()
    except UnicodeDecodeError:
        with pytest.raises(Error, match="it is damaged: it has bytes that are not UTF-8"):
            _layouts.check_buffers(array, "it")
    else:
        _layouts.check_buffers(array, "it")


def damaged_lists(offsets: list[int]) -> pa.Array[Any]:
    """Lists whose offsets change behind pyarrow's back, which looks at some where it makes an array."""
    values = pa.array(["a"] * 2000)
    ends = np.zeros(len(offsets), np.int32)
    array = pa.Array.from_buffers(
        pa.list_(pa.string()), len(offsets) - 1, [None, pa.py_buffer(ends.data)], children=[values]
    )
    ends[:] = offsets
    return array


@pytest.mark.parametrize("offsets", [[0, 2, 1, 3], [0, 2**30, 2, 3], [0, -5, 2, 3], [0, 1, 2, 2**30], [-4, 1, 2, 3]])
def test_damaged_arrays_in_memory(tmp_path: Path, offsets: list[int]) -> None:
    damaged = damaged_lists(offsets)
    table = PLAIN.set_column(1, "tokens", damaged)
    message = "column 'tokens' is damaged: "
    for entry in (
        xner.Projector(),
        Pipeline(),
        Filters(["one-word"]),
        xner.view,
        lambda rows: io.write(rows, tmp_path / "a.txt"),
        lambda rows: io.write(rows, tmp_path / "a.jsonl"),
    ):
        with pytest.raises(Error, match=message):
            entry(xner.Projector()(PLAIN).set_column(1, "tokens", damaged) if isinstance(entry, Filters) else table)
    for call in (
        lambda: xner.evaluate(damaged, damaged),
        lambda: xner.Aligner.fit(damaged, damaged),
        lambda: labels.decode_batch(damaged),
        lambda: labels.encode_batch(PLAIN["source_entities"], damaged),
    ):
        with pytest.raises(Error, match="the Arrow array is damaged: "):
            call()


@pytest.mark.parametrize("suffix", ["arrow", "feather"])
def test_damaged_arrow_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"damaged.{suffix}"
    io.write(pa.Table.from_batches([long_batch(40)]), path)
    whole = path.read_bytes()
    random = np.random.default_rng(5)
    refused = 0
    start = whole.index(b"\xff\xff\xff\xff", 16)
    first, last = start + body_of(whole[start:]), whole.rindex(b"\xff\xff\xff\xff")
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[int(random.integers(first, last))] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            table = io.read(path)
        except FormatError as error:
            assert str(error).startswith(f"{path}: column '")  # noqa: PT017  # most damage is found, some bytes mean nothing
            assert str(error).endswith("; the file is damaged: fetch or write it anew")  # noqa: PT017  # most damage is found, some bytes mean nothing
            refused += 1
        else:
            table.validate(full=True)
            table.to_pylist()
    assert refused > 30


def test_parquet_files_whose_rows_are_not_those_of_the_index(tmp_path: Path) -> None:
    path = tmp_path / "lost.parquet"
    pq.write_table(pa.table({"tokens": [["a", "b"]] * 12}), path)
    whole = path.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    twelve = 24  # as the index writes it
    refused = 0
    for place in range(footer, len(whole) - 8):
        if whole[place] != twelve:
            continue
        damaged = bytearray(whole)
        damaged[place] ^= 2
        path.write_bytes(damaged)
        is_other = False
        with contextlib.suppress(OSError), pq.ParquetFile(path) as file:
            is_other = file.metadata.num_rows == 13
        if not is_other:
            continue
        with pytest.raises(
            FormatError, match=r"lost.parquet: not a usable Parquet file: 12 rows where .* promises 13; .*anew"
        ):
            io.read(path)
        run = command("filter", path, "-o", tmp_path / "out.parquet", "--filter", "one-word")
        assert run.returncode == 1
        assert not (tmp_path / "out.parquet").exists()
        refused += 1
    assert refused


@pytest.mark.parametrize(("suffix", "kind"), [("parquet", "Parquet"), ("arrow", "Arrow")])
def test_damaged_names_of_columns(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"names.{suffix}"
    io.write(pa.table({"tokens": [["a"]]}), path)
    path.write_bytes(path.read_bytes().replace(b"tokens", b"tok\xffns"))
    with pytest.raises(FormatError, match=rf"names.{suffix}: not a usable {kind} file: "):
        io.read(path)


def damaged_files() -> list[Path]:
    data = Path(os.environ.get("XNER_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    return sorted(data.parent.glob("cases/damaged/*.*"))


def test_files_that_once_ended_the_process(tmp_path: Path) -> None:
    files = damaged_files()
    if not files:
        pytest.skip("no damaged files: they lie in cases/damaged beside the folder that XNER_TEST_DATA names")
    for file in files:
        with pytest.raises(FormatError, match=rf"{file.name}: .*; the file is damaged: fetch or write it anew"):
            io.read(file)
        run = command("view", file, "-o", tmp_path / "page.html")
        assert run.returncode == 1
        assert file.name in run.stderr
