"""Corpora that are read, projected and written piece by piece: the same bytes, words and errors as of whole ones."""

from __future__ import annotations

import io as streams
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interruptions import note_calls
from xner import Aligner, DataError, Error, Pipeline, io, labels, scan_pairs, schema
from xner._support.arrow import pylist
from xner._support.pieces import WholeNeededError, ahead
from xner.io import sample
from xner.io._joining import join_parquet
from xner.io.pairs import Pairs
from xner.io.parquet import ParquetWriter
from xner.pipelines import recipes, runner
from xner.pipelines.counts import RunCounts
from xner.projection.name_counts import NameCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

ROWS = 50
PIECE = 13
WORDS = pa.list_(pa.string())


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    """Labelled English, German with gold labels, and a link a word."""
    sides = [sample.load(language).slice(0, ROWS) for language in ("en", "de")]
    lengths = [[len(row) for row in pylist(side["tokens"])] for side in sides]
    rows = [
        [{"source": n, "target": n, "score": None} for n in range(min(pair))] for pair in zip(*lengths, strict=True)
    ]
    return sides[0], sides[1], pa.table({"links": pa.array(rows, schema.LINKS_TYPE)})


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "PIECE_ROWS", PIECE)


def written(folder: Path, tables: Sequence[pa.Table], kind: str) -> list[Path]:
    paths = [folder / f"{name}.{kind}" for name in ("source", "target")]
    paths.append(folder / f"links.{'pharaoh' if kind == 'conll' else kind}")
    for table, path in zip(tables, paths, strict=True):
        io.write(table, path)
    return paths


def rows_of(path: Path) -> tuple[pa.Schema, list[Any]]:
    """What a Parquet file has, whatever its row groups and their dictionaries."""
    table = io.read(path)
    return table.schema, table.to_pylist()


