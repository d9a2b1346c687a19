"""Sentences for people to look at, and what they have made of them: chosen, handed out, read back, counted."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import done, xner
from xner import io, schema
from xner.errors import DataError, Error, OptionError
from xner.evaluation.intervals import wilson
from xner.evaluation.review import apply_corrections, choose_rows
from xner.io.annotation.documents import Document, Span
from xner.io.annotation.tools import TOOLS, looks_like
from xner.pipelines.projection_run import Pipeline
from xner.text import Word

if TYPE_CHECKING:
    from pathlib import Path


def entity(start: int, end: int, label: str, margin: float | None = None, source: int = 0) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label, "score": 0.5, "margin": margin, "source": source}


TOKENS = [["Ann", "Lee", "sings", "."], ["Oslo", "and", "Rom"], ["so", "what"], [], ["New", "York"]]
ENTITIES = [
    [entity(0, 2, "PER", 0.5)],
    [entity(0, 1, "LOC", 0.25, 0), entity(2, 3, "ORG", 0.125, 1)],
    [],
    [],
    [entity(0, 2, "LOC", math.inf)],
]
TABLE = pa.table(
    {
        "id": ["a", "b", "c", "d", "e"],
        "tokens": pa.array(TOKENS, schema.WORDS_TYPE),
        "entities": pa.array(ENTITIES, schema.ENTITIES_TYPE),
        "labels": [["B-PER", "I-PER", "O", "O"], ["B-LOC", "O", "B-ORG"], ["O", "O"], [], ["B-LOC", "I-LOC"]],
        "status": ["ok", "ok", "no_match", "ok", "ok"],
    }
)


def without(table: pa.Table, name: str) -> pa.Table:
    return table.remove_column(table.schema.get_field_index(name))


def test_the_smallest_margins_come_first() -> None:
    assert choose_rows(TABLE).tolist() == [1, 0, 2, 4]
    assert choose_rows(TABLE, sample=2).tolist() == [1, 0]
    assert choose_rows(TABLE, below_margin=0.5).tolist() == [1]
    assert choose_rows(TABLE, below_margin=0.125).tolist() == []


def test_dropped_rows_are_not_chosen() -> None:
    status = pa.array(["ok", "row_dropped:length-ratio", None, "ok", "ok"])
    dropped = without(TABLE, "status").append_column("status", status)
    assert choose_rows(dropped).tolist() == [0, 2, 4]
    assert choose_rows(dropped, by="random").tolist() == [0, 2, 4]


def test_a_random_choice() -> None:
    table = pa.table({"tokens": [["a"]] * 100})
    rows = choose_rows(table, by="random", sample=10)
    assert len(set(rows.tolist())) == 10
    assert rows.tolist() == sorted(rows.tolist()) == choose_rows(table, by="random", sample=10).tolist()
    assert rows.tolist() != choose_rows(table, by="random", sample=10, seed=2).tolist()
    assert set(choose_rows(TABLE, by="random", below_margin=1).tolist()) == {0, 1}
    times = np.bincount(np.concatenate([choose_rows(table, by="random", sample=10, seed=s) for s in range(500)]))
    assert times.min() > 20
    assert times.max() < 90


def test_choices_that_cannot_be_made() -> None:
    nothing_known = [[{"start": 0, "end": 1, "label": "X"}]]
    table = pa.table({"tokens": [["a"]], "entities": nothing_known})
    with pytest.raises(
        OptionError, match="no entity in the column 'entities' has a margin; choose by='random' instead"
    ):
        choose_rows(table)
    with pytest.raises(Error, match="a choice by margins needs the column"):
        choose_rows(pa.table({"tokens": [["a"]]}))
    with pytest.raises(Error, match="by='chance'"):
        choose_rows(TABLE, by="chance")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(OptionError, match="below_margin=0"):
        choose_rows(TABLE, below_margin=0)
    with pytest.raises(OptionError, match="sample=0"):
        choose_rows(TABLE, sample=0)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.277533),
        (10, 10, 0.722467, 1.0),
        (81, 263, 0.255264, 0.366212),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (1, 1, 0.206543, 1),
        (0, 0, 0, 1),
    ],
)
def test_wilson(successes: int, trials: int, low: float, high: float) -> None:
    """Of 263, 148, 20 and 29: Newcombe 1998, table I, method 3."""
    found = wilson(successes, trials)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


@given(trials=st.integers(1, 1000), data=st.data())
def test_wilson_solves_its_equation(trials: int, data: st.DataObject) -> None:
    share = data.draw(st.integers(0, trials)) / trials
    found = wilson(round(share * trials), trials)
    for bound in (found.low, found.high):
        assert abs(share - bound) == pytest.approx(1.959964 * math.sqrt(bound * (1 - bound) / trials), abs=1e-5)


def document(id_: str | None, text: str, *spans: tuple[int, int, str]) -> Document:
    return Document(text, [Span(*span) for span in spans], id_, where=f"file, text {id_}")


def test_what_people_do() -> None:
    review = apply_corrections(
        TABLE,
        [
            document("b", "Oslo and Rom", (0, 4, "LOC"), (9, 12, "LOC")),
            document("a", "Ann Lee sings.", (0, 3, "PER"), (8, 13, "X")),
            document("e", "New York"),
            document("c", "so what", (0, 2, "Y")),
            Document("", None, "d"),
        ],
    )
    assert review.rows == (0, 1, 2, 4)
    assert review.changes == {"kept": 1, "span": 1, "class": 1, "span and class": 0, "removed": 1, "added": 2}
    assert (review.suggested, review.precision, review.snapped) == (4, 0.25, 0)
    assert review.by_class["LOC"] == {"kept": 1, "span": 0, "class": 0, "span and class": 0, "removed": 1, "added": 0}
    assert review.by_class["ORG"]["class"] == 1
    blank = {"score": None, "margin": None}
    assert review.table["entities"].to_pylist() == [
        [{**entity(0, 1, "PER"), **blank}, {**entity(2, 3, "X"), **blank, "source": None}],
        [entity(0, 1, "LOC", 0.25), {**entity(2, 3, "LOC", source=1), **blank}],
        [{**entity(0, 1, "Y"), **blank, "source": None}],
        [],
        [],
    ]
    assert review.table["labels"].to_pylist() == [
        ["B-PER", "O", "B-X", "O"],
        ["B-LOC", "O", "B-LOC"],
        ["B-Y", "O"],
        [],
        ["O", "O"],
    ]
    assert review.table["reviewed"].to_pylist() == [True, True, True, False, True]
    assert without(review.table, "reviewed").schema == TABLE.schema
    assert review.table.select(["id", "tokens", "status"]) == TABLE.select(["id", "tokens", "status"])
    assert review.counts().splitlines()[-1].split() == ["all", "1", "1", "1", "0", "1", "2"]
    assert "precision 0.250" in review._repr_html_()


def test_nested_and_snapped_spans() -> None:
    nested = (0, 8, "ORG"), (4, 7, "LOC"), (4, 8, "LOC"), (3, 4, "Z")
    review = apply_corrections(TABLE.slice(4), [document("e", "New York", *nested)])
    found: Any = review.table["entities"].to_pylist()[0]
    assert [(one["start"], one["end"], one["label"]) for one in found] == [(0, 2, "ORG"), (1, 2, "LOC")]
    assert review.snapped == 1
    assert review.blank == ("row 0 (id 'e'), Z [3, 4)",)
    assert review.changes["class"] == review.changes["added"] == 1
    assert review.table["labels"].to_pylist() == [["B-ORG", "I-ORG"]]


def test_the_command_names_spans_of_white_space(tmp_path: Path) -> None:
    io.write(TABLE, tmp_path / "x.parquet")
    text = {"row_id": "e", "text": "New York", "label": [[0, 3, "LOC"], [3, 4, "Z"]]}
    (tmp_path / "x.jsonl").write_text(json.dumps(text) + "\n")
    run = xner("import", "x.jsonl", "--from", "doccano", "--onto", "x.parquet", "-o", "y.parquet", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "1 span of white space alone, left out: row 4 (id 'e'), Z [3, 4)" in run.stderr


def test_the_command_says_what_files_of_labels_lack(tmp_path: Path) -> None:
    io.write(TABLE, tmp_path / "x.parquet")
    text = {"row_id": "e", "text": "New York", "label": [[0, 8, "ORG"], [4, 8, "LOC"]]}
    (tmp_path / "x.jsonl").write_text(json.dumps(text) + "\n")
    command = ("import", "x.jsonl", "--from", "doccano", "--onto", "x.parquet", "-o")
    run = xner(*command, "y.conll", cwd=tmp_path)
    assert "entities share words in 1 row; 'y.conll' has the longer ones alone" in run.stderr
    assert "entities share words in 1 row\n" in xner(*command, "y.parquet", cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("label", "problem"),
    [("B-ORG", "this is the label of a word"), ("O", "O stands for words outside"), (" ORG", "has no blanks")],
)
def test_names_of_classes_that_are_none(label: str, problem: str) -> None:
    with pytest.raises(Error, match=rf"\[0, 8\) '{label}': .*{problem}"):
        apply_corrections(TABLE.slice(4), [document("e", "New York", (0, 8, label))])
    known = without(TABLE.slice(4), "labels")
    entities = [[{"start": 0, "end": 1, "label": label}]]
    known = known.set_column(known.schema.get_field_index("entities"), "entities", pa.array(entities))
    assert apply_corrections(known, [document("e", "New York", (0, 8, label))]).changes["span"] == 1


def test_tables_with_labels_alone_or_with_neither() -> None:
    labels = TABLE.select(["id", "tokens", "labels"])
    review = apply_corrections(labels, [document("b", "Oslo and Rom", (0, 4, "LOC"))])
    assert review.changes == {"kept": 1, "span": 0, "class": 0, "span and class": 0, "removed": 1, "added": 0}
    assert review.table["labels"].to_pylist()[1] == ["B-LOC", "O", "O"]
    review = apply_corrections(TABLE.select(["tokens"]), [document("1", "Oslo and Rom", (0, 4, "LOC"))])
    assert review.table["labels"].to_pylist() == [None, ["B-LOC", "O", "O"], None, None, None]
    entities = apply_corrections(without(TABLE, "labels"), [document("b", "Oslo and Rom")])
    assert "labels" not in entities.table.schema.names


def test_texts_may_have_other_white_space() -> None:
    review = apply_corrections(TABLE, [document("a", " Ann\n\nLee sings .\n", (1, 9, "PER"))])
    assert review.changes["kept"] == 1


def with_words(id_: str, words: list[str]) -> Document:
    places = [Word(word, at, at + 1) for at, word in enumerate(words)]
    return Document("x" * len(words), [], id_, places, f"file, text {id_}")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            document("b", "Oslo and Rome"),
            r"row 1 \(id 'b'\), .* the row ends after 3 words, but the text of file, text b",
        ),
        (document("b", "Oslo und Rom"), "word 1 of the row is 'and', but the text of file, text b has 'und Rom' there"),
        (document("b", "Oslo and"), "word 2 of the row is 'Rom', but the text of file, text b has its end there"),
        (document("b", "Oslo and Rom !"), "the row ends after 3 words, .* has '!' there; texts must stay as they were"),
        (with_words("b", ["Oslo", "Rom"]), "word 1 of the row is 'and', but the text of file, text b has 'Rom' there"),
        (with_words("b", ["Oslo", "and"]), "word 2 of the row is 'Rom', but the text of file, text b has its end"),
        (with_words("b", ["Oslo", "and", "Rom", "!"]), "the row ends after 3 words, but the text of .* has '!' there"),
    ],
)
def test_other_words(wrong: Document, message: str) -> None:
    with pytest.raises(DataError, match=message):
        apply_corrections(TABLE, [wrong])


def test_words_of_another_normalization() -> None:
    table = pa.table({"id": ["a"], "tokens": [["Zürich"]], "labels": [["O"]]})
    given = document("a", unicodedata.normalize("NFD", "Zürich"))
    with pytest.raises(DataError, match=r"text a has .*; they differ in their Unicode normalization alone"):
        apply_corrections(table, [given])


def test_new_classes_have_no_blanks() -> None:
    with pytest.raises(Error, match=r"text c: \[0, 2\) 'NEW CLS': the name of a class has no blanks"):
        apply_corrections(TABLE, [document("c", "so what", (0, 2, "NEW CLS"))])


def test_rows_that_are_not_there() -> None:
    with pytest.raises(Error, match="file, text x: the table has no row with the id 'x'"):
        apply_corrections(TABLE, [document("x", "a")])
    with pytest.raises(Error, match="the text has no id, by which its row could be found"):
        apply_corrections(TABLE, [document(None, "a")])
    twice = "file, text c: there are two texts with the id 'c', the other one is file, text c; leave one of them out"
    with pytest.raises(Error, match=twice):
        apply_corrections(TABLE, [document("c", "so what")] * 2)
    with pytest.raises(Error, match=r"file, text c: \[0, 9\) 'X' is no span of the text"):
        apply_corrections(TABLE, [document("c", "so what", (0, 9, "X"))])
    with pytest.raises(DataError, match=r"row 1, column 'id', value 'a': row 0 has this id as well; make ids unique"):
        apply_corrections(pa.table({"id": ["a", "a"], "tokens": [["a"], ["b"]]}), [])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    io.write(TABLE, tmp_path / "de.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("tool", "text"),
    [(tool, text) for tool in TOOLS for text in ("blanks", "detokenized") if (tool, text) != ("gliner", "detokenized")],
)
def test_what_is_handed_out_comes_back(files: Path, tool: str, text: str) -> None:
    run = done(xner("export", "de.parquet", "--to", tool, "-o", "out", "--sample", "3", "--text", text, cwd=files))
    said = run.stderr.splitlines()
    assert said.pop(0) == "3 of 5 sentences written to out"
    assert said == ([f"labelling configuration: {CONFIGURATION}"] if tool == "label-studio" else [])
    if tool == "label-studio":
        annotate(files / "out")
    if tool == "argilla":
        respond(files / "out")
    run = done(xner("import", "out", "--from", tool, "--onto", "de.parquet", "-o", "new.parquet", cwd=files))
    assert run.stderr.splitlines() == [
        "3 of 5 sentences were looked at",
        "class  kept  span  class  span and class  removed  added",
        "LOC       1     0      0               0        0      0",
        "ORG       1     0      0               0        0      0",
        "PER       1     0      0               0        0      0",
        "all       3     0      0               0        0      0",
        "  kept: as it was suggested",
        "precision 1.000 (0.439–1.000, Wilson, 95%): 3 of 3 suggestions were right",
        "sentences chosen --by random speak for the rest, too; those with small margins are worse than the rest",
        "written to new.parquet",
    ]
    new = io.read(files / "new.parquet")
    assert without(new, "reviewed") == io.read(files / "de.parquet")
    assert new["reviewed"].to_pylist().count(True) == 3


CONFIGURATION = (
    '<View><Labels name="label" toName="text"><Label value="LOC"></Label><Label value="ORG"></Label>'
    '<Label value="PER"></Label></Labels><Text name="text" value="$text"></Text></View>'
)


def annotate(path: Path) -> None:
    """What a person does who submits each prediction as it is."""
    tasks = json.loads(path.read_text("utf-8"))
    for number, task in enumerate(tasks):
        results = [prediction["result"] for prediction in task["predictions"]]
        task |= {"id": number, "annotations": [{"completed_by": 7, "result": results[0]}]}
    path.write_text(json.dumps(tasks), "utf-8")


def respond(path: Path) -> None:
    """The same for Argilla."""
    records = json.loads(path.read_text("utf-8"))
    for record in records:
        value = record["suggestions"]["spans"]["value"]
        record["responses"] = {"spans": [{"value": value, "user_id": "u"}]}
    path.write_text(json.dumps(records), "utf-8")


@pytest.mark.parametrize("tool", ["label-studio", "argilla"])
def test_suggestions_are_no_annotations(files: Path, tool: str) -> None:
    done(xner("export", "de.parquet", "--to", tool, "-o", "out", cwd=files))
    run = done(xner("import", "out", "--from", tool, "--onto", "de.parquet", "-o", "new.parquet", cwd=files))
    assert run.stderr.splitlines()[0] == "0 of 5 sentences were looked at"
    new = io.read(files / "new.parquet")
    assert without(new, "reviewed") == io.read(files / "de.parquet")
    assert not any(new["reviewed"].to_pylist())


@pytest.mark.parametrize("written", TOOLS)
def test_a_file_of_another_tool_is_refused_with_what_it_looks_like(files: Path, written: str) -> None:
    done(xner("export", "de.parquet", "--to", written, "-o", "out", cwd=files))
    tools, _ = looks_like(files / "out")
    assert written in tools
    assert len(tools) == 1
    for tool in TOOLS:
        command = ("import", "out", "--from", tool, "--onto", "de.parquet", "-o", "new.parquet")
        run = xner(*command, cwd=files)
        if tool == written:
            assert run.returncode == 0, run.stderr
            (files / "new.parquet").unlink()
        else:
            assert run.returncode == 1
            assert f"'out' does not look like a file of {tool}: it is a" in run.stderr
            assert f"looks like one of {written}: --from {written}" in run.stderr
            assert not (files / "new.parquet").exists()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Anna kam\n", "a file that begins with 'Anna kam'"),
        ("", "an empty file"),
        ('{"tokens": ["a"]}\n', "an object a line, with the fields tokens"),
        ("[]", "a file that begins with '[]'"),
    ],
)
def test_a_file_of_no_tool(files: Path, text: str, seen: str) -> None:
    (files / "out").write_text(text)
    assert looks_like(files / "out") == ((), seen)
    run = xner("import", "out", "--from", "doccano", "--onto", "de.parquet", "-o", "new.parquet", cwd=files)
    assert run.returncode == 1
    assert f"'out' does not look like a file of doccano: it is {seen}" in run.stderr


def test_corrections_of_one_person(files: Path) -> None:
    done(xner("export", "de.parquet", "--to", "label-studio", "-o", "out", cwd=files))
    annotate(files / "out")
    tasks = json.loads((files / "out").read_text("utf-8"))
    tasks[0]["annotations"].append({"completed_by": 8, "result": []})
    (files / "out").write_text(json.dumps(tasks), "utf-8")
    command = ("import", "out", "--from", "label-studio", "--onto", "de.parquet", "-o", "new.conll")
    run = xner(*command, cwd=files)
    assert run.returncode == 1
    assert (
        "task 0: 7 and 8 do not agree on the spans; --annotator names the one who counts (--annotator 7)" in run.stderr
    )
    run = done(xner(*command, "--annotator", "8", cwd=files))
    assert run.stderr.startswith("1 of 5 sentences were looked at\n")
    assert "  removed: suggested, and no entity\n" in run.stderr
    assert io.read(files / "new.conll")["labels"].to_pylist()[1] == ["O", "O", "O"]
    run = xner(
        "import", "out", "--from", "doccano", "--onto", "de.parquet", "-o", "x.conll", "--annotator", "8", cwd=files
    )
    assert run.returncode == 2
    assert "doccano does not tell who has annotated what" in run.stderr


def test_corrections_of_spans_in_several_pieces(files: Path) -> None:
    done(xner("export", "de.parquet", "--to", "brat", "-o", "brat", cwd=files))
    marks, text = next(
        (path, path.with_suffix(".txt").read_text("utf-8"))
        for path in sorted((files / "brat").glob("*.ann"))
        if path.with_suffix(".txt").read_text("utf-8").count(" ") > 1
    )
    first, second, third, *_ = text.split()
    start = len(f"{first} {second} ")
    pieces = f"0 {len(first)};{start} {start + len(third)}"
    marks.write_text(f"T1\tPER {pieces}\t{first} {third}\n", "utf-8")
    command = ("import", "brat", "--from", "brat", "--onto", "de.parquet", "-o", "new.parquet")
    run = xner(*command, cwd=files)
    assert run.returncode == 1
    assert "; --discontinuous cover reads all that lies between, --discontinuous drop leaves it out" in run.stderr
    counts = []
    for way in ("cover", "drop"):
        done(xner(*command, "--discontinuous", way, cwd=files))
        row = next(
            one for one in io.read(files / "new.parquet").to_pylist() if one["tokens"] and one["tokens"][0] == first
        )
        counts.append([(one["start"], one["end"]) for one in row["entities"]])
    assert counts == [[(0, 3)], []]
    run = xner("import", "brat", "--from", "doccano", *command[4:], "--discontinuous", "drop", cwd=files)
    assert "--discontinuous: doccano has no spans in several pieces" in " ".join(run.stderr.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--to", "doccano", "--seed", "3"), "--seed is for a choice --by random"),
        (("--to", "gliner", "--text", "detokenized"), "--text: gliner has words and no text"),
    ],
)
def test_options_that_say_nothing(files: Path, options: tuple[str, ...], message: str) -> None:
    run = xner("export", "de.parquet", *options, "-o", "out", cwd=files)
    assert run.returncode == 2
    assert message in run.stderr


def test_nothing_to_export(files: Path) -> None:
    run = xner("export", "de.parquet", "--to", "doccano", "-o", "out", "--below-margin", "0.01", cwd=files)
    assert run.returncode == 1
    assert "there is nothing to export: none of the 5 sentences is chosen" in run.stderr
    assert not (files / "out").exists()


def test_tables_without_ids(files: Path) -> None:
    io.write(without(TABLE, "id"), files / "plain.parquet")
    done(xner("export", "plain.parquet", "--to", "doccano", "-o", "out", "--sample", "1", cwd=files))
    assert json.loads((files / "out").read_text("utf-8"))["row_id"] == "1"
    run = done(xner("import", "out", "--from", "doccano", "--onto", "plain.parquet", "-o", "new.parquet", cwd=files))
    assert "2 of 2 suggestions were right" in run.stderr


# -- corrections in a later projection ----------------------------------------------------------------------------


def ann(words: int, start: int, end: int) -> list[dict[str, int]]:
    """Links of the entity (0, 2) to the words from start to end."""
    return [{"source": number % 2, "target": word} for number, word in enumerate(range(start, end))]


CORPUS = pa.table(
    {
        "id": ["a", "b", "c"],
        "source_tokens": [["Ann", "Lee", "sings"]] * 3,
        "source_entities": pa.array([[{"start": 0, "end": 2, "label": "PER"}]] * 3, schema.SOURCE_ENTITIES_TYPE),
        "tokens": [["Anna", "Li", "singt"], ["hier", "singt", "Anna", "Li"], ["Anna", "Li", "da"]],
        # The last row's link is wrong.
        "links": pa.array([ann(3, 0, 2), ann(4, 2, 4), [{"source": 0, "target": 2}]], schema.LINKS_TYPE),
    }
)


def corrections(path: Path, row: str, entities: list[tuple[int, int, str]], tokens: list[str] | None = None) -> str:
    """A file as `xner import` writes it, of one row."""
    words = dict(zip(CORPUS["id"].to_pylist(), CORPUS["tokens"].to_pylist(), strict=True))[row]
    found = [{"start": start, "end": end, "label": label, "source": 0} for start, end, label in entities]
    table = pa.table(
        {
            "id": ["z", row],
            "tokens": [["x"], tokens or words],
            "entities": pa.array([[], found], schema.ENTITIES_TYPE),
            "reviewed": [False, True],
        }
    )
    io.write(table, path)
    return str(path)


def spans(table: pa.Table) -> list[list[tuple[int, int]]]:
    rows: list[Any] = table["entities"].to_pylist()
    return [[(one["start"], one["end"]) for one in row] for row in rows]


@pytest.mark.parametrize("ending", ["parquet", "arrow", "jsonl"])
def test_corrections_stay(tmp_path: Path, ending: str) -> None:
    plain = Pipeline(memory=False).run(CORPUS).table
    assert spans(plain) == [[(0, 2)], [(2, 4)], [(2, 3)]]
    for decided, labels in (([(0, 1, "PER")], ["B-PER", "O", "O"]), ([], ["O", "O", "O"])):
        file = corrections(tmp_path / f"c.{ending}", "a", decided)
        found = Pipeline(memory=False, corrections=file, filters=["min-score=2"]).run(CORPUS).table
        assert spans(found)[0] == [span[:2] for span in decided]  # which no filter takes back
        assert found["labels"][0].as_py() == labels
        assert found["reviewed"].to_pylist() == [True, False, False]
        assert found["status"][0].as_py() == "ok"
        assert "reviewed_entities" not in found.schema.names
        found = Pipeline(memory=False, corrections=file).run(CORPUS).table
        assert spans(found)[1:] == spans(plain)[1:]


def test_corrections_speak_for_other_rows(tmp_path: Path) -> None:
    """One person's word counts as much as two rows that agree."""
    table = CORPUS.slice(1)
    assert spans(Pipeline(memory=True).run(table).table)[1] == [(2, 3)]  # the only other row is not enough
    found = Pipeline(memory=True, corrections=corrections(tmp_path / "c.parquet", "b", [(2, 4, "PER")])).run(table)
    assert spans(found.table)[1] == [(0, 2)]
    file = corrections(tmp_path / "d.parquet", "b", [(2, 4, "PER"), (0, 1, "LOC")])
    added = io.read(file)
    entities: list[Any] = added["entities"].to_pylist()
    entities[1][1]["source"] = None  # no projection of anything
    io.write(added.set_column(2, "entities", pa.array(entities, schema.ENTITIES_TYPE)), file)
    assert spans(Pipeline(memory=True, corrections=file).run(table).table) == [[(2, 4), (0, 1)], [(0, 2)]]


