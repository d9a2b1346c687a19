"""Commands that read, work and write piece by piece: the same bytes, words and errors as of files read as a whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from command_line import done, xner
from xner import io, schema
from xner._support.arrow import pylist
from xner.filters.stage import Filters
from xner.io import sample
from xner.pipelines import runner

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 50
PIECE = 13


@pytest.fixture(scope="module")
def projected(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Projected sentences with gold labels."""
    folder = tmp_path_factory.mktemp("projected")
    sides = [sample.load(language).slice(0, ROWS) for language in ("en", "de")]
    for name, side in zip(("en", "de"), sides, strict=True):
        io.write(side, folder / f"{name}.conll")
    done(xner("project", "--source", "en.conll", "--target", "de.conll", "-o", "out.parquet", cwd=folder))
    return io.read(folder / "out.parquet")


def both_ways(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, output: str = "") -> tuple[Any, ...]:
    """What a command ends with, which is the same piece by piece as of the whole: status, what it says, the output."""
    read = runner.run_read
    found = []
    for in_pieces in (True, False):
        ways: list[bool] = []

        def watched(pieces: Any, whole: Any, run: Any, ways: list[bool] = ways, in_pieces: bool = in_pieces) -> Any:
            def noting(rows: Any, is_whole: bool) -> Any:
                ways.append(is_whole)
                return run(rows, is_whole)

            return read(pieces if in_pieces else None, whole, noting)

        with monkeypatch.context() as patch:
            patch.setattr(runner, "PIECE_ROWS", PIECE)
            patch.setattr(runner, "run_read", watched)
            run = xner(*arguments, cwd=folder)
        assert set(ways) <= {not in_pieces}
        assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
        written = folder / output
        found.append((run.returncode, run.stdout, run.stderr, written.read_bytes() if written.is_file() else None))
        if output:
            written.unlink(missing_ok=True)
    assert found[0] == found[1]
    return found[0]


def with_row(table: pa.Table, name: str, row: int, value: Any) -> pa.Table:
    rows = pylist(table[name])
    rows[row] = value
    return table.set_column(table.schema.names.index(name), name, pa.array(rows, table[name].type))


KINDS = ("parquet", "arrow", "jsonl")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl.gz", "conll"])
def test_filters(projected: pa.Table, kind: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    io.write(projected, tmp_path / f"in.{kind}")
    output = f"out.{suffix}"
    command = ("filter", f"in.{kind}", "--filter", "length-ratio=0.9", "--filter", "min-score=0.6:row", "-o", output)
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output=output)
    assert not status
    assert content
    assert re.search(r"^length-ratio +[1-9]", said, re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_rows_of_what_is_filtered(
    projected: pa.Table, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = [{"label": "LOC", "source": 99, "start": 0, "end": 1, "score": None, "margin": None}]
    table = with_row(projected.drop_columns(["labels"]), "entities", 33, wrong)
    io.write(table, tmp_path / f"in.{kind}")
    command = ("filter", f"in.{kind}", "--filter", "one-word", "-o", "out.jsonl")
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output="out.jsonl")
    assert (status, content) == (1, None)
    assert "row 33" in said
    assert "no such source entity" in said
    longer = [*projected["labels"][40].as_py(), "O"]
    io.write(with_row(with_row(projected, "entities", 33, wrong), "labels", 40, longer), tmp_path / f"in.{kind}")
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output="out.jsonl")
    assert (status, content) == (1, None)
    assert "row 40" in said


def test_filtering_goes_on_after_it_was_stopped(
    projected: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    io.write(projected, tmp_path / "in.parquet")
    command = ("filter", "in.parquet", "--filter", "one-word:row", "-o", "out.conll")
    expected = both_ways(tmp_path, monkeypatch, *command, output="out.conll")
    seen: list[str] = []
    filtered = Filters._filter

    def some(self: Filters, rows: pa.RecordBatch) -> pa.RecordBatch:
        seen.append(rows["id"][0].as_py())
        if len(seen) == 3:
            raise OSError(28, "the disk is full")
        return filtered(self, rows)

    monkeypatch.setattr(runner, "PIECE_ROWS", PIECE)
    monkeypatch.setattr(Filters, "_filter", some)
    assert xner(*command, cwd=tmp_path).returncode
    run = xner(*command, cwd=tmp_path)
    assert (run.returncode, run.stdout, run.stderr, (tmp_path / "out.conll").read_bytes()) == expected
    assert seen == [projected["id"][row].as_py() for row in (0, 13, 26, 26, 39)]


def some_links(rows: int, step: int) -> pa.Table:
    found = [[{"source": n, "target": n, "score": n / 8} for n in range(0, row % 7, step)] for row in range(rows)]
    return pa.table({"links": pa.array(found, schema.LINKS_TYPE)})


@pytest.mark.parametrize("kind", ["pharaoh", *KINDS])
def test_links_are_combined(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, step in (("a", 1), ("b", 2)):
        io.write(some_links(ROWS, step), tmp_path / f"{name}.{kind}")
    output = f"out.{kind}"
    command = ("links", "combine", f"a.{kind}", f"b.{kind}", "--method", "mean", "--threshold", "0.1", "-o", output)
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output=output)
    assert not status
    assert content
    assert re.search(rf"^\d+ links out of \d+ of a.{kind}, \d+ of b.{kind}; written", said)


@pytest.mark.parametrize("kind", ["pharaoh", "parquet"])
@pytest.mark.parametrize(("rows", "hint"), [(ROWS - 14, False), (ROWS - 1, False), (ROWS + 20, False), (ROWS, True)])
def test_links_of_other_numbers_of_rows(
    rows: int, hint: bool, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    io.write(some_links(ROWS, 1), tmp_path / f"a.{kind}")
    other = some_links(rows, 2)
    if hint:
        other = pa.concat_tables([other, pa.table({"links": pa.array([[]] * 15, schema.LINKS_TYPE)})])
    io.write(other, tmp_path / f"b.{kind}")
    command = ("links", "combine", f"a.{kind}", f"b.{kind}", "-o", "out.pharaoh")
    status, _, said, _ = both_ways(tmp_path, monkeypatch, *command, output="out.pharaoh")
    assert status == 1
    assert f"has links for {other.num_rows} sentence pairs but there are {ROWS}" in said
    assert ("`head -n" in said) == hint
