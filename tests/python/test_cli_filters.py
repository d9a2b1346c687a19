"""Filters from the command line: with projection, behind it, what is written and what is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from command_line import Run, done, xner
from xner import filters, io, schema
from xner._support.arrow import pylist
from xner.cli.options.filters import FILTERS_HELP

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
Rome B-LOC
sleeps O

Angela B-PER
Merkel I-PER
sings O

Paris B-LOC
and O
Oslo B-LOC
"""
TARGET = "Rom schläft\nMerkel singt\nParis und Oslo\n"
LINKS = "0-0 1-1\n1-0 2-1\n0-0 1-1\n"  # nothing for Angela, nothing for Oslo


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "en.conll").write_text(SOURCE.lstrip(), encoding="utf-8")
    (tmp_path / "de.txt").write_text(TARGET, encoding="utf-8")
    (tmp_path / "de.pharaoh").write_text(LINKS, encoding="utf-8")
    return tmp_path


def project(files: Path, output: str, *options: str) -> Run:
    command = ("project", "--source", "en.conll", "--target", "de.txt", "--links", "de.pharaoh", "-o", output)
    return done(xner(*command, *options, cwd=files))


def test_entities_are_dropped_and_rows_stay(files: Path) -> None:
    run = project(files, "de.conll", "--filter", "source-coverage", "--filter", "one-word")
    assert (files / "de.conll").read_text(encoding="utf-8") == (
        "Rom\tB-LOC\nschläft\tO\n\nMerkel\tO\nsingt\tO\n\nParis\tB-LOC\nund\tO\nOslo\tO\n\n"
    )
    assert run.stderr.splitlines()[:7] == [
        "en.conll: IOB2: LOC, PER",
        "3 sentences: 2 ok, 1 filtered",
        "source entities: 3 LOC, 1 PER",
        "2 of 4 source entities projected and kept (50.0%)",
        "filter           entities dropped  spans adjusted  rows dropped  entities lost with them",
        "source-coverage                 1               0             0                        0",
        "one-word                        0               0             0                        0",
    ]
    assert run.stderr.splitlines()[7] == "written to de.conll"
    assert run.stderr.rstrip().endswith("|filter:source-coverage=1.0|filter:one-word")


@pytest.mark.parametrize("options", [("--filter", "class-counts:row"), ("--filter", "class-counts", "--drop-rows")])
def test_dropped_rows_are_left_out_of_text_formats(files: Path, options: tuple[str, ...]) -> None:
    run = project(files, "de.conll", *options)
    assert (files / "de.conll").read_text(encoding="utf-8") == ("Rom\tB-LOC\nschläft\tO\n\nMerkel\tB-PER\nsingt\tO\n\n")
    assert "3 sentences: 2 ok, 1 row_dropped:class-counts" in run.stderr
    assert "1 of 3 rows left out of de.conll" in run.stderr
    project(files, "de.jsonl", *options)
    assert io.read(files / "de.jsonl").column("id").to_pylist() == ["0", "1"]


def test_rows_behind_one_that_is_left_out_keep_their_ids(files: Path) -> None:
    """So that they can still be found in the source."""
    project(files, "de.conll", "--filter", "source-coverage:row")
    written = io.read(files / "de.conll")
    assert written.column("id").to_pylist() == ["0", "2"]
    assert written.column("labels").to_pylist() == [["B-LOC", "O"], ["B-LOC", "O", "O"]]


def test_parquet_keeps_dropped_rows_and_says_why(files: Path) -> None:
    run = project(files, "de.parquet", "--filter", "source-coverage:row", "--filter", "class-counts:row")
    assert "left out" not in run.stderr
    table = io.read(files / "de.parquet")
    statuses = ["ok", "row_dropped:source-coverage", "row_dropped:class-counts"]
    assert table.column(schema.STATUS).to_pylist() == statuses
    assert [len(row) for row in pylist(table.column(schema.ENTITIES))] == [1, 0, 0]
    assert table.column(schema.LABELS).to_pylist() == [["B-LOC", "O"], ["O", "O"], ["O", "O", "O"]]
    reasons = [[record["reason"] for record in row] for row in pylist(table.column(schema.DROPPED))]
    assert reasons == [[], ["source-coverage"], ["class-counts"]]


def test_without_filters_there_are_no_columns_of_them(files: Path) -> None:
    run = project(files, "de.parquet")
    assert "filter" not in run.stderr
    assert not {schema.DROPPED, schema.ADJUSTED} & set(pq.read_schema(files / "de.parquet").names)


def test_filtering_later_is_filtering_at_once(files: Path) -> None:
    options = ("--filter", "source-coverage", "--filter", "class-counts:row")
    project(files, "whole.parquet")
    for output in ("parquet", "arrow", "jsonl", "conll"):
        at_once, later = f"once.{output}", f"later.{output}"
        project(files, at_once, *options)
        run = done(xner("filter", "whole.parquet", "-o", later, *options, cwd=files))
        assert io.read(files / later).equals(io.read(files / at_once))
        assert "source-coverage                 1" in run.stderr
        assert run.stderr.rstrip().endswith("filter:source-coverage=1.0|filter:class-counts:row")


def test_other_filters_are_another_run(files: Path) -> None:
    """Checkpoints of other filters are not gone on from."""
    project(files, "one.parquet", "--filter", "min-score=5")
    project(files, "two.parquet", "--filter", "min-score=0")
    assert (files / "one.parquet").read_bytes() != (files / "two.parquet").read_bytes()


def test_a_filtered_file_is_viewed_and_evaluated(files: Path) -> None:
    project(files, "de.parquet", "--filter", "min-score=0.7")
    done(xner("view", "de.parquet", "-o", "view.html", cwd=files))
    assert '"min-score"' in (files / "view.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--filter", "one-words"), 2, "there is no filter 'one-words'; did you mean 'one-word'? The filters are"),
        (("--filter", "min-score"), 2, "filter 'min-score': expected min-score=NUMBER"),
        (("--filter", "source-coverage=2"), 2, "source-coverage=2.0: expected a number from 0 to 1"),
        (("--drop-rows",), 2, "--drop-rows goes with --filter"),
    ],
)
def test_wrong_filters(files: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    sides = ("project", "--source", "en.conll", "--target", "de.txt", "-o", "x.conll")
    for command in (sides, ("filter", "en.conll", "-o", "x.conll")):
        run = xner(*command, *arguments, cwd=files)
        assert run.returncode == code
        assert message in run.stderr
        assert not (files / "x.conll").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("en.conll", "-o", "x.conll"), 2, "name a filter with --filter"),
        (("no.parquet", "--filter", "one-word", "-o", "x.conll"), 2, "'no.parquet' does not exist"),
        (
            ("en.conll", "--filter", "one-word", "-o", "x.conll"),
            1,
            "filtering needs the column(s) source_entities, entities; the table has: id, tokens, labels",
        ),
        (("en.conll", "--filter", "one-word", "-o", "x.doc"), 1, "cannot tell the format of 'x.doc'"),
    ],
)
def test_what_cannot_be_filtered(files: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    run = xner("filter", *arguments, cwd=files)
    assert run.returncode == code
    assert message in run.stderr
    assert "Traceback" not in run.stderr


def test_help_describes_every_filter() -> None:
    described = re.findall(r"^  (\S+)\n      (\S.*\.)$", FILTERS_HELP, flags=re.MULTILINE)
    assert [usage for usage, _ in described] == [filters.usage(kind) for kind in filters.FILTERS.values()]
    for command in ("project", "filter"):
        shown = done(xner(command, "--help")).stdout
        assert all(usage in shown and summary in shown for usage, summary in described)
