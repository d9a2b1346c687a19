from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import io, schema
from xner.errors import DataError, Error, FormatError
from xner.io import _lines
from xner.io.sides import read_links

if TYPE_CHECKING:
    from pathlib import Path

Link = tuple[int, int, float | None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pharaoh")


def save(folder: Path, content: str) -> Path:
    path = folder / "file.pharaoh"
    path.write_bytes(content.encode())
    return path


def array_of(rows: list[list[Link]]) -> pa.Array[Any]:
    names = ("source", "target", "score")
    return pa.array([[dict(zip(names, link, strict=True)) for link in row] for row in rows], schema.LINKS_TYPE)


def rows_of(links: pa.Array[Any]) -> list[list[Link]]:
    rows: Any = links.to_pylist()
    return [[(link["source"], link["target"], link["score"]) for link in row] for row in rows]


def test_reads_links_in_the_order_of_the_file(folder: Path) -> None:
    path = save(folder, "\ufeff3-1 0-0 0-0\r\n\r\n 10-2:0.5\t7-123:1e-3  \n0-0")
    links = io.read_pharaoh(path)
    assert links.type == schema.LINKS_TYPE
    assert rows_of(links) == [
        [(3, 1, None), (0, 0, None), (0, 0, None)],
        [],
        [(10, 2, 0.5), (7, 123, float(np.float32(1e-3)))],
        [(0, 0, None)],
    ]
    assert rows_of(io.read_pharaoh(path, reverse=True))[0] == [(1, 3, None), (0, 0, None), (0, 0, None)]


def test_possible_links(folder: Path) -> None:
    path = save(folder, "1-1 2p3 4?5\n6p7\n")
    pairs = {
        which: [[(s, t) for s, t, _ in row] for row in rows_of(io.read_pharaoh(path, one_based=True, possible=which))]
        for which in ("keep", "drop", "only")
    }
    assert pairs == {
        "keep": [[(0, 0), (1, 2), (3, 4)], [(5, 6)]],
        "drop": [[(0, 0)], []],
        "only": [[(1, 2), (3, 4)], [(5, 6)]],
    }


def test_files_without_links(folder: Path) -> None:
    assert rows_of(io.read_pharaoh(save(folder, ""))) == []
    assert rows_of(io.read_pharaoh(save(folder, "\n \n"))) == [[], []]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("0-0\n1-1 x\n", {}, r"line 2: 'x' is not a link; expected source-target, as in 0-2 or 0-2:0.75"),
        ("0-\n", {}, r"line 1: '0-' is not a link"),
        ("-1\n", {}, r"line 1: '-1' is not a link"),
        ("0--1\n", {}, r"line 1: '0--1' is not a link"),
        ("5\n", {}, r"line 1: '5' is not a link"),
        ("0-1-2\n", {}, r"line 1: '0-1-2' is not a link"),
        ("0:1\n", {}, r"line 1: '0:1' is not a link"),
        ("0-1x\n", {}, r"line 1: '0-1x' is not a link"),
        ("0 - 1\n", {}, r"line 1: '0' is not a link"),
        ("0-\u0661\n", {}, r"line 1: '0-\u0661' is not a link"),
        ("1234567890-1\n", {}, r"line 1: '1234567890-1' is not a link"),
        ("1-1 0-0:\n", {}, r"line 1: '0-0:' has a score that is not a number of 0 or more"),
        ("0-0:x\n", {}, r"line 1: '0-0:x' has a score"),
        ("0-0:-1\n", {}, r"line 1: '0-0:-1' has a score"),
        ("0-0:nan\n", {}, r"line 1: '0-0:nan' has a score"),
        ("0-0:1e99\n", {}, r"line 1: '0-0:1e99' has a score"),
        ("0-0:1:2\n", {}, r"line 1: '0-0:1:2' has a score"),
        ("1-1 2-0\n", {"one_based": True}, r"line 1: '2-0' has the index 0, but indices start at 1"),
    ],
)
def test_bad_files(folder: Path, content: str, options: dict[str, bool], message: str) -> None:
    path = save(folder, content)
    with pytest.raises(FormatError, match=message) as caught:
        io.read_pharaoh(path, **options)  # type: ignore[arg-type]  # only Boolean options are tried
    assert str(caught.value).startswith(f"{path}, line ")


def test_bad_option(folder: Path) -> None:
    with pytest.raises(Error, match="possible must be 'keep', 'drop' or 'only', not 'maybe'"):
        io.read_pharaoh(save(folder, ""), possible="maybe")  # type: ignore[arg-type]  # wrong on purpose


scores = st.none() | st.floats(0, 1, width=32)
links = st.tuples(st.integers(0, 999_999_999), st.integers(0, 300), scores)


