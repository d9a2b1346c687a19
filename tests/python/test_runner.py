"""The local runner: parts, resume, reports."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from xner import io
from xner._support.arrow import pylist
from xner.errors import DataError, Error
from xner.pipelines import runner
from xner.pipelines.checkpoints import Checkpoints, checkpoints
from xner.pipelines.engines import LOCAL
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


def table(rows: int) -> pa.Table:
    return pa.table({"id": [f"r{i}" for i in range(rows)], "tokens": [["w"] * (i % 3) for i in range(rows)]})


def add_number(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.append_column("words", pa.array([len(words) for words in pylist(batch.column("tokens"))]))


def run(rows: int, output: Path, key: str = "k", *, stage: Any = add_number, **options: Any) -> pa.Table:
    with checkpoints(output, key) as kept:
        return runner.run(table(rows), stage, kept, part_rows=4, **options)


def test_rows_keep_their_order_and_reports_count_them(tmp_path: Path) -> None:
    reports: list[tuple[str, int, int]] = []
    run(10, tmp_path / "out.parquet", report=lambda *report: reports.append(report), what="counting")
    written = io.read(tmp_path / "out.parquet")
    assert written.column("id").to_pylist() == [f"r{i}" for i in range(10)]
    assert written.column("words").to_pylist() == [i % 3 for i in range(10)]
    assert reports == [("counting", 4, 10), ("counting", 8, 10), ("counting", 10, 10)]


def test_an_empty_table_gives_an_empty_file(tmp_path: Path) -> None:
    run(0, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_a_part_of_the_result_is_written_and_all_of_it_returned(tmp_path: Path) -> None:
    result = run(10, tmp_path / "out.parquet", select=lambda made: made.slice(0, 3))
    assert result.num_rows == 10
    assert io.read(tmp_path / "out.parquet").equals(result.slice(0, 3))


def test_a_failed_run_resumes_after_its_last_part(tmp_path: Path) -> None:
    run(10, tmp_path / "whole.parquet")
    seen: list[str] = []

    def fails_at_r8(batch: pa.RecordBatch) -> pa.RecordBatch:
        seen.append(batch.column("id")[0].as_py())
        if seen == ["r0", "r4", "r8"]:
            raise OSError("the disk is full")
        return add_number(batch)

    with pytest.raises(OSError, match="the disk is full"):
        run(10, tmp_path / "out.parquet", stage=fails_at_r8)
    assert not (tmp_path / "out.parquet").exists()
    run(10, tmp_path / "out.parquet", stage=fails_at_r8)
    assert seen == ["r0", "r4", "r8", "r8"], "finished parts are not made again"
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "whole.parquet"]


@pytest.mark.parametrize(("key", "resume"), [("other", True), ("k", False)])
def test_parts_of_another_run_are_not_used(tmp_path: Path, key: str, *, resume: bool) -> None:
    first = Checkpoints.open(tmp_path / "out.parquet", "k")
    first.path("part-000000.arrow").write_bytes(b"from the other run")
    second = Checkpoints.open(tmp_path / "out.parquet", key, resume=resume)
    assert not second.path("part-000000.arrow").exists()


def test_a_part_cut_short_by_a_kill_is_never_seen(tmp_path: Path) -> None:
    """Parts are written aside: what a killed process leaves behind does not have a part's name."""
    checkpoints = Checkpoints.open(tmp_path / "out.parquet", "k")
    checkpoints.path(".part-000000.arrow.0123.tmp").write_bytes(b"half")
    runner.run(table(3), add_number, checkpoints, part_rows=4)
    assert io.read(tmp_path / "out.parquet").num_rows == 3