def test_signatures_tell_corrections_apart(tmp_path: Path) -> None:
    file = corrections(tmp_path / "c.parquet", "a", [(0, 1, "PER")])
    first = Pipeline(corrections=file).signature
    assert f"corrections:{file}#" in first
    assert Pipeline(corrections=file).signature == first
    corrections(tmp_path / "c.parquet", "a", [(0, 2, "PER")])
    assert Pipeline(corrections=file).signature != first


def test_corrections_of_other_tables(tmp_path: Path) -> None:
    file = corrections(tmp_path / "c.parquet", "a", [(0, 1, "PER")], tokens=["Anna", "Li", "tanzt"])
    with pytest.raises(DataError, match=r"row 0, .*'Anna Li tanzt'.*has these words, and the table others"):
        Pipeline(corrections=file).run(CORPUS)
    file = corrections(tmp_path / "c.parquet", "a", [(0, 1, "PER")])
    with pytest.raises(
        Error, match="the row a was reviewed, and the table has no such row; corrections are of the rows that were"
    ):
        Pipeline(corrections=file).run(CORPUS.slice(1))
    # Without ids, by number: the second row is the reviewed one.
    with pytest.raises(
        DataError, match=r"has these words, and the table others; .*project those, or export and correct these"
    ):
        Pipeline(corrections=file).run(CORPUS.drop_columns(["id"]))
    io.write(TABLE, tmp_path / "t.parquet")
    with pytest.raises(Error, match=r"reviewed; the table has: id, tokens"):
        Pipeline(corrections=str(tmp_path / "t.parquet")).run(CORPUS)
    io.write(io.read(file).slice(0, 1), tmp_path / "none.parquet")
    with pytest.raises(Error, match="nobody has looked at any row"):
        Pipeline(corrections=str(tmp_path / "none.parquet")).run(CORPUS)