@given(
    rows=st.lists(st.lists(links, max_size=5), max_size=6),
    block=st.integers(3, 30),
    suffix=st.sampled_from(["", ".gz"]),
)
def test_round_trip(folder: Path, rows: list[list[Link]], block: int, suffix: str) -> None:
    array = array_of(rows)
    path = folder / f"round.pharaoh{suffix}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_lines, "BLOCK_BYTES", block)
        io.write_pharaoh(array, path, scores=True)
        assert array.equals(io.read_pharaoh(path))
        io.write_pharaoh(pa.chunked_array([array.slice(0, 1), array.slice(1)]), path)
        assert rows_of(io.read_pharaoh(path)) == [[(s, t, None) for s, t, _ in row] for row in rows]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[], None], r"row 1, column 'links', value null: this format has no way to write a missing list"),
        (
            [[], [{"source": 0, "target": None, "score": 1.0}]],
            r"row 1, column 'links', .*: the target must be a number",
        ),
        (
            [[{"source": 0, "target": 0, "score": float("nan")}]],
            r"row 0, column 'links', .*: the score must be a number",
        ),
        (
            [[{"source": 0, "target": 0, "score": float("inf")}]],
            r"row 0, column 'links', .*: the score must be a number",
        ),
    ],
)
def test_links_that_cannot_be_written(folder: Path, values: list[list[dict[str, float]] | None], message: str) -> None:
    with pytest.raises(DataError, match=message):
        io.write_pharaoh(pa.array(values, schema.LINKS_TYPE), folder / "none.pharaoh", scores=True)


def test_columns_that_are_no_links(folder: Path) -> None:
    with pytest.raises(Error, match=r"column 'links' must hold links with source, target, not list<item: int64>"):
        io.write_pharaoh(pa.array([[1]]), folder / "none.pharaoh")
    with pytest.raises(Error, match=r"column 'links' must hold lists, not int64"):
        io.write_pharaoh(pa.array([1]), folder / "none.pharaoh")
    with pytest.raises(Error, match=r"there is no column 'links'; the columns are tokens"):
        io.write(pa.table({"tokens": [["a"]]}), folder / "none.pharaoh")


def test_links_without_a_score_field(folder: Path) -> None:
    wide = pa.array(
        [[{"source": 1, "target": 2}]],
        pa.large_list(pa.struct([("source", pa.int64()), ("target", pa.int64())])),
    )
    io.write_pharaoh(wide, folder / "wide.pharaoh")
    assert (folder / "wide.pharaoh").read_bytes() == b"1-2\n"


def test_golden_files_come_back_byte_for_byte(test_data: Path, folder: Path) -> None:
    paths = sorted(test_data.glob("golden/links.*.pharaoh"))
    assert paths
    for path in paths:
        table = io.read(path)
        assert table.num_rows == 799
        io.write(table, folder / "copy.pharaoh")
        assert (folder / "copy.pharaoh").read_bytes() == path.read_bytes()


def test_hand_made_alignments(test_data: Path) -> None:
    path = test_data / "word-alignment/enfr.gold"
    counts = [
        len(io.read_pharaoh(path, one_based=True, possible=which).flatten()) for which in ("keep", "drop", "only")
    ]
    assert counts == [17438, 4038, 13400]


def test_a_packed_table_has_its_column_of_links(folder: Path) -> None:
    links = array_of([[(0, 2, None)], []])
    for name in ("links.jsonl", "links.jsonl.gz", "links.parquet"):
        io.write(pa.table({schema.LINKS: links}), folder / name)
        found = read_links(folder / name, 2, one_based=False, reverse=False)
        assert rows_of(found.combine_chunks()) == [[(0, 2, None)], []]
    with pytest.raises(Error, match="has links for 2 sentence pairs but there are 3 sentence pairs"):
        read_links(folder / "links.jsonl.gz", 3, one_based=False, reverse=False)


@pytest.mark.parametrize("block", [1 << 20, 16])
def test_lines_that_hold_something_else_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, block: int
) -> None:
    monkeypatch.setattr(_lines, "BLOCK_BYTES", block)
    path = tmp_path / "x.pharaoh"
    path.write_text("0-0 1-1\n0-x\n\n3-4:0.5\n2-2:nan\n0?0")
    good = io.read_pharaoh(path, on_error="skip").to_pylist()
    assert good[1] is None
    assert good[4] is None
    assert [None if row is None else [(one["source"], one["target"]) for one in row] for row in good] == [
        [(0, 0), (1, 1)],
        None,
        [],
        [(3, 4)],
        None,
        [(0, 0)],
    ]
    assert f"2 lines without usable links were skipped; the first one is {path}, line 2: '0-x' is not" in caplog.text
    with pytest.raises(FormatError, match="line 2: '0-x' is not a link"):
        io.read_pharaoh(path)
    with pytest.raises(Error, match="on_error"):
        io.read_pharaoh(path, on_error="drop")  # type: ignore[arg-type]  # what is no choice
    caplog.clear()
    path.write_text("0-0\n\n")
    assert io.read_pharaoh(path, on_error="skip").equals(io.read_pharaoh(path))
    assert not caplog.records
