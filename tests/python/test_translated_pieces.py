"""Labelled files that are translated, linked and projected piece by piece: the same as of the whole, each row once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interruptions import note_calls
from xner import Aligner, Error, OptionError, Pipeline, io
from xner._support.arrow import pylist
from xner._support.digests import pieces_digest, table_digest
from xner.io import sample
from xner.io.labelled_file import LabelledFile
from xner.models.translators.command import CommandTranslator
from xner.pipelines import recipes, runner
from xner.projection.name_counts import NameCounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROWS = 50
PIECE = 13
PIECES = -(-ROWS // PIECE)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What a translator is asked for that turns words round; each list at once."""
    found: list[list[str]] = []

    def run(self: CommandTranslator, arguments: Sequence[str], lines: Sequence[str]) -> list[str]:
        found.append(list(lines))
        return [" ".join(word[::-1] if word.isalpha() else word for word in line.split()) for line in lines]

    monkeypatch.setattr(CommandTranslator, "_run", run)
    return found


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "PIECE_ROWS", PIECE)


def labelled(folder: Path, kind: str = "conll", rows: int = ROWS) -> LabelledFile:
    path = folder / f"en.{kind}"
    io.write(sample.load("en").slice(0, rows), path)
    return LabelledFile(path, told=lambda _: None)


def pipeline(folder: Path, **options: Any) -> Pipeline:
    cache = str(folder / "cache.sqlite")
    return Pipeline(
        **{"translate_to": "de", "translator": "command:none", "cache": cache, "words": "blanks", **options}
    )


