"""Corpora in several files: a shard of output for each of input, and a manifest that says what is there."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import done, xner
from interruptions import note_calls
from xner import Aligner, DataError, Error, OptionError, Pipeline, io, scan_pairs, schema
from xner._support.arrow import pylist
from xner.io import sample
from xner.pipelines import runner
from xner.pipelines.shard_names import MANIFEST, left_out_lines, shard_files, together
from xner.pipelines.shards import project_into_one, project_shards, shards_of
from xner.projection.name_counts import NameCounts

if TYPE_CHECKING:
    from random import Random

    from xner.io.pairs import Pairs

ROWS = (12, 9, 14)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Folders of English, German and links, three files each."""
    first = 0
    for name in ("en", "de", "links"):
        (tmp_path / name).mkdir()
    for number, rows in enumerate(ROWS):
        source, target = (sample.load(language).slice(first, rows) for language in ("en", "de"))
        io.write(source, tmp_path / "en" / f"en-{number}.conll")
        io.write(target.select(["id", "tokens"]), tmp_path / "de" / f"de-{number}.parquet")
        (tmp_path / "links" / f"{number}.pharaoh").write_text("0-0\n" * rows, encoding="utf-8")
        first += rows
    return tmp_path


def scanned(corpus: Path) -> list[Pairs]:
    found = shards_of(scan_pairs(corpus / "en", corpus / "de", links=corpus / "links" / "*.pharaoh"))
    assert found is not None
    return found


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_each_file_is_projected_by_itself(corpus: Path) -> None:
    run = xner("project", "--source", "en", "--target", "de/de-*.parquet", "--links", "links", "-o", "out", cwd=corpus)
    assert run.returncode == 0, run.stderr
    assert f"{sum(ROWS)} sentences: " in run.stderr
    assert "written to out" in run.stderr
    assert sorted(path.name for path in (corpus / "out").iterdir()) == [
        "de-0.conll",
        "de-1.conll",
        "de-2.conll",
        "manifest.json",
    ]
    said = manifest(corpus / "out")
    assert "missing" not in said
    assert said["signature"] == run.stderr.splitlines()[-1]
    for number, (rows, shard) in enumerate(zip(ROWS, said["shards"], strict=True)):
        alone = corpus / "alone.conll"
        pairs = scan_pairs(
            corpus / f"en/en-{number}.conll",
            corpus / f"de/de-{number}.parquet",
            links=corpus / f"links/{number}.pharaoh",
        )
        Pipeline().run(pairs, alone)
        content = (corpus / "out" / shard["name"]).read_bytes()
        assert content == alone.read_bytes()
        assert (shard["rows"], shard["bytes"]) == (rows, len(content))
        assert shard["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_run_that_was_stopped_goes_on_with_the_next_shard(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline()
    expected = str(project_shards(pipeline, scanned(corpus), corpus / "whole")).replace("whole", "out")
    tried: list[str] = []
    run = Pipeline.run

    def stops(self: Pipeline, table: Any, output: Any, **how: Any) -> Any:
        tried.append(output.name)
        if len(tried) == 2:
            raise KeyboardInterrupt
        return run(self, table, output, **how)

    monkeypatch.setattr(Pipeline, "run", stops)
    with pytest.raises(KeyboardInterrupt):
        project_shards(pipeline, scanned(corpus), corpus / "out")
    assert [one["rows"] for one in manifest(corpus / "out")["shards"]] == [12]
    assert manifest(corpus / "out")["missing"] == ["de-1.conll", "de-2.conll"]
    assert str(project_shards(pipeline, scanned(corpus), corpus / "out")) == expected
    assert tried == ["de-0.conll", "de-1.conll", "de-1.conll", "de-2.conll"]
    for path in (corpus / "whole").iterdir():
        assert path.read_bytes() == (corpus / "out" / path.name).read_bytes()
    project_shards(pipeline, scanned(corpus), corpus / "out")
    assert len(tried) == 4, "nothing is done again"
    (corpus / "links" / "1.pharaoh").write_text("0-0\n" * 8 + "1-1\n", encoding="utf-8")
    project_shards(pipeline, scanned(corpus), corpus / "out")
    assert tried[4:] == ["de-1.conll"], "only what has changed is"
    project_shards(Pipeline(matcher="greedy"), scanned(corpus), corpus / "out")
    assert tried[5:] == ["de-0.conll", "de-1.conll", "de-2.conll"]


def test_a_run_that_was_stopped_before_it_noted_a_shard(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shard that it has replaced is no longer what the run before had made, and nobody's own either."""
    project_shards(Pipeline(method="heuristic"), scanned(corpus), corpus / "out")
    project_shards(Pipeline(), scanned(corpus), corpus / "whole")

    def stops(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("xner.pipelines.shards._Manifest.note", stops)
        with pytest.raises(KeyboardInterrupt):
            project_shards(Pipeline(), scanned(corpus), corpus / "out")
    assert manifest(corpus / "out")["missing"] == ["de-0.conll"]
    project_shards(Pipeline(), scanned(corpus), corpus / "out")
    for path in (corpus / "whole").iterdir():
        assert path.read_bytes() == (corpus / "out" / path.name).read_bytes()


def test_what_is_somebodys_own_is_left(corpus: Path) -> None:
    pipeline, folder = Pipeline(), corpus / "out"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(Error, match=r"there are files in it and no 'manifest.json'"):
        project_shards(pipeline, scanned(corpus), folder)
    (folder / "notes.txt").unlink()
    project_shards(pipeline, scanned(corpus), folder)
    shard = folder / "de-1.conll"
    content = shard.read_text(encoding="utf-8")
    shard.write_text(content + "mine\tO\n\n", encoding="utf-8")
    with pytest.raises(Error, match=r"de-1.conll' was changed since it was written"):
        project_shards(pipeline, scanned(corpus), folder)
    shard.write_text(content, encoding="utf-8")
    shard.rename(folder / "de-9.conll")
    with pytest.raises(Error, match=r"de-9.conll' is none of the shards that 'manifest.json' names"):
        project_shards(pipeline, scanned(corpus), folder)
    (folder / "de-9.conll").rename(shard)
    with pytest.raises(Error, match=r"de-2.conll' is of a run of other files"):
        project_shards(pipeline, scanned(corpus)[:2], folder)
    with pytest.raises(OptionError, match=r"several files go into a folder, and '.*de-1.conll' is a file"):
        project_shards(pipeline, scanned(corpus), shard)
    known = folder / "manifest.json"
    for damaged in ("[]", known.read_text(encoding="utf-8")[:100]):
        known.write_text(damaged, encoding="utf-8")
        with pytest.raises(Error, match=r"its 'manifest.json', which says whose its files are, is damaged"):
            project_shards(pipeline, scanned(corpus), folder)


@pytest.mark.parametrize(
    ("memory", "aligner"), [(None, []), (True, []), (None, ["builtin"])], ids=["pieces", "whole", "aligned"]
)
def test_errors_about_rows_name_the_file(corpus: Path, memory: bool | None, aligner: list[str]) -> None:
    good, bad = corpus / "links" / "0.pharaoh", corpus / "bad.pharaoh"
    bad.write_text("0-0\n1-1\n0-99\n" + "0-0\n" * (ROWS[0] - 3), encoding="utf-8")
    io.write(io.read(bad), corpus / "bad.parquet")
    sides = corpus / "en/en-0.conll", corpus / "de/de-0.parquet"
    for links, place in (
        ([good, bad], f"line 3 of '{bad}'"),
        ([bad], f"line 3 of '{bad}'"),
        ([good, bad.with_suffix(".parquet")], f"in '{corpus}/bad.parquet'"),
    ):
        with pytest.raises(DataError, match=rf"^row 2 .*value 0-99: {place}: the target sentence has") as error:
            Pipeline(memory=memory, aligner=aligner).run(scan_pairs(*sides, links=links), corpus / "o.conll")
        assert (error.value.row, error.value.column, error.value.row_id) == (2, "links", "2")
    spans = corpus / "spans.jsonl"
    spans.write_text('{"tokens":["a"],"entities":[[0,9,"X"]]}\n' * ROWS[0], encoding="utf-8")
    with pytest.raises(DataError, match=rf"^row 0 .*column 'source_entities'.*: in '{spans}': "):
        Pipeline(memory=memory, aligner=aligner).run(scan_pairs(spans, sides[1], links=good), corpus / "o.conll")


def in_one_file(corpus: Path) -> Pairs:
    """The corpus of the folders."""
    kinds = {"en": "conll", "de": "parquet", "links": "pharaoh"}
    for kind, suffix in kinds.items():
        files = sorted((corpus / kind).glob(f"*.{suffix}"))
        if suffix == "parquet":
            io.write(pa.concat_tables([io.read(path) for path in files]), corpus / "one.parquet")
        else:
            (corpus / f"one.{suffix}").write_bytes(b"".join(path.read_bytes() for path in files))
    return scan_pairs(corpus / "one.conll", corpus / "one.parquet", links=corpus / "one.pharaoh")


@pytest.fixture
def recurring(corpus: Path) -> Path:
    """The same folders with rows that recur in another shard, and words in another order, so that names do."""
    for number, rows in enumerate(ROWS):
        source, target = (sample.load(language).slice(0, rows) for language in ("en", "de"))
        io.write(source, corpus / "en" / f"en-{number}.conll")
        ids = pa.array([f"{number}-{row}" for row in range(rows)])
        io.write(pa.table({"id": ids, "tokens": target["tokens"]}), corpus / "de" / f"de-{number}.parquet")
        lengths = [
            min(len(row) for row in pair)
            for pair in zip(*(pylist(side["tokens"]) for side in (source, target)), strict=True)
        ]
        lines = [" ".join(f"{n}-{n}" for n in range(length)) for length in lengths]
        (corpus / "links" / f"{number}.pharaoh").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return corpus


@pytest.mark.parametrize("piece", [5, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("options", "is_linked"),
    [
        ({}, False),
        pytest.param({"memory": False}, False, marks=pytest.mark.slow),
        pytest.param({"memory": True, "names_memory": "10MB"}, True, marks=pytest.mark.slow),
        ({"aligner": ["builtin"], "aligner_memory": "10MB", "combine": "intersect"}, True),
        ({"filters": ["one-word:row"], "on_error": "skip", "nested": "keep"}, False),
    ],
)
def test_folders_give_what_the_corpus_in_one_file_gives(
    recurring: Path, options: dict[str, Any], is_linked: bool, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PIECE_ROWS", piece)
    if "aligner_memory" in options:  # so little that it is fitted in blocks, whose limits are not those of files
        monkeypatch.setattr("xner.alignment._fitting._BYTES_PER_CELL", 3000)
    one, several = in_one_file(recurring), scanned(recurring)
    if not is_linked:
        one, several = replace(one, links=()), [replace(shard, links=()) for shard in several]
    expected = Pipeline(**options).run(one, recurring / "expected.parquet")
    said: list[str] = []
    run = project_shards(Pipeline(**options), several, recurring / "out", format="parquet", told=said.append)
    assert any(re.search(r"fitted in \d+ blocks", line) for line in said) == ("aligner_memory" in options)
    assert (run.counts, run.signature) == (expected.counts, expected.signature)
    assert (
        run.memory == ("memory:yes" in manifest(recurring / "out")["signature"]) == (options.get("memory") is not False)
    )
    found = pa.concat_tables([io.read(recurring / "out" / f"de-{number}.parquet") for number in range(3)])
    whole = io.read(recurring / "expected.parquet")
    assert found.to_pylist() == whole.to_pylist()
    assert not run.memory or any(pylist(whole["hints"])), "nothing was remembered"
    project_into_one(Pipeline(**options), several, recurring / "joint.parquet")
    assert io.read(recurring / "joint.parquet").to_pylist() == whole.to_pylist()
    assert not [path for folder in (recurring, recurring / "out") for path in folder.iterdir() if path.name[0] == "."]


@pytest.mark.parametrize("stopped_at", [*(pytest.param(one, marks=pytest.mark.slow) for one in (1, 3, 5)), 7])
def test_what_is_of_all_shards_is_found_once(recurring: Path, stopped_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = [replace(one, links=()) for one in scanned(recurring)]
    project_shards(Pipeline(), shards, recurring / "whole")
    seen: list[str] = []
    told: list[str] = []

    steps = (Aligner, "fit_batches"), (Aligner, "align_batch"), (NameCounts, "write"), (Pipeline, "_recalled_piece")
    for stops in (True, False):
        with monkeypatch.context() as patch:
            note_calls(patch, seen, *steps, stopped_at=stopped_at if stops else None)
            if stops:
                with pytest.raises(KeyboardInterrupt):
                    project_shards(Pipeline(), shards, recurring / "out")
            else:
                project_shards(Pipeline(), shards, recurring / "out", told=told.append)
                project_shards(Pipeline(), shards, recurring / "out")
    for path in (recurring / "whole").iterdir():
        assert path.read_bytes() == (recurring / "out" / path.name).read_bytes()
    before = ["to fit an aligner"] * (stopped_at == 1) + ["to count what names are projected onto"] * (stopped_at <= 5)
    read = [line for line in told if "read first" in line]
    assert read == ([f"all shards are read first, {', and '.join(before)}"] if before else [])
    del seen[stopped_at - 1]
    assert seen == ["fit_batches", *["align_batch"] * 3, "write", *["_recalled_piece"] * 3]
    assert not [path for path in (recurring / "out").iterdir() if path.name[0] == "."]
    (recurring / "en" / "en-2.conll").write_bytes(
        (recurring / "en" / "en-2.conll").read_bytes().replace(b"PER", b"LOC")
    )
    said: list[str] = []
    project_shards(Pipeline(), shards, recurring / "out", told=said.append)
    assert [line for line in said if "shard" in line] == [
        "de-0.conll: shard 1 of 3",
        "all shards are read first, to fit an aligner, and to count what names are projected onto",
        "de-1.conll: shard 2 of 3",
        "de-2.conll: shard 3 of 3",
    ]


def test_a_shard_that_is_needed_as_a_whole(recurring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ids are numbers of rows at first, and turn out to be none."""
    monkeypatch.setattr(runner, "PIECE_ROWS", 5)
    path = recurring / "de" / "de-1.parquet"
    table = io.read(path)
    ids = pa.array([str(row) if row < 6 else f"de-{row}" for row in range(table.num_rows)])
    io.write(table.set_column(0, "id", ids), path)
    source = io.read(recurring / "en" / "en-1.conll")
    (recurring / "en" / "en-1.conll").unlink()
    names = pa.array([f"en-{row}" for row in range(table.num_rows)])
    io.write(
        pa.table({"id": names, "tokens": source["tokens"], "labels": source["labels"]}), recurring / "en" / "en-1.jsonl"
    )
    shards = [replace(one, links=()) for one in scanned(recurring)]
    project_shards(Pipeline(), shards, recurring / "whole", format="jsonl")
    recalled = Pipeline._recalled_piece
    calls: list[int] = []

    def stops(*arguments: Any, **how: Any) -> Any:
        calls.append(1)
        if len(calls) == 5:  # in the second shard
            raise KeyboardInterrupt
        return recalled(*arguments, **how)

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "_recalled_piece", stops)
        with pytest.raises(KeyboardInterrupt):
            project_shards(Pipeline(), shards, recurring / "out", format="jsonl")
    project_shards(Pipeline(), shards, recurring / "out", format="jsonl")
    for path in (recurring / "whole").iterdir():
        assert path.read_bytes() == (recurring / "out" / path.name).read_bytes()
    found = [row["id"] for row in io.read(recurring / "out" / "de-1.jsonl").to_pylist()]
    assert found == ids.to_pylist(), "one side's for all rows"


def test_errors_of_the_first_reading_name_the_shard(recurring: Path) -> None:
    shards = [replace(one, links=()) for one in scanned(recurring)]
    (recurring / "en" / "en-2.conll").write_text("a\tB-X\n\n" * 5, encoding="utf-8")
    for options in ({}, {"memory": False}, {"memory": True, "aligner": ["builtin"]}):
        with pytest.raises(Error, match=r"en-2.conll' has 5 rows but '.*de-2.parquet' has 14"):
            project_shards(Pipeline(**options), shards, recurring / "out")
        assert manifest(recurring / "out")["missing"] == [f"de-{number}.conll" for number in range(3)]
    linked = scanned(recurring)[:2]
    (recurring / "links" / "1.pharaoh").write_text("0-0\n" * 8 + "0-99\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"^row 8 .*value 0-99: line 9 of '.*1\.pharaoh': the target sentence"):
        project_shards(Pipeline(memory=True), linked, recurring / "out", overwrite=True)


def test_errors_name_the_shard_and_those_before_stay(corpus: Path) -> None:
    (corpus / "links" / "1.pharaoh").write_text("0-0\n" * 8, encoding="utf-8")
    with pytest.raises(Error, match=r"1.pharaoh' has links for 8 sentence pairs but there are 9 sentence pairs"):
        project_shards(Pipeline(), scanned(corpus), corpus / "out")
    assert [one["rows"] for one in manifest(corpus / "out")["shards"]] == [12]
    assert manifest(corpus / "out")["missing"] == ["de-1.conll", "de-2.conll"]
    (corpus / "links" / "1.pharaoh").unlink()
    with pytest.raises(
        Error, match=r"'.*/en' has 'en-1.conll', with no partner in '.*/links/\*\.pharaoh'; files that belong"
    ):
        scanned(corpus)
    with pytest.raises(Error, match="there are no files"):
        shard_files(corpus / "en" / "*.txt")
    one = scan_pairs(corpus / "en/en-0.conll", corpus / "de/de-0.parquet", links=corpus / "links/0.pharaoh")
    assert shards_of(one) is None
    decided = corpus / "de" / "de-0.parquet"
    with pytest.raises(OptionError, match=r"one by one: rows of corrections have ids or numbers that files may share"):
        project_shards(Pipeline(corrections=str(decided)), [one], corpus / "other")
    brat = replace(one, target_format="webanno")
    with pytest.raises(OptionError, match=r"one by one: for the format of '.*de-0.parquet' the corpus has to be in on"):
        project_shards(Pipeline(corrections=str(decided)), [brat], corpus / "other")
    with pytest.raises(Error, match=r"two files would become 'de-0.parquet'"):
        project_shards(Pipeline(), [one, one], corpus / "other", format="parquet")
    (corpus / "de.txt").write_text("x\n", encoding="utf-8")
    translated = ("--translate-to", "de", "--translations", "de.txt")
    run = xner("project", "--source", "en", *translated, "-o", "out.conll", cwd=corpus)
    assert run.returncode == 2
    assert "several files go with --target" in run.stderr


def test_a_dry_run_says_what_it_knows_and_writes_nothing(corpus: Path) -> None:
    def said(*options: str) -> list[str]:
        run = xner("project", *options, "-o", "out", "--dry-run", cwd=corpus)
        assert run.returncode == 0, run.stderr
        assert not (corpus / "out").exists()
        return run.stdout.splitlines()

    folders = ("--source", "en", "--target", "de")
    assert said(*folders, "--links", "links") == [
        f"3 shards, {sum(ROWS)} rows",
        "piece by piece, 100000 rows each: 3 parts, memory does not depend on their number",
        "would be written to out",
    ]
    before = "; before that they are read to fit an aligner, and to count what names are projected onto"
    for options in ((), ("--aligner", "builtin", "--memory")):
        assert said(*folders, *options)[1].endswith(f"memory does not depend on their number{before}")
    refused = xner("project", *folders, "--save-aligner", "saved.safetensors", "-o", "out", cwd=corpus)
    assert refused.returncode == 2
    assert "--save-aligner goes with a source that is one file" in refused.stderr
    refused = xner("project", *folders, "--corrections", "de/de-0.parquet", "-o", "out", "--dry-run", cwd=corpus)
    assert refused.returncode == 2
    assert "project their file by itself" in refused.stderr
    unsaid = said(
        "--source", "en/en-0.conll", "--target", "en/en-0.conll", "--links", "links/0.pharaoh", "--format", "conll"
    )
    assert unsaid[:2] == [
        "an unknown number of rows",
        "piece by piece, 100000 rows each: memory does not depend on their number",
    ]
    files = ("de/de-0.parquet", "links.parquet")
    io.write(pa.table({"links": pa.array([[]] * ROWS[0], schema.LINKS_TYPE)}), corpus / files[1])
    sides = ("--source", files[0], "--target", files[0])
    assert "1 parts, about 250 MB of memory" in said(*sides, "--links", files[1])[1]
    assert said(*sides)[1].endswith(
        "; before that they are read to fit an aligner, and to count what names are projected onto"
    )


def test_several_files_into_one(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("project", "--source", "en", "--target", "de", "--links", "links", "--filter", "one-word:row")
    done(xner(*command, "-o", "folder", "--format", "jsonl", cwd=corpus))
    said = done(xner(*command, "-o", "out.jsonl", cwd=corpus)).stderr
    parts = [(corpus / "folder" / f"de-{number}.jsonl").read_bytes() for number in range(3)]
    assert (corpus / "out.jsonl").read_bytes() == b"".join(parts)
    assert f"{sum(ROWS)} sentences: " in said
    assert "written to out.jsonl" in said
    assert done(xner(*command, "-o", "-", "--format", "jsonl", cwd=corpus)).stdout.encode() == b"".join(parts)
    rows = [row for number in range(3) for row in io.read(corpus / f"folder/de-{number}.jsonl").to_pylist()]
    project = Pipeline.run
    for output in ("out.parquet", "out.arrow", "out.conll.gz"):
        calls: list[str] = []

        def stops(self: Pipeline, table: Any, path: Path, calls: list[str] = calls, **how: Any) -> Any:
            calls.append(path.name)
            if len(calls) == 3:
                raise OSError(28, "the disk is full")
            return project(self, table, path, **how)

        monkeypatch.setattr(Pipeline, "run", stops)
        assert xner(*command, "-o", output, cwd=corpus).returncode
        assert not (corpus / output).exists()
        done(xner(*command, "-o", output, cwd=corpus))
        assert len(calls) == 4, "only the last shard is done again"
        monkeypatch.setattr(Pipeline, "run", project)
        names = ("id", "labels") if output != "out.conll.gz" else ("labels",)
        found = io.read(corpus / output).to_pylist()
        if output == "out.conll.gz":
            found = [row for row in found if row["labels"]]
            rows = [row for row in rows if row["labels"] and not row["status"].startswith("dropped")]
        assert [[row[name] for name in names] for row in found] == [[row[name] for name in names] for row in rows]
    (corpus / "links" / "2.pharaoh").write_text("0-0\n", encoding="utf-8")
    run = xner(*command, "-o", "out.jsonl", cwd=corpus)
    assert run.returncode == 1
    assert "2.pharaoh' has links for 1 sentence pairs but there are 14" in run.stderr
    assert not [path.name for path in corpus.iterdir() if path.name.startswith(".")]


def test_a_slash_behind_a_name_makes_a_folder(corpus: Path) -> None:
    command = ("project", "--source", "en/en-0.conll", "--target", "de/de-0.parquet", "--links", "links/0.pharaoh")
    for output in ("one.parquet/", "one.parquet"):  # which is one then
        done(xner(*command, "-o", output, cwd=corpus))
        assert sorted(path.name for path in (corpus / "one.parquet").iterdir()) == ["de-0.conll", "manifest.json"]
    (corpus / "mine").mkdir()
    (corpus / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    run = xner(*command, "-o", "mine", cwd=corpus)
    assert "there are files in it and no 'manifest.json'" in run.stderr
    folders = ("--source", "en", "--target", "de", "--links", "links")
    done(xner("project", *folders, "-o", "several.conll/", cwd=corpus))
    assert len(manifest(corpus / "several.conll")["shards"]) == 3


def test_what_is_overwritten_in_a_folder(corpus: Path) -> None:
    command = ("project", "--source", "en", "--target", "de", "--links", "links", "-o", "out")
    done(xner(*command, cwd=corpus))
    out = corpus / "out"
    expected = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "de-1.conll").write_text("mine\tO\n\n", encoding="utf-8")
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    assert xner(*command, cwd=corpus).returncode == 1
    done(xner(*command, "--overwrite", cwd=corpus))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {**expected, "notes.txt": b"mine"}
    (out / "notes.txt").unlink()
    for kind in ("en", "de", "links"):
        next(path for path in (corpus / kind).iterdir() if "2" in path.name).unlink()
    assert "'out/de-2.conll' is of a run of other files; name another folder" in xner(*command, cwd=corpus).stderr
    done(xner(*command, "--overwrite", cwd=corpus))
    assert sorted(path.name for path in out.iterdir()) == ["de-0.conll", "de-1.conll", "manifest.json"]
    (out / "manifest.json").write_text("[]", encoding="utf-8")
    assert xner(*command, cwd=corpus).returncode == 1
    done(xner(*command, "--overwrite", cwd=corpus))
    assert (out / "de-1.conll").read_bytes() == expected["de-1.conll"]


@pytest.mark.parametrize("role", ["en", "de", "links"])
@pytest.mark.parametrize("rest", [(), ("--dry-run",)])
def test_a_folder_of_inputs_is_not_written_to(corpus: Path, role: str, rest: tuple[str, ...]) -> None:
    (corpus / "again").symlink_to(corpus / role)
    before = {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    for several in (("en", "de", "links"), ("en/en-0.conll", "de/de-0.parquet", "links/0.pharaoh")):
        files = [part for pair in zip(("--source", "--target", "--links"), several, strict=True) for part in pair]
        for folder in (role, "again"):
            run = xner("project", *files, "-o", f"{folder}/", "--overwrite", *rest, cwd=corpus)
            assert run.returncode != 0
            assert f"'{folder}' is the folder of the" in run.stderr
    assert {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()} == before


def folder_of(path: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in path.iterdir() if not one.name.startswith(".")}


@pytest.mark.needs("words")
@pytest.mark.parametrize("markers", [(), ("--markers", "auto")])
def test_each_file_is_translated_by_itself(corpus: Path, markers: tuple[str, ...]) -> None:
    code = "print(*(word[::-1] if word.isalpha() else word for word in line.split()))"
    (corpus / "mt.py").write_text(f"import sys\nfor line in sys.stdin: {code}\n", encoding="utf-8")
    languages = ("--source-language", "en", "--target-language", "de", "--cache", "cache.sqlite")
    command = ("translate", *languages, "--model", f"command:{sys.executable} -S mt.py", *markers)
    for number in range(3):
        one = ("--source", f"en/en-{number}.conll", "-o", f"one-{number}.jsonl")
        done(xner(*command, *one, cwd=corpus))
    single = [(corpus / f"one-{number}.jsonl").read_bytes() for number in range(3)]
    run = done(xner(*command, "--source", "en", "--format", "jsonl", "-o", "out", cwd=corpus))
    assert f"{sum(ROWS)} sentences: " in run.stderr
    found = folder_of(corpus / "out")
    assert [found.pop(f"en-{number}.jsonl") for number in range(3)] == single
    assert list(found) == ["manifest.json"]
    assert [one["rows"] for one in manifest(corpus / "out")["shards"]] == list(ROWS)
    (corpus / "out" / "en-1.jsonl").unlink()
    again = done(xner(*command, "--source", "en", "--format", "jsonl", "-o", "out", cwd=corpus))
    assert again.stderr.count("taken as it is there") == 2
    assert (corpus / "out" / "en-1.jsonl").read_bytes() == single[1]
    done(xner(*command, "--source", "en/en-*.conll", "-o", "whole.jsonl", cwd=corpus))
    assert (corpus / "whole.jsonl").read_bytes() == b"".join(single)
    refused = xner(*command, "--source", "en", "-o", "en/", cwd=corpus)
    assert refused.returncode == 2
    assert "is the folder of the source" in " ".join(refused.stderr.split())
    done(xner(*command, "--source", "en/en-0.conll", "--format", "jsonl", "-o", "other/", cwd=corpus))
    assert (corpus / "other" / "en-0.jsonl").read_bytes() == single[0]


@pytest.mark.needs("models")
def test_each_file_is_scored_by_itself(outspoken_nllb: Path, corpus: Path) -> None:
    for kind, suffix in (("en", "conll"), ("de", "parquet")):
        for number in range(3):
            path = corpus / kind / f"{kind}-{number}.{suffix}"
            io.write(io.read(path).slice(0, 2), path)
    for number in range(3):
        (corpus / "links" / f"{number}.pharaoh").write_text("0-0\n" * 2, encoding="utf-8")
    model = ("--model", outspoken_nllb, "--device", "cpu", "--source-language", "en", "--target-language", "de")
    command = ("score", "nmt", *model, "--max-words", "2", "--cache", "cache.sqlite")
    sides = ("--source", "en", "--target", "de", "--links", "links")
    run = done(xner(*command, *sides, "-o", "out", cwd=corpus))
    assert "6 sentences, " in run.stderr
    one = ("--source", "en/en-1.conll", "--target", "de/de-1.parquet", "--links", "links/1.pharaoh")
    done(xner(*command, *one, "-o", "one.parquet", cwd=corpus))
    assert (corpus / "out" / "de-1.parquet").read_bytes() == (corpus / "one.parquet").read_bytes()
    assert sorted(folder_of(corpus / "out")) == ["de-0.parquet", "de-1.parquet", "de-2.parquet", "manifest.json"]
    done(xner(*command, *sides, "-o", "whole.jsonl", cwd=corpus))
    assert [one["id"] for one in io.read(corpus / "whole.jsonl").to_pylist()] == [
        row["id"] for number in range(3) for row in io.read(corpus / "out" / f"de-{number}.parquet").to_pylist()
    ]


def folder(path: Path, *names: str) -> Path:
    path.mkdir(exist_ok=True)
    for name in names:
        (path / name).write_text("", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (["a.txt", "b.txt"], ["a.conll", "b.conll.gz"]),
        (["a.en.txt", "b.en.txt"], ["a.de.txt", "b.de.txt"]),
        (["en-a.txt", "en-b.txt"], ["deu_Latn-a.txt", "deu_Latn-b.txt"]),
        (["English_a.conll", "English_b.conll"], ["a.de", "b.de"]),
        (["a.src.txt", "b.src.txt"], ["a.tgt.parquet", "b.tgt.parquet"]),
        (["part-en-de-a.en", "part-en-de-b.en"], ["part-en-de-a.de", "part-en-de-b.de"]),
        (["source-a.txt", "source-b.txt"], ["pcm-a.txt", "pcm-b.txt"]),
        (["a.txt", "b.txt", ".DS_Store", "manifest.json"], ["a.txt", "b.txt", ".b.txt.swp"]),
        (["b.txt", "a.txt"], ["a.txt", "b.txt"]),
    ],
)
def test_shards_go_together_by_their_names(tmp_path: Path, source: list[str], target: list[str]) -> None:
    places = {"source": folder(tmp_path / "first", *source), "target": folder(tmp_path / "pcm", *target)}
    found = together(places)
    assert found is not None
    assert [tuple("b" if re.search(r"\bb\b|_b", path.name) else "a" for path in files) for files in found] == [
        ("a", "a"),
        ("b", "b"),
    ]


@given(st.sets(st.sampled_from(["0", "1", "10", "en", "a.b", "x-1", "de-en"]), min_size=1), st.randoms())
def test_any_names_go_together_with_themselves(
    tmp_path_factory: pytest.TempPathFactory, stems: set[str], random: Random
) -> None:
    root = tmp_path_factory.mktemp("any")
    order = random.sample(sorted(stems), len(stems))
    source, target = (
        folder(root / kind, *(f"{stem}.{suffix}" for stem in order)) for kind, suffix in (("s", "txt"), ("t", "conll"))
    )
    found = together({"source": source, "target": target})
    assert found is not None
    assert sorted(one.stem for one, _ in found) == sorted(stems)
    assert all(one.stem == other.stem for one, other in found)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        (
            ["a.txt", "c.txt"],
            ["b.txt", "c.txt"],
            r"en' has 'a.txt', with no partner in '.*de'; '.*de' has 'b.txt', with",
        ),
        (["a.txt"], ["b.txt"], r"en' has 'a.txt', with no partner"),
        (["a.txt", "b.txt"], ["b.txt"], r"en' has 'a.txt', with no partner in '.*de'; files that belong together"),
        (["news-0.txt", "news-1.txt"], ["web-0.txt", "web-1.txt"], r"'news-0.txt', 'news-1.txt', with no partner"),
        ([f"{n}.txt" for n in range(5)], ["x.txt"], r"'0.txt', '1.txt', '2.txt' and 2 more, with no partner"),
        (["a.txt", "a.conll"], ["a.txt"], r"'a.conll', 'a.txt' are the same name but for"),
    ],
)
def test_files_without_partners_are_named(tmp_path: Path, source: list[str], target: list[str], said: str) -> None:
    with pytest.raises(Error, match=said):
        together({"source": folder(tmp_path / "en", *source), "target": folder(tmp_path / "de", *target)})


def test_what_goes_with_one_file(tmp_path: Path) -> None:
    en, de = folder(tmp_path / "en", "0.txt", "1.txt"), folder(tmp_path / "de", "x.conll")
    with pytest.raises(Error, match=r"there are 2 in '.*en', and '.*x.conll' is one"):
        together({"source": en, "target": de / "x.conll"})
    assert together({"source": en / "0.txt", "target": de}) == [[en / "0.txt", de / "x.conll"]]
    assert together({"source": en / "0.txt", "target": de / "x.conll"}) is None
    assert together({"source": en / "*.txt", "target": en / "?.txt"}) == [[en / f"{n}.txt"] * 2 for n in range(2)]


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "_SUCCESS", "SHA256SUMS", "0.conll.sha256", "make.sh"])
@pytest.mark.parametrize("kind", ["en", "de", "links"])
def test_what_is_plainly_no_shard_is_left_out(corpus: Path, kind: str, name: str) -> None:
    (corpus / kind / name).write_text("# Corpus\n", encoding="utf-8")
    said: list[str] = []
    found = shards_of(scan_pairs(corpus / "en", corpus / "de", links=corpus / "links", told=said.append))
    assert found is not None
    assert [Path(one.source).name for one in found] == [f"en-{number}.conll" for number in range(3)]
    assert said == [f"'{corpus / kind}': '{name}' is left out, as no shard"]


@pytest.mark.parametrize("name", ["3.conll.bak", "3.conll.zst", "3.csv", "all.zip", "3.eng", "part-00003"])
@pytest.mark.parametrize("kind", ["en", "de", "links"])
def test_what_may_be_data_is_not_left_out(corpus: Path, kind: str, name: str) -> None:
    (corpus / kind / name).write_text("x", encoding="utf-8")
    with pytest.raises(
        Error, match=rf"{kind}': the name of '{name}' tells no format, but may be that of data; move it"
    ):
        shards_of(scan_pairs(corpus / "en", corpus / "de", links=corpus / "links"))


@given(st.sets(st.sampled_from(["0.conll", "1.txt", "a.align", "b.en", ".x", "_y", "README", "notes.md", "run.sh"])))
def test_every_file_is_a_shard_or_left_out_or_hidden(tmp_path_factory: pytest.TempPathFactory, names: set[str]) -> None:
    place = folder(tmp_path_factory.mktemp("any"), *names, MANIFEST)
    kept = names & {"0.conll", "1.txt", "b.en"}
    kept |= names & {"a.align", "run.sh"} if not names & {"0.conll", "1.txt"} else set()
    line = "".join(left_out_lines([place]))
    if kept:
        assert {path.name for path in shard_files(place) or []} == kept
    else:
        with pytest.raises(Error, match="there are no files"):
            shard_files(place)
    rest = names - kept - {".x"}
    assert (line == "") == (not rest)
    assert all(f"'{name}'" in line for name in rest) or len(rest) > 3


@pytest.mark.needs("words")
def test_files_that_are_left_out_are_said_once(corpus: Path) -> None:
    for kind in ("en", "de"):
        (corpus / kind / "README.md").write_text("# Corpus\n", encoding="utf-8")
    folders = ("--source", "en", "--target", "de", "--links", "links")
    for more in ((), ("--dry-run",)):
        run = done(xner("project", *folders, "-o", "out", *more, cwd=corpus))
        assert run.stderr.count("'en': 'README.md' is left out, as no shard") == 1
        assert run.stderr.count("is left out") == 2
    translate = ("translate", "--source", "en", "--source-language", "en", "--target-language", "de")
    run = done(
        xner(*translate, "--model", "command:cat", "--cache", "cache", "--format", "jsonl", "-o", "x", cwd=corpus)
    )
    assert run.stderr.count("'en': 'README.md' is left out, as no shard") == 1
    (corpus / "en" / "en-3.zst").write_text("", encoding="utf-8")
    run = xner(*translate, "--model", "command:cat", "-o", "translated", cwd=corpus)
    assert "the name of 'en-3.zst' tells no format, but may be that of data" in run.stderr
    assert "say with --source-format what all are" in run.stderr
    (corpus / "en" / "en-3.zst").rename(corpus / "en" / "en-3.xyz")
    io.write(io.read(corpus / "de" / "de-2.parquet"), corpus / "de" / "de-3.parquet")
    run = xner("project", *folders, "-o", "out", cwd=corpus)
    assert run.returncode == 1
    assert "has 'de-3.parquet', with no partner in 'en'" in run.stderr
    assert "'en': 'README.md', 'en-3.xyz' are left out, as no shard" in run.stderr