@pytest.mark.parametrize("way", ["emptied", "half", "a bit", "no digest", "a wrong digest"])
def test_a_damaged_part_is_made_again(tmp_path: Path, way: str) -> None:
    made: list[str] = []

    def stage(batch: pa.RecordBatch) -> pa.RecordBatch:
        made.append(batch.column("id")[0].as_py())
        return add_number(batch)

    kept = Checkpoints.open(tmp_path / "out.parquet", "k")
    whole = runner.run_parts(table(10), stage, kept, part_rows=4).to_pylist()
    path = kept.path("part-000001.arrow")
    content = bytearray(path.read_bytes())
    if way == "emptied":
        path.write_bytes(b"")
    elif way == "half":
        path.write_bytes(content[: len(content) // 2])
    elif way == "a bit":
        content[len(content) // 2] ^= 4
        path.write_bytes(content)
    elif way == "no digest":
        kept.path("part-000001.arrow.sha256").unlink()
    else:
        kept.path("part-000001.arrow.sha256").write_bytes(b"\xff")
    assert runner.run_parts(table(10), stage, kept, part_rows=4).to_pylist() == whole
    assert made == ["r0", "r4", "r8", "r4"]


class Ahead:
    """An engine that asks for some pieces ahead, as one with workers does; it notes how many rows it was handed."""

    def __init__(self, most: int) -> None:
        self.most, self.handed_out, self.done = most, 0, 0
        self.most_rows = 0
        self.part_rows: int | None = None
        self.has_model = True

    def map(self, stage: Callable[[Any], Any], pieces: Iterable[Any], *, has_model: bool = False) -> Iterator[Any]:
        assert has_model == self.has_model
        waiting: list[Any] = []
        for piece in pieces:
            waiting.append(piece)
            self.handed_out += piece.num_rows
            self.most_rows = max(self.most_rows, self.handed_out - self.done)
            if len(waiting) > self.most:
                yield self._next(stage, waiting)
        while waiting:
            yield self._next(stage, waiting)

    def _next(self, stage: Callable[[Any], Any], waiting: list[Any]) -> Any:
        piece = waiting.pop(0)
        self.done += piece.num_rows
        return stage(piece)


@dataclass
class Rows:
    rows: int = 0

    def add(self, other: Rows) -> None:
        self.rows += other.rows

    def to_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Rows:
        return cls(**values)


def in_parts(pieces: Iterable[pa.Table], output: Path, stage: Any, engine: Any, *, model_rows: int | None = 4) -> int:
    """Rows in pieces of 10, whose parts have 4."""
    how: Any = {"count": lambda done: Rows(done.num_rows), "engine": engine, "model_rows": model_rows}
    with checkpoints(output, "k") as kept:
        counts: Rows = runner.run_pieces(pieces, stage, kept, counts=Rows(), **how)
    return counts.rows


@pytest.mark.parametrize("ahead", [0, 1, 5, 50])
def test_parts_of_several_pieces_are_handed_out(ahead: int, tmp_path: Path) -> None:
    """As far ahead as an engine asks; pieces, whose rows may be the same, are read no further than that."""
    rows, read = pa.concat_tables([table(37), table(20)]), [0]

    def pieces() -> Iterator[pa.Table]:
        for first in range(0, rows.num_rows, 10):
            read[0] += 1
            yield rows.slice(first, 10)

    engine = Ahead(ahead)
    made: list[int] = []

    def stage(batch: pa.RecordBatch) -> pa.RecordBatch:
        made.append(batch.num_rows)
        assert read[0] <= (sum(made) + 4 * ahead) // 10 + 2
        return add_number(batch)

    assert in_parts(pieces(), tmp_path / "out.parquet", stage, engine) == rows.num_rows
    assert made == [4, 4, 2] * 5 + [4, 3]
    assert engine.most_rows <= 4 * (ahead + 1)
    found = io.read(tmp_path / "out.parquet")
    assert found.column("id").equals(rows.column("id"))
    assert found.column("words").to_pylist() == [len(words) for words in pylist(rows.column("tokens"))]


def test_parts_that_an_engine_wants(tmp_path: Path) -> None:
    """Pieces are cut for it where no model computes; what a wrong row is counted from stays."""
    rows, engine = table(57), Ahead(5)
    engine.part_rows, engine.has_model = 3, False
    made: list[int] = []

    def stage(batch: pa.RecordBatch) -> pa.RecordBatch:
        made.append(batch.num_rows)
        if batch.column("id")[0].as_py() == wrong:
            raise DataError(1, "tokens", "'w'", "not liked")
        return add_number(batch)

    pieces, wrong = [rows.slice(place, 10) for place in range(0, 57, 10)], ""
    assert in_parts(pieces, tmp_path / "out.parquet", stage, engine, model_rows=None) == 57
    assert made == [3, 3, 3, 1] * 5 + [3, 3, 1]
    in_parts(pieces, tmp_path / "whole.parquet", stage, LOCAL, model_rows=None)
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    wrong = "r46"
    with pytest.raises(DataError) as caught:
        in_parts(pieces, tmp_path / "out.parquet", stage, engine, model_rows=None)
    assert caught.value.row == 47


@pytest.mark.parametrize(("first", "then"), [(5, 0), (0, 5), (3, 3)])
def test_parts_that_one_engine_made_are_taken_with_another(first: int, then: int, tmp_path: Path) -> None:
    rows = table(57)
    pieces = [rows.slice(place, 10) for place in range(0, 57, 10)]
    made: list[str] = []

    def stage(batch: pa.RecordBatch) -> pa.RecordBatch:
        made.append(batch.column("id")[0].as_py())
        if made.count("r34") == 1 and made[-1] == "r34":
            raise OSError("the disk is full")
        return add_number(batch)

    with pytest.raises(OSError, match="the disk is full"):
        in_parts(pieces, tmp_path / "out.parquet", stage, Ahead(first))
    assert in_parts(pieces, tmp_path / "out.parquet", stage, Ahead(then)) == 57
    assert made.count("r34") == 2
    assert len(made) == len(set(made)) + 1, "finished parts are not made again"
    in_parts(pieces, tmp_path / "whole.parquet", stage, Ahead(0))
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_a_damaged_marker_is_that_of_another_run(tmp_path: Path) -> None:
    kept = Checkpoints.open(tmp_path / "out.parquet", "k")
    kept.path("run.json").write_bytes(b"\xff")
    kept.path("part").write_bytes(b"x")
    assert not Checkpoints.open(tmp_path / "out.parquet", "k").path("part").exists()


def test_errors_count_rows_of_the_whole_table(tmp_path: Path) -> None:
    def wrong(batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.column("id")[0].as_py() == "r4":
            raise DataError(1, "tokens", "'w'", "not liked", row_id="r5")
        return add_number(batch)

    with pytest.raises(DataError) as caught:
        run(10, tmp_path / "out.parquet", stage=wrong)
    assert str(caught.value) == "row 5 (id 'r5'), column 'tokens', value 'w': not liked"


def test_a_stage_may_not_lose_rows(tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"^the stage made 3 rows of 4$"):
        run(10, tmp_path / "out.parquet", stage=lambda batch: batch.slice(1))
    assert not list(tmp_path.iterdir()), "what would fail again is not kept"


def test_outputs_that_cannot_be_written_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"it is a folder$"):
        Checkpoints.open(tmp_path, "k")
    with pytest.raises(Error, match=r"the folder '.*no' does not exist$"):
        Checkpoints.open(tmp_path / "no" / "out.parquet", "k")


def test_one_run_at_a_time_writes_an_output(tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    with checkpoints(output, "k") as kept:
        kept.path("a").write_text("x")
        with (
            pytest.raises(
                Error, match=rf"out.parquet' is being written by process {os.getpid()} on .+, since \d{{4}}-"
            ),
            checkpoints(output, "k"),
        ):
            pass
        assert kept.path("a").read_text() == "x", "the refused run leaves what the first one has finished"
        with checkpoints(tmp_path / "other.parquet", "k"):
            pass
    assert list(tmp_path.iterdir()) == []
    with checkpoints(output, "k"):
        pass


def test_the_lock_of_a_process_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    code = (
        "import sys, time\nfrom xner.pipelines.checkpoints import checkpoints\n"
        "with checkpoints(sys.argv[1], 'k') as kept:\n    kept.path('a').write_text('x')\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(output)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Error, match=f"process {other.pid} on "), checkpoints(output, "k"):
            pass
        other.kill()
        other.wait()
    assert (tmp_path / ".out.parquet.lock").exists()
    with checkpoints(output, "k") as kept:
        assert kept.path("a").read_text() == "x"
    assert list(tmp_path.iterdir()) == []


def test_without_locks_in_the_file_system_nothing_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with checkpoints(tmp_path / "out.parquet", "k"), checkpoints(tmp_path / "out.parquet", "k"):
        pass


def test_the_fingerprint_is_of_contents_and_options(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x", encoding="utf-8")
    (tmp_path / "b").write_text("x", encoding="utf-8")
    (tmp_path / "c").write_text("y", encoding="utf-8")
    base = fingerprint({"source": tmp_path / "a", "links": None}, {"n": 1})
    assert fingerprint({"links": None, "source": tmp_path / "b"}, {"n": 1}) == base
    assert fingerprint({"source": tmp_path / "c", "links": None}, {"n": 1}) != base
    assert fingerprint({"source": tmp_path / "a", "links": None}, {"n": 2}) != base
    assert fingerprint({"source": None, "links": tmp_path / "a"}, {"n": 1}) != base


def test_progress_is_drawn_only_on_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_reporter() as report:
        report("work", 1, 2)
    assert capfd.readouterr() == ("", "")
    with progress_reporter(enabled=True) as report:
        report("work", 1, 2)
        report("work", 2, 2)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "work" in shown.err
    assert "2/2" in shown.err