def both_ways(
    file: LabelledFile, output: Path, monkeypatch: pytest.MonkeyPatch, *, steps: Sequence[str], **options: Any
) -> list[Any]:
    """What a run piece by piece and one of the whole end with: rows of all files, and what is said, or an error."""
    found: list[Any] = []
    for in_pieces in (True, False):
        said: list[str] = []
        read = LabelledFile(file.path, on_error=options.get("on_error", "raise"), told=said.append)
        kept = output.with_name("kept")
        how: Any = {"needs_words": True, "told": said.append, "steps": kept, "resume": False}
        with monkeypatch.context() as patch:
            if not in_pieces:
                patch.setattr(LabelledFile, "reads_pieces", False)
            try:
                run = pipeline(output.parent, **options).run(read, output, **how)
            except Error as error:
                found.append((type(error), str(error)))
                continue
        assert (run.result is None) == in_pieces
        tables = [io.read(path) for path in (output, *(kept / f"{step}.parquet" for step in steps))]
        found.append(([(table.schema.names, table.to_pylist()) for table in tables], said, str(run)))
        assert sorted(path.name for path in kept.iterdir()) == sorted(f"{step}.parquet" for step in steps)
        assert not list(output.parent.glob(f".{output.name}*"))
    return found


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("kind", "suffix", "options"),
    [
        pytest.param("conll", "parquet", {}, marks=pytest.mark.slow),
        ("jsonl", "conll", {"markers": "auto", "broken_markers": "drop"}),
        pytest.param(
            "parquet",
            "jsonl",
            {"markers": "tags", "memory": False, "filters": ["one-word:row"]},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "conll", "jsonl", {"method": "heuristic", "nested": "outermost", "keep_bad": True}, marks=pytest.mark.slow
        ),
        ("conll", "arrow", {"on_error": "skip", "decode": "viterbi", "nested": "keep"}),
    ],
)
def test_pieces_give_what_the_whole_gives(
    kind: str, suffix: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = labelled(tmp_path, kind)
    output = tmp_path / f"out.{suffix}"
    pieces, whole = both_ways(file, output, monkeypatch, steps=["translation", "links"], **options)
    assert (pieces[0], sorted(pieces[1]), pieces[2]) == (whole[0], sorted(whole[1]), whole[2])


@pytest.mark.usefixtures("asked")
@pytest.mark.needs("models")
def test_taggers_and_encoders_work_on_pieces(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tiny_models

    for module in ("xner.pipelines.aligning", "xner.pipelines.runner"):
        monkeypatch.setattr(f"{module}.MODEL_PART_ROWS", 6)
    monkeypatch.setitem(recipes.stage_step.__kwdefaults__ or {}, "part_rows", 6)
    monkeypatch.setitem(recipes.step_of.__kwdefaults__ or {}, "part_rows", 6)
    tagger = str(tiny_models.save_tagger(tmp_path / "tagger", ["O", "B-PER", "I-PER"]))
    encoder = {"aligner": ["simalign-mbert"], "aligner_model": [str(tiny_bert)], "layer": 2, "aligner_device": "cpu"}
    options: Any = {"tagger": tagger, "tagger_device": "cpu", "score": "align_ner", **encoder}
    steps = ["translation", "target-tags", "links"]
    pieces, whole = both_ways(labelled(tmp_path, rows=20), tmp_path / "out.jsonl", monkeypatch, steps=steps, **options)
    assert (pieces[0], sorted(pieces[1]), pieces[2]) == (whole[0], sorted(whole[1]), whole[2])


def test_no_row_is_translated_twice(asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a run stops, one that goes on asks for what is missing, and links and counts what is."""
    file = labelled(tmp_path)
    pipeline(tmp_path).run(file, tmp_path / "whole.parquet")
    texts = [line for lines in asked for line in lines]
    assert len(texts) == len(set(texts)) == ROWS
    (tmp_path / "cache.sqlite").unlink()
    seen: list[str] = []
    functions = (
        (CommandTranslator, "_run"), (Aligner, "fit_batches"), (Aligner, "align_batch"), (NameCounts, "write"),
        (Pipeline, "_remembered_piece"), (Pipeline, "_recalled_piece"),
    )  # fmt: skip
    expected = (
        ["_run"] * PIECES + ["fit_batches"] + ["align_batch"] * PIECES
        + ["_remembered_piece"] * PIECES + ["write"] + ["_recalled_piece"] * PIECES
    )  # fmt: skip
    asked.clear()
    places = (3, 5, 7, 11, 14, 16)
    done = 0
    for place in places:  # of all that is done once, where one run after the other stops
        seen.clear()
        with monkeypatch.context() as patch:
            note_calls(patch, seen, *functions, stopped_at=place - done)
            with pytest.raises(KeyboardInterrupt):
                pipeline(tmp_path).run(file, tmp_path / "out.parquet")
        assert seen == expected[done:place]
        done = place - 1
        if place == places[0]:  # pieces are kept, not the cache alone
            (tmp_path / "cache.sqlite").unlink()
    seen.clear()
    note_calls(monkeypatch, seen, *functions)
    pipeline(tmp_path).run(file, tmp_path / "out.parquet")
    assert seen == expected[done:]
    assert [line for lines in asked for line in lines] == texts
    for name in ("{}.parquet", "{}.parquet.steps/translation.parquet", "{}.parquet.steps/links.parquet"):
        assert (tmp_path / name.format("out")).read_bytes() == (tmp_path / name.format("whole")).read_bytes()


@pytest.mark.parametrize("first", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_outputs_of_steps_are_taken_whichever_way_they_came(
    asked: list[list[str]], first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, steps = labelled(tmp_path, rows=20), tmp_path / "steps"

    def told(output: str, *, in_pieces: bool, **options: Any) -> list[str]:
        said: list[str] = []
        (tmp_path / "cache.sqlite").unlink(missing_ok=True)
        with monkeypatch.context() as patch:
            patch.setattr(LabelledFile, "reads_pieces", in_pieces)
            pipeline(tmp_path, **options).run(file, tmp_path / output, steps=steps, told=said.append)
        return said

    taken = [f"{name}: taken from {steps / name}.parquet" for name in ("translation", "links")]
    assert told("a.jsonl", in_pieces=first) == []
    count = len(asked)
    for then in (True, False):
        assert told("b.jsonl", in_pieces=then, matcher="greedy") == taken
    assert told("b.jsonl", in_pieces=first, decode="viterbi") == taken[:1]
    assert len(asked) == count
    assert told("b.jsonl", in_pieces=not first) == taken[:1], "the links are those of the command before"
    kept = io.read(steps / "translation.parquet")
    changed = kept.set_column(kept.schema.names.index("translation"), "translation", pa.array(["x"] * kept.num_rows))
    io.write(changed.replace_schema_metadata(kept.schema.metadata), steps / "translation.parquet")
    assert told("b.jsonl", in_pieces=first) == taken[1:], "what was changed is made anew"
    assert pylist(io.read(steps / "translation.parquet")["translation"]) == pylist(kept["translation"])


@pytest.mark.usefixtures("asked")
def test_what_later_rows_make_otherwise_is_read_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xner.io.jsonl._ROWS", 5)
    file = labelled(tmp_path, "jsonl")
    path = tmp_path / "en.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[30] = lines[30].replace('{"id"', '{"translation": "x", "id"')
    path.write_text("\n".join(lines), encoding="utf-8")
    run = pipeline(tmp_path).run(file, tmp_path / "out.jsonl")
    assert run.table.num_rows == ROWS


@pytest.mark.parametrize(("kind", "rows"), [("txt", ROWS), ("parquet", ROWS), ("txt", ROWS - 1), ("txt", ROWS + 1)])
def test_translations_that_are_there(kind: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"de.{kind}"
    texts = ["" if row % 7 == 0 else f"word {row} here" for row in range(rows)]
    if kind == "txt":
        path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    else:
        io.write(
            pa.table({"translation": texts, "translation_status": ["cut" if row % 5 else "ok" for row in range(rows)]}),
            path,
        )
    options: Any = {"translations": str(path), "translator": None, "cache": None}
    steps = ["translation", "links"]
    pieces, whole = both_ways(labelled(tmp_path), tmp_path / "out.parquet", monkeypatch, steps=steps, **options)
    assert pieces == whole
    if rows != ROWS:
        assert f"has {rows} translations, but there are {ROWS} source sentences" in pieces[1]
        return
    assert pylist(io.read(tmp_path / "out.parquet")["translation"]) == texts


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("rows", [pytest.param(0, marks=pytest.mark.slow), 40])
def test_files_with_pieces_without_entities(rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "en.conll"
    path.write_text("a\tB-X\nb\tO\n\n" * (rows % 13) + "c\tO\n\n" * (rows - rows % 13), encoding="utf-8")
    steps, output = ["translation", "links"], tmp_path / "out.jsonl"
    pieces, whole = both_ways(LabelledFile(path), output, monkeypatch, steps=steps, markers="auto", memory=False)
    assert (pieces[0], sorted(pieces[1]), pieces[2]) == (whole[0], sorted(whole[1]), whole[2])


@pytest.mark.usefixtures("asked")
def test_errors_are_those_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "en.jsonl"
    entities = '[[0, 2, "A"], [1, 2, "B"]]'
    path.write_text(
        '{"tokens": ["a", "b"], "entities": []}\n' * 31 + f'{{"tokens": ["a", "b"], "entities": {entities}}}\n'
    )
    file = LabelledFile(path)
    pieces, whole = both_ways(file, tmp_path / "out.jsonl", monkeypatch, steps=[])
    assert pieces == whole
    assert "row 31" in pieces[1]
    with pytest.raises(OptionError, match="corrections are of target sentences"):
        pipeline(tmp_path, corrections=str(path)).run(file, tmp_path / "out.jsonl")
    with pytest.raises(Error, match="kept steps keep the links alone"):
        pipeline(tmp_path).run(labelled(tmp_path), tmp_path / "out.jsonl", save_aligner=tmp_path / "saved")


@given(st.lists(st.integers(0, 7), min_size=1, max_size=8), st.integers(0, 20))
def test_the_digest_of_pieces_is_that_of_the_table(lengths: list[int], first: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xner._support.digests._ROWS", 4)
        rows = [["x" * (row % 3)] * (row % 4) for row in range(sum(lengths))]
        table = pa.table(
            {"id": [str(row + first) for row in range(len(rows))], "tokens": pa.array(rows, pa.list_(pa.string()))}
        )
        starts = [sum(lengths[:place]) for place in range(len(lengths))]
        pieces = [table.slice(start, length) for start, length in zip(starts, lengths, strict=True)]
        assert pieces_digest(pieces) == table_digest(table)