def test_the_loop_from_export_to_a_better_projection(files: Path) -> None:
    """Handed out, corrected, read back, kept by the next projection, and never handed out again."""
    io.write(CORPUS.drop_columns(["links"]), files / "corpus.parquet")
    io.write(CORPUS.select(["id", "tokens"]), files / "de.parquet")
    (files / "links.pharaoh").write_text("0-0 1-1\n0-2 1-3\n0-2\n")
    project = ("project", "--source", "corpus.parquet", "--target", "de.parquet", "--links", "links.pharaoh")
    done(xner(*project, "-o", "first.parquet", cwd=files))
    done(xner("export", "first.parquet", "--to", "doccano", "-o", "tasks.jsonl", cwd=files))
    tasks = [json.loads(line) for line in (files / "tasks.jsonl").read_text().splitlines()]
    last = next(task for task in tasks if task["text"] == "Anna Li da")
    last["label"] = [[0, 7, "PER"]]
    (files / "corrected.jsonl").write_text(json.dumps(last) + "\n")
    back = ("import", "corrected.jsonl", "--from", "doccano", "--onto", "first.parquet")
    done(xner(*back, "-o", "corrected.parquet", cwd=files))
    done(xner(*back, "--only-reviewed", "-o", "gold.conll", cwd=files))
    assert (files / "gold.conll").read_text() == "# id = c\nAnna\tB-PER\nLi\tI-PER\nda\tO\n\n"
    done(xner(*project, "--corrections", "corrected.parquet", "-o", "second.parquet", cwd=files))
    assert spans(io.read(files / "second.parquet")) == [[(0, 2)], [(2, 4)], [(0, 2)]]
    done(xner("export", "second.parquet", "--to", "doccano", "-o", "more.jsonl", cwd=files))
    assert "Anna Li da" not in (files / "more.jsonl").read_text()