def both_ways(
    paths: Sequence[Path],
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    reading: Mapping[str, Any] = MappingProxyType({}),
    **options: Any,
) -> list[Any]:
    """What a run piece by piece and one of the whole end with: content of the output and what is said, or an error."""
    found: list[Any] = []
    for in_pieces in (True, False):
        said: list[str] = []
        with monkeypatch.context() as patch:
            if not in_pieces:
                patch.setattr(Pipeline, "takes_pieces", lambda *_: False)
            pairs = Pairs(paths[0], paths[1], links=paths[2:], told=said.append, **reading)
            try:
                run = Pipeline(**options).run(pairs, output, told=said.append)
            except Error as error:
                found.append((type(error), str(error)))
                assert sorted(path.name for path in output.parent.glob(f".{output.name}*")) == []
                continue
        assert (run.result is None) == in_pieces
        found.append((output.read_bytes() if output.suffix != ".parquet" else rows_of(output), said, str(run)))
    return found


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    ("kind", "written_as"),
    [
        ("conll", "conll"),
        ("conll", "parquet"),
        ("jsonl", "jsonl"),
        ("jsonl", "conll.gz"),
        ("parquet", "parquet"),
        ("parquet", "jsonl.gz"),
        ("arrow", "arrow"),
        ("arrow", "conll"),
    ],
)
def test_pieces_give_what_the_whole_gives(
    tables: Sequence[pa.Table], kind: str, written_as: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / f"out.{written_as}"
    pieces, whole = both_ways(written(tmp_path, tables, kind), output, monkeypatch, filters=["one-word:row"])
    assert pieces == whole
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.usefixtures("small_pieces")
def test_several_sets_of_links_and_text_are_read_in_pieces(
    tables: Sequence[pa.Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _, links = written(tmp_path, tables, "conll")
    target = tmp_path / "target.txt.gz"
    io.write(tables[1], target)
    paths = [source, target, links, links]
    pieces, whole = both_ways(paths, tmp_path / "out.jsonl", monkeypatch, combine="intersect", on_error="skip")
    assert pieces == whole


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize("rows", [(), (3, 5, 30), (41,)])
@pytest.mark.parametrize("suffix", ["jsonl", "conll", "parquet"])
def test_wrong_rows_are_skipped_in_pieces(
    tables: Sequence[pa.Table],
    kind: str,
    rows: Sequence[int],
    suffix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    changed = list(tables)
    for row in rows:
        place = row % 2  # of labels, or of entities
        values = ["O"] if place else [{"source": 99, "target": 0, "score": None}]
        with_row(*((0, "labels", row, values) if place else (2, "links", row, values)))(changed)
    how: Any = {"reading": {"on_error": "skip"}, "on_error": "skip"}
    pieces, whole = both_ways(
        written(tmp_path, changed, kind), tmp_path / f"out.{suffix}", monkeypatch, nested="error", **how
    )
    assert pieces == whole
    assert (f"{len(rows)} invalid" in pieces[2]) == bool(rows)
    wrong = [row for row in rows if row % 2]
    told = [f"{len(wrong)} rows are wrong and skipped; the first one is row {wrong[0]} " for _ in range(2) if wrong]
    assert [text.partition(": ")[2].partition("(")[0] for text in caplog.messages] == told
    if suffix == "parquet":
        problems = pylist(io.read(tmp_path / "out.parquet")["row_problem"])
        assert [row for row, one in enumerate(problems) if one is not None] == wrong


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("has_links", [False, True])
def test_a_saved_aligner_links_pieces(
    tables: Sequence[pa.Table], has_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "aligner.safetensors"
    Aligner.fit(tables[0]["tokens"], tables[1]["tokens"]).save(model)
    paths = written(tmp_path, tables, "parquet")[: 3 if has_links else 2]
    options: dict[str, Any] = {"aligner": ["builtin"], "aligner_model": [str(model)], "memory": False}
    options |= {"combine": "intersect"} if has_links else {}
    pieces, whole = both_ways(paths, tmp_path / "out.parquet", monkeypatch, **options)
    assert pieces == whole


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("kind", ["conll", "parquet"])
def test_an_aligner_is_fitted_before_pieces_are_linked(
    tables: Sequence[pa.Table], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = written(tmp_path, tables, kind)[:2]
    lexicon = tmp_path / "lexicon.tsv"
    lexicon.write_text("a\tb\n", encoding="utf-8")
    options: dict[str, Any] = {"memory": False, "lexicon": [str(lexicon)]}
    (written_so, said, run), whole = both_ways(paths, tmp_path / "out.parquet", monkeypatch, **options)
    assert (written_so, sorted(said), run) == (whole[0], sorted(whole[1]), whole[2])
    paths.append(tmp_path / "links.pharaoh")
    paths[2].write_text("9999-0\n" * ROWS, encoding="utf-8")
    pieces, whole = both_ways(paths, tmp_path / "out.parquet", monkeypatch, aligner=["builtin"], **options)
    assert pieces == whole
    assert "9999" in pieces[1]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    ("kind", "suffix", "options", "links"),
    [
        ("conll", "parquet", {}, "fitted"),
        ("parquet", "jsonl", {"filters": ["one-word:row"], "names_memory": "10MB"}, "ready"),
        ("jsonl", "conll", {"on_error": "skip"}, "fitted"),
        ("parquet", "parquet", {"nested": "keep"}, "ready"),
    ],
)
def test_the_memory_is_that_of_the_whole(
    tables: Sequence[pa.Table],
    kind: str,
    suffix: str,
    options: dict[str, Any],
    links: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "names_memory" in options:  # so little that counts of a few pieces are sorted into a file
        monkeypatch.setattr("xner.projection.name_counts._TO_GROUP", 10**5)
    again = [pa.concat_tables([one] * 3) for one in tables]  # so that names recur
    for side in range(2):
        again[side] = again[side].set_column(0, "id", pa.array([str(row) for row in range(3 * ROWS)]))
    if options.get("nested") == "keep":
        column = pa.array([NESTED] * 3 * ROWS, schema.SOURCE_ENTITIES_TYPE)
        again[0] = again[0].drop_columns(["labels"]).append_column("entities", column)
    paths = written(tmp_path, again, kind)[: 2 if links == "fitted" else 3]
    output = tmp_path / f"out.{suffix}"
    (written_so, said, run), whole = both_ways(paths, output, monkeypatch, memory=True, **options)
    assert (written_so, sorted(said), run) == (whole[0], sorted(whole[1]), whole[2])
    assert "memory:yes" in run
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    if suffix != "conll":
        assert any(pylist(io.read(output)["hints"])), "nothing was remembered"


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    ("by_id", "options"), [(True, {"memory": True}), (False, {"memory": False, "filters": ["one-word"]})]
)
@pytest.mark.parametrize("case", ["", "no such row", "twice", "other words", "a wrong link"])
def test_corrections_are_found_in_pieces(
    tables: Sequence[pa.Table],
    by_id: bool,
    options: dict[str, Any],
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = list(tables)
    decided = tables[1].slice(0, 40)
    rows = [[{"start": 0, "end": 1, "label": "LOC", "source": None if row % 2 else 0}] for row in range(40)]
    reviewed = [row in (3, 12, 14, 39) for row in range(40)]
    ids, words = pylist(decided["id"]), pylist(decided["tokens"])
    if case == "no such row":
        ids[39] = "none"
        words[39] = ["none"]
    elif case == "twice":
        ids[14], words[14] = ids[3], words[3]
    elif case == "other words":
        words[14] = ["others"]
    elif case == "a wrong link":
        with_row(2, "links", 33, FAR)(changed)
    columns = {"tokens": words, "entities": pa.array(rows, schema.ENTITIES_TYPE), "reviewed": reviewed}
    file = tmp_path / "decided.parquet"
    io.write(pa.table({"id": ids, **columns} if by_id else columns), file)
    has_entity = [row for row, one in enumerate(pylist(tables[0]["labels"])) if any(tag != "O" for tag in one)]
    assert {12, 14} <= {*has_entity}, "source entities that are projected by people"
    paths = written(tmp_path, changed, "jsonl")
    pieces, whole = both_ways(paths, tmp_path / "out.parquet", monkeypatch, corrections=str(file), **options)
    assert pieces == whole
    assert (len(pieces) == 2) == bool(case)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("stopped_at", [3, 6, 8])
def test_a_run_with_the_memory_goes_on(
    tables: Sequence[pa.Table], stopped_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces that were linked and projected at first are not linked again, nor names counted once more."""
    paths = written(tmp_path, tables, "conll")[:2]
    pairs, output = scan_pairs(*paths), tmp_path / "out.jsonl"
    Pipeline().run(pairs, output)
    expected = output.read_bytes()
    output.unlink()
    seen: list[str] = []

    steps = (Aligner, "fit_batches"), (Aligner, "align_batch"), (NameCounts, "write"), (Pipeline, "_recalled_piece")
    for stops in (True, False):
        with monkeypatch.context() as patch:
            note_calls(patch, seen, *steps, stopped_at=stopped_at if stops else None)
            if stops:
                with pytest.raises(KeyboardInterrupt):
                    Pipeline().run(pairs, output)
                assert seen[-1] == {3: "align_batch", 6: "write", 8: "_recalled_piece"}[stopped_at]
            else:
                Pipeline().run(pairs, output)
    assert output.read_bytes() == expected
    del seen[stopped_at - 1]
    pieces = -(-ROWS // PIECE)
    assert seen == ["fit_batches", *["align_batch"] * pieces, "write", *["_recalled_piece"] * pieces]


KILLED = """
import os, signal, sys
from xner import Pipeline, scan_pairs
from xner.pipelines import checkpoints, runner

runner.PIECE_ROWS, writing, left = 13, checkpoints.Checkpoints.writing, int(sys.argv[1])

def counted(self, name):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return writing(self, name)

checkpoints.Checkpoints.writing = counted
Pipeline().run(scan_pairs(*sys.argv[2:4]), sys.argv[4])
"""


@pytest.mark.slow
def test_a_run_with_the_memory_that_is_killed_goes_on(tables: Sequence[pa.Table], tmp_path: Path) -> None:
    paths = written(tmp_path, tables, "parquet")[:2]
    output, expected = tmp_path / "out.parquet", tmp_path / "expected.parquet"

    def ended(files: int, output: Path) -> int:
        """How a run ends that is killed right before it keeps so many files."""
        return subprocess.run([sys.executable, "-c", KILLED, str(files), *paths, output], check=False).returncode

    assert ended(0, expected) == 0
    for files in (1, 3, 4, 2, 5):  # the aligner, pieces that were projected first, the names, pieces of the output
        assert ended(files, output) == -signal.SIGKILL
    assert ended(0, output) == 0
    assert output.read_bytes() == expected.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.usefixtures("small_pieces")
def test_a_run_that_was_stopped_is_not_fitted_again(
    tables: Sequence[pa.Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = written(tmp_path, tables, "parquet")[:2]
    pairs, output = scan_pairs(*paths), tmp_path / "out.parquet"
    Pipeline(memory=False).run(pairs, output)
    expected = output.read_bytes()
    output.unlink()

    def stopped(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Aligner, "align_batch", stopped)
        with pytest.raises(KeyboardInterrupt):
            Pipeline(memory=False).run(pairs, output)
    monkeypatch.setattr(Aligner, "fit_batches", stopped)
    Pipeline(memory=False).run(pairs, output)
    assert output.read_bytes() == expected


@pytest.mark.needs("models")
def test_models_tag_and_link_pieces_and_go_on(
    tables: Sequence[pa.Table], tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tiny_models
    from xner.models.aligners.encoder_aligner import EncoderAligner
    from xner.models.taggers import TaggerStage

    monkeypatch.setattr("xner.pipelines.aligning.MODEL_PART_ROWS", 6)
    monkeypatch.setattr(runner, "MODEL_PART_ROWS", 6)
    for function in (recipes.step_of, recipes.stage_step):
        monkeypatch.setitem(function.__kwdefaults__ or {}, "part_rows", 6)
    monkeypatch.setattr(runner, "PIECE_ROWS", 20)  # three parts, of 18 rows
    tagger = str(tiny_models.save_tagger(tmp_path / "tagger", ["O", "B-PER", "I-PER"]))
    encoder = {"aligner": ["simalign-mbert"], "aligner_model": [str(tiny_bert)], "layer": 2, "aligner_device": "cpu"}
    options: Any = {"tagger": tagger, "tagger_device": "cpu", "score": "align_ner", "memory": False, **encoder}
    paths, output = written(tmp_path, tables, "parquet")[:2], tmp_path / "out.parquet"
    pieces, whole = both_ways(paths, output, monkeypatch, **options)
    assert pieces == whole
    Pipeline(**options).run(scan_pairs(*paths), output)
    expected = output.read_bytes()
    seen: list[tuple[str, int]] = []
    tag, align = TaggerStage._tag, EncoderAligner.align_batch

    def tagged(self: TaggerStage, batch: pa.RecordBatch, *rest: Any) -> pa.RecordBatch:
        seen.append(("tag", batch.num_rows))
        return tag(self, batch, *rest)

    def aligned(self: EncoderAligner, source: pa.Array[Any], *rest: Any, **how: Any) -> pa.RecordBatch:
        seen.append(("align", len(source)))
        if len(seen) == 10:
            raise OSError(28, "the disk is full")
        return align(self, source, *rest, **how)

    monkeypatch.setattr(TaggerStage, "_tag", tagged)
    monkeypatch.setattr(EncoderAligner, "align_batch", aligned)
    with pytest.raises(OSError, match="the disk is full"):
        Pipeline(**options).run(scan_pairs(*paths), output)
    Pipeline(**options).run(scan_pairs(*paths), output)
    assert output.read_bytes() == expected
    part, last = [("tag", 6), ("align", 6)], [("tag", 2), ("align", 2)]
    assert seen == [*part * 5, *part * 4, *last], "the part that failed is done again, and no other"


def shorter(place: int) -> Callable[[list[pa.Table]], None]:
    def cut(tables: list[pa.Table]) -> None:
        tables[place] = pa.concat_tables([tables[place].slice(0, 20), tables[place].slice(24)])

    return cut


def with_row(place: int, name: str, row: int, value: Any) -> Callable[[list[pa.Table]], None]:
    def change(tables: list[pa.Table]) -> None:
        column = tables[place][name]
        rows = column.to_pylist()
        rows[row] = value
        tables[place] = tables[place].set_column(
            tables[place].schema.names.index(name), name, pa.array(rows, column.type)
        )

    return change


FAR = [{"source": 0, "target": 99, "score": None}]
NESTED = [{"start": 0, "end": 2, "label": "A"}, {"start": 1, "end": 2, "label": "B"}]
WRONG: dict[str, list[Callable[[list[pa.Table]], None]]] = {
    "a source row less": [shorter(0)],
    "a target row less, after a wrong link": [shorter(1), with_row(2, "links", 3, FAR)],
    "links of fewer rows": [shorter(2)],
    "a link out of the sentence": [with_row(2, "links", 33, FAR)],
    "more labels than words": [with_row(1, "labels", 40, ["O"])],
    "no label": [with_row(0, "labels", 30, ["B-"])],
    "another order": [with_row(1, "id", 12, "en-37"), with_row(0, "id", 37, "en-37")],
}

NOT_SAID = {(case, "conll") for case in ("more labels than words", "no label")}  # which columns cannot say


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    ("case", "kind"),
    [(case, kind) for case in WRONG for kind in ("parquet", "jsonl", "conll") if (case, kind) not in NOT_SAID],
)
def test_errors_are_those_of_the_whole(
    tables: Sequence[pa.Table], case: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = list(tables)
    for change in WRONG[case]:
        change(changed)
    pieces, whole = both_ways(written(tmp_path, changed, kind), tmp_path / "out.conll", monkeypatch)
    assert pieces == whole
    assert issubclass(pieces[0], Error)


def hints(rows: int) -> pa.Table:
    found = [[{"source": 0, "start": 0, "end": 1, "score": row / 50}] for row in range(rows)]
    return pa.table({"id": pa.array([str(row) for row in range(rows)]), "hints": pa.array(found, schema.HINTS_TYPE)})


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("kind", ["parquet", "jsonl", "arrow"])
@pytest.mark.parametrize("case", ["", "fewer", "none", "twice", "fewer after a wrong target"])
def test_scores_are_read_in_pieces(
    tables: Sequence[pa.Table], kind: str, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = hints(ROWS - 9 if case.startswith("fewer") else ROWS)
    if case == "none":
        found = found.select(["id"])
    scores = tmp_path / f"scores.{kind}"
    io.write(found, scores)
    changed = list(tables)
    if case == "fewer after a wrong target":
        with_row(1, "labels", 40, ["O"])(changed)
    paths = written(tmp_path, changed, kind)
    reading = {"scores": [scores] * (2 if case == "twice" else 1)}
    options: dict[str, Any] = {} if case else {"filters": ["one-word:row"]}
    pieces, whole = both_ways(paths, tmp_path / "out.jsonl", monkeypatch, reading=reading, **options)
    assert pieces == whole
    said = {
        "fewer": "scores.{kind}' has 41 rows but there are 50 sentence pairs",
        "none": "has none of the columns ner_probabilities",
        "twice": "there is a column 'hints' already",
        "fewer after a wrong target": "row 40",
    }
    assert not case or said[case].format(kind=kind) in pieces[1]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("kind", ["conll", "parquet"])
@pytest.mark.parametrize("read_labels", ["strict", "validate"])
@pytest.mark.parametrize("wrong", [None, ["I-PER"], ["PER"], ["E-PER"]])
def test_labels_are_held_to_a_scheme_in_pieces(
    tables: Sequence[pa.Table],
    kind: str,
    read_labels: str,
    wrong: list[str] | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = list(tables)
    if wrong is not None:
        words = len(pylist(changed[0]["tokens"])[33])
        with_row(0, "labels", 33, [*wrong, *["O"] * (words - 1)])(changed)
    paths = written(tmp_path, changed, kind)
    reading = {"read_labels": read_labels, "scheme": "IOB2"}
    pieces, whole = both_ways(paths, tmp_path / "out.jsonl", monkeypatch, reading=reading)
    assert pieces == whole
    assert (len(pieces) == 2) == (wrong == ["E-PER"] or (wrong is not None and read_labels == "validate"))


@pytest.mark.usefixtures("small_pieces")
def test_overlapping_entities_are_named_by_their_row(
    tables: Sequence[pa.Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entities: list[Any] = [[] for _ in range(ROWS)]
    entities[31] = NESTED
    source = tables[0].drop_columns(["labels"])
    source = source.append_column("entities", pa.array(entities, schema.SOURCE_ENTITIES_TYPE))
    paths = written(tmp_path, [source, *tables[1:]], "parquet")
    pieces, whole = both_ways(paths, tmp_path / "out.jsonl", monkeypatch)
    assert pieces == whole
    assert "row 31" in pieces[1]
    for nested in ("keep", "outermost"):
        pieces, whole = both_ways(paths, tmp_path / "out.jsonl", monkeypatch, nested=nested)
        assert pieces == whole


@pytest.mark.usefixtures("small_pieces")
def test_a_file_that_is_damaged_later_is_told_so(
    tables: Sequence[pa.Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = written(tmp_path, tables, "conll")
    paths[0].write_text(paths[0].read_text(encoding="utf-8") + "word\n\n", encoding="utf-8")
    paths[2].write_text("0-99\n" + paths[2].read_text(encoding="utf-8").partition("\n")[2], encoding="utf-8")
    pieces, whole = both_ways(paths, tmp_path / "out.conll", monkeypatch)
    assert pieces == whole
    assert "1 column, too few" in pieces[1]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("case", ["spelling", "ids", "fields"])
def test_what_later_rows_make_otherwise_is_read_as_a_whole(
    tables: Sequence[pa.Table], case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = list(tables)
    if case == "spelling":  # beside B-LOC, PER-I is no label
        first = [["PER-B", *["PER-I"] * (len(row) - 1)] for row in pylist(changed[0]["tokens"].slice(0, 15))]
        changed[0] = changed[0].set_column(2, "labels", pa.array(first + pylist(changed[0]["labels"].slice(15))))
    elif case == "ids":
        changed[0] = changed[0].set_column(0, "id", pa.array([f"en-{row}" for row in range(ROWS)]))
        numbers = [str(row) if row < 20 else f"de-{row}" for row in range(ROWS)]
        changed[1] = changed[1].set_column(0, "id", pa.array(numbers))
    paths = written(tmp_path, changed, "jsonl")
    if case == "fields":
        lines = paths[1].read_text(encoding="utf-8").splitlines()
        lines[30] = lines[30].replace('{"id"', '{"translation": "x", "id"')
        paths[1].write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setattr("xner.io.jsonl._ROWS", 5)
    pairs, outputs = Pairs(paths[0], paths[1], links=paths[2:]), (tmp_path / "whole.jsonl", tmp_path / "out.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "takes_pieces", lambda *_: False)
        if case == "spelling":
            with pytest.raises(DataError) as expected:
                Pipeline().run(pairs, outputs[0])
        else:
            Pipeline().run(pairs, outputs[0])
    if case == "spelling":
        with pytest.raises(DataError, match=f"^{re.escape(str(expected.value))}$"):
            Pipeline().run(pairs, outputs[1])
        return
    run = Pipeline().run(pairs, outputs[1])
    assert run.result is not None
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("suffix", ["conll", "jsonl.gz", "parquet", "arrow"])
def test_a_run_that_was_stopped_goes_on(
    tables: Sequence[pa.Table], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = written(tmp_path, tables, "parquet")
    pairs = scan_pairs(paths[0], paths[1], links=paths[2])
    output = tmp_path / f"out.{suffix}"
    filters = ["one-word:row"]
    expected = str(Pipeline(filters=filters).run(pairs, output))
    content = output.read_bytes()
    output.unlink()
    seen: list[str] = []
    project = Pipeline._project

    def noted(self: Pipeline, rows: Any) -> Any:
        seen.append(rows["id"][0].as_py())
        if len(seen) == 3:
            raise OSError("the disk is full")
        return project(self, rows)

    monkeypatch.setattr(Pipeline, "_project", noted)
    with pytest.raises(OSError, match="the disk is full"):
        Pipeline(filters=filters, threads=1).run(pairs, output)
    assert not output.exists()
    assert str(Pipeline(filters=filters, threads=2).run(pairs, output)) == expected
    assert output.read_bytes() == content
    ids = tables[0]["id"].to_pylist()
    assert seen == [ids[row] for row in (0, 13, 26, 26, 39)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([output.name, *(path.name for path in paths)])


@pytest.mark.usefixtures("small_pieces")
def test_parts_of_other_inputs_are_not_used(
    tables: Sequence[pa.Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = written(tmp_path, tables, "conll")
    output = tmp_path / "out.conll"

    def stop(*_: Any) -> Any:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr("xner.pipelines.runner._OutputParts.finish", stop)
        with pytest.raises(OSError):  # noqa: PT011  # that of the line above
            Pipeline().run(scan_pairs(paths[0], paths[1], links=paths[2]), output)
    parts = tmp_path / ".out.conll.parts"
    assert len(list(parts.glob("part-*.conll"))) == len(list(parts.glob("part-*.json"))) >= 2
    text = paths[0].read_text(encoding="utf-8").replace("PER", "XYZ")
    paths[0].write_text(text, encoding="utf-8")
    Pipeline().run(scan_pairs(paths[0], paths[1], links=paths[2]), output)
    assert "XYZ" in output.read_text(encoding="utf-8")
    assert "PER" not in "".join(output.read_text(encoding="utf-8").split("\n\n")[:3])


def test_what_needs_the_corpus_reads_it_before(tables: Sequence[pa.Table], tmp_path: Path) -> None:
    paths = written(tmp_path, tables, "parquet")
    pairs, alone = scan_pairs(paths[0], paths[1], links=paths[2]), scan_pairs(paths[0], paths[1])
    decided = tmp_path / "decided.parquet"
    io.write(tables[1].slice(0, 1), decided)
    fit, count = "to fit an aligner", "to count what names are projected onto"
    read_before: list[tuple[Pairs, dict[str, Any], list[str]]] = [
        (pairs, {}, []),
        (pairs, {"method": "heuristic", "filters": ["one-word"]}, []),
        (pairs, {"memory": True}, [count]),
        (pairs, {"aligner": ["awesome-mbert"]}, [count]),
        (pairs, {"aligner": ["awesome-mbert"], "memory": False}, []),
        (pairs, {"aligner": ["builtin"], "memory": False}, [fit]),
        (alone, {}, [fit, count]),
        (alone, {"memory": False}, [fit]),
        (alone, {"corrections": str(decided)}, ["to find the rows of corrections", fit, count]),
    ]
    for files, options, expected in read_before:
        pipeline = Pipeline(**options)
        assert pipeline.takes_pieces(files), options
        assert pipeline.read_before(files) == expected
    fitted = Pipeline(aligner=["builtin"], memory=False)
    assert fitted.needs_whole(pairs) == ["an aligner that is fitted"], "several files are not fitted each by itself"
    for memory in (None, False):
        costly = Pipeline(aligner=["awesome-mbert"], memory=memory, engine="ray")
        assert costly.takes_pieces(pairs)
        assert {*costly.needs_whole(pairs)} == (set() if memory is False else {"memory"})
    found = Pipeline().run(pairs)
    assert found.table.num_rows == ROWS
    with pytest.raises(Error, match="rows were projected piece by piece"):
        _ = Pipeline().run(pairs, tmp_path / "out.parquet").table


def test_counts_of_pieces_are_those_of_the_whole(tables: Sequence[pa.Table], tmp_path: Path) -> None:
    paths = written(tmp_path, tables, "parquet")
    table = Pipeline(filters=["one-word:row"]).run(scan_pairs(paths[0], paths[1], links=paths[2])).table
    counts = RunCounts()
    for first in range(0, ROWS, PIECE):
        piece = RunCounts.of(table.slice(first, PIECE), ["one-word"])
        counts.add(RunCounts.from_dict(piece.to_dict()))
    assert counts == RunCounts.of(table, ["one-word"])


TAGS = ("O", "B-PER", "I-PER", "B-LOC", "PER-B", "PER", "B", "I", "S-LOC", "B_PER", "1.5", "(X*", "*", "*)", "")


@given(st.lists(st.lists(st.sampled_from(TAGS), max_size=4), max_size=12), st.integers(1, 5))
def test_tags_of_pieces_are_those_of_the_column(rows: list[list[str]], piece: int) -> None:
    column = pa.array(rows, pa.list_(pa.string()))
    so_far = labels.TagsSoFar()
    try:
        found = [so_far.read(column.slice(first, piece)) for first in range(0, len(rows), piece)]
    except WholeNeededError:
        return
    outcomes: list[Any] = []
    for tell in (lambda: labels.read_tags(column, only_tags=True), lambda: (None, so_far.all())):
        try:
            outcomes.append(tell())
        except DataError as error:
            outcomes.append((None, str(error)))
    (expected, tags), (_, tags_so_far) = outcomes
    assert tags_so_far == tags
    if expected is None:
        return
    assert [row for one in found for row in one.to_pylist()] == expected.to_pylist()


@given(st.lists(st.integers(5, 30), min_size=1, max_size=4), st.integers(1, 9))
def test_joined_parquet_is_what_one_writer_writes(sizes: list[int], last: int) -> None:
    batches = [
        pa.record_batch(
            {
                "words": pa.array([None if row % 4 == 0 else [f"w{row}"] * (row % 3) for row in range(size)], WORDS),
                "score": pa.array([row / 7 for row in range(size)]),
                "status": pa.array(["ok", "no"] * size)[:size].dictionary_encode(),
            }
        )
        for size in [*sizes, last]
    ]
    with tempfile.TemporaryDirectory() as folder:
        parts = [Path(folder) / str(number) for number in range(len(batches))]
        for part, batch in zip(parts, batches, strict=True):
            with part.open("wb") as file:
                write_parquet([batch], file)
        joined, whole = streams.BytesIO(), streams.BytesIO()
        join_parquet(parts, joined)
    write_parquet(batches, whole)
    assert joined.getvalue() == whole.getvalue()


def write_parquet(batches: Sequence[pa.RecordBatch], file: Any) -> None:
    writer = ParquetWriter(file, row_group_rows=5)
    for batch in batches:
        writer.write(batch)
    writer.close()


def test_parts_of_other_columns_are_not_put_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with (tmp_path / name).open("wb") as file:
            write_parquet([pa.record_batch({name: [1]})], file)
    with pytest.raises(Error, match="has other columns"):
        join_parquet([tmp_path / "a", tmp_path / "b"], streams.BytesIO())


def test_items_are_made_ahead_and_errors_come_in_order() -> None:
    closed: list[bool] = []

    def numbers(most: int) -> Generator[int, None, None]:
        try:
            yield from range(most)
            raise ValueError("no more")
        finally:
            closed.append(True)

    some = ahead(numbers(3))
    assert [next(some) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="no more"):
        next(some)
    some = ahead(numbers(100))
    assert next(some) == 0
    some.close()
    assert closed == [True, True]
