"""Formats of annotation tools: what the tools write is read, what is written comes back, and what is wrong is named."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import unicodedata
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import done, xner
from io_strategies import classes, words
from xner import io, schema
from xner.errors import DataError, Error, FormatError
from xner.io.annotation.tools import TOOLS
from xner.io.layout import Layout
from xner.labels import encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OFFSETS = ["doccano", "prodigy", "spacy", "label-studio", "argilla"]
FORMATS = [*OFFSETS, "gliner", "webanno"]
SCORED = ["prodigy", "label-studio", "argilla"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("annotation")


def save(folder: Path, value: Any, name: str = "file") -> Path:
    """A text as it is, a dictionary as a line, a list as a list."""
    path = folder / name
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def values(table: pa.Table, column: str) -> list[Any]:
    rows: list[Any] = table[column].to_pylist()
    return rows


def entities(table: pa.Table) -> list[Any]:
    """`(start, end, label)` of each row's entities, None for a missing row."""
    rows = values(table, "entities")
    return [row and [(one["start"], one["end"], one["label"]) for one in row] for row in rows]


def table_of(
    rows: Sequence[tuple[list[str], list[tuple[int, int, str]]]], scores: Sequence[float] | None = None
) -> pa.Table:
    lists = [
        [
            {"start": start, "end": end, "label": label, "score": None if scores is None else scores[number]}
            for number, (start, end, label) in enumerate(spans)
        ]
        for _, spans in rows
    ]
    ids = pa.array([f"row {number}" for number in range(len(rows))], pa.string())
    tokens = pa.array([tokens for tokens, _ in rows], schema.WORDS_TYPE)
    return pa.table({"id": ids, "tokens": tokens, "entities": pa.array(lists, schema.ENTITIES_TYPE)})


@st.composite
def sentences(draw: st.DrawFn, *, least: int = 0) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Words without white space, and spans of them, each once, in the order that readers give."""
    tokens = draw(st.lists(words.filter(lambda word: word.split() == [word]), min_size=least, max_size=5))
    places = [(start, end) for start in range(len(tokens)) for end in range(start + 1, len(tokens) + 1)]
    spans = draw(st.lists(st.tuples(st.sampled_from(places), classes), max_size=4, unique=True)) if places else []
    return tokens, sorted(((*place, label) for place, label in spans), key=lambda span: (span[0], -span[1]))


@pytest.mark.parametrize("format", FORMATS)
@given(rows=st.lists(sentences(), max_size=3))
def test_round_trip(folder: Path, format: str, rows: list[tuple[list[str], list[tuple[int, int, str]]]]) -> None:
    table = table_of(rows)
    path = folder / format
    io.write(table, path, format)
    options: dict[str, Any] = {} if format in {"gliner", "webanno"} else {"language": "blanks"}
    back = io.read(path, format, **options)
    assert back.schema.names == ["id", "tokens", "labels", "entities"]
    assert back.select(["id", "tokens"]) == table.select(["id", "tokens"])
    assert [set(row) for row in entities(back)] == [set(spans) for _, spans in rows]
    assert pa.Table.from_batches(io.iter_batches(path, format, batch_rows=1, **options)).combine_chunks() == (
        back.combine_chunks()
    )
    assert [len(labels) for labels in values(back, "labels")] == [len(tokens) for tokens, _ in rows]


@given(rows=st.lists(sentences(least=1), max_size=3, min_size=1))
def test_round_trip_of_brat(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    rows = [(tokens, [(start, end, label) for start, end, label in spans]) for tokens, spans in rows]
    table = table_of(rows)
    path = tmp_path_factory.mktemp("brat") / "out"
    io.write_brat(table, path)
    back = io.read_brat(path, language="blanks")
    assert back.select(["id", "tokens"]) == table.select(["id", "tokens"])
    assert [set(row) for row in entities(back)] == [set(spans) for _, spans in rows]


@pytest.mark.parametrize("format", [*OFFSETS, "webanno"])
def test_offsets_of_detokenized_text(folder: Path, format: str) -> None:
    rows = [
        (["“", "😀", "Zoë", "”", ",", "said", "Ann", "."], [(1, 3, "PER"), (6, 7, "PER")]),
        (["東", "京"], [(0, 2, "LOC")]),
    ]
    io.write(table_of(rows), folder / format, format, text="detokenized")
    back = io.read(folder / format, format)
    assert entities(back) == [spans for _, spans in rows]
    assert values(back, "tokens") == [tokens for tokens, _ in rows]


@pytest.mark.parametrize("format", FORMATS)
def test_rows_that_nobody_has_annotated(folder: Path, format: str) -> None:
    io.write(pa.table({"tokens": [["a"], ["b"]]}), folder / format, format)
    labels = values(io.read(folder / format, format), "labels")
    assert labels == ([["O"], ["O"]] if format in {"doccano", "gliner", "webanno"} else [None, None])


@pytest.mark.parametrize("format", FORMATS)
def test_labels_are_written_where_there_are_no_entities(folder: Path, format: str) -> None:
    table = pa.table({"tokens": [["a", "b", "c"]], "labels": [["B-PER", "I-PER", "O"]], "gold": [["O", "B-X", "O"]]})
    io.write(table, folder / format, format)
    assert entities(io.read(folder / format, format)) == [[(0, 2, "PER")]]
    io.write(table, folder / format, format, spans="gold")
    assert entities(io.read(folder / format, format)) == [[(1, 2, "X")]]


@pytest.mark.parametrize("format", SCORED)
def test_scores(folder: Path, format: str) -> None:
    io.write(table_of([(["a", "b"], [(0, 1, "X"), (1, 2, "Y")])], [0.1, 0.75]), folder / format, format)
    assert [one["score"] for one in values(io.read(folder / format, format), "entities")[0]] == [
        pytest.approx(0.1),
        0.75,
    ]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"tokens": [["a"], ["b", ""]]}, r"row 1 \(id '1'\), column 'tokens', value '': a word without characters"),
        ({"tokens": [["a"], None]}, r"row 1 .*'tokens', value null: a sentence without words"),
        ({"tokens": [["a"]], "labels": [[""]]}, "row 0, column 'labels', value ''"),
        (
            {"tokens": [["a"]], "entities": [[{"start": 0, "end": 2, "label": "X"}]]},
            "entities', .* sentence, of 1 words",
        ),
        ({"tokens": [["a"]], "entities": [[{"start": 0, "end": 1, "label": ""}]]}, "the entity has no class"),
    ],
)
def test_rows_that_cannot_be_written(folder: Path, format: str, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        io.write(pa.table(columns), folder / format, format)


def test_words_that_detokenized_text_does_not_have(folder: Path) -> None:
    table = table_of([(["a", "\u00a0", "b"], [(1, 2, "X")])])
    with pytest.raises(DataError, match="left out of detokenized text; `text=blanks` writes it"):
        io.write(table, folder / "x", "doccano", text="detokenized")
    io.write(table_of([(["a", "\u00a0", "b"], [(0, 3, "X")])]), folder / "x", "prodigy", text="detokenized")
    assert values(io.read(folder / "x", "prodigy"), "tokens") == [["a", "b"]]
    with pytest.raises(Error, match="text='joined'"):
        io.write(table, folder / "x", "doccano", text="joined")
    with pytest.raises(Error, match="column 'x' must hold lists of entities or of labels, not string"):
        io.write(pa.table({"tokens": [["a"]], "x": ["a"]}), folder / "x", "doccano", spans="x")


# What the tools themselves write.
TEXT = "😀 Ann Lee lives in New York."
PERSON, PLACE = (1, 3, "PER"), (5, 7, "LOC")
WORDS = ["😀", "Ann", "Lee", "lives", "in", "New", "York", "."]
LABELS = encode([PERSON, PLACE], 8)
REGION = {"id": "x", "from_name": "label", "to_name": "text", "type": "labels", "origin": "manual"}
REGIONS = [
    {**REGION, "value": {"start": 2, "end": 9, "text": "Ann Lee", "labels": ["PER"]}},
    {**REGION, "value": {"start": 19, "end": 27, "text": "New York", "labels": ["LOC"]}},
    {"id": "y", "type": "choices", "value": {"choices": ["good"]}, "from_name": "c", "to_name": "text"},
    {"type": "relation", "from_id": "x", "to_id": "x", "direction": "right"},
]
TOKENS: list[dict[str, Any]] = [
    {"id": number, "start": TEXT.index(word), "end": TEXT.index(word) + len(word), "tag": "X"}
    for number, word in enumerate(WORDS)
]
SPACY = {
    "text": TEXT,
    "ents": [{"start": 2, "end": 9, "label": "PER"}, {"start": 19, "end": 27, "label": "LOC"}],
    "sents": [{"start": 0, "end": 28}],
    "tokens": TOKENS,
}
SPANS = [{"start": 2, "end": 9, "label": "PER"}, {"start": 19, "end": 27, "label": "LOC"}]
WEBANNO = """#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue
#T_SP=webanno.custom.Empty
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value
#T_RL=webanno.custom.Rel|label|BT_webanno.custom.X


#Text=\U0001f600 Ann Lee lives in New York.
1-1\t100-102\t\U0001f600\t_\t_\t_\t_\t_\t_\t
1-2\t103-106\tAnn\tNNP\t*\t*[1]\tPER[1]\t_\t_\t
1-3\t107-110\tLee\tNNP\t*\t*[1]\tPER[1]\t_\t_\t
1-4\t111-116\tlives\t_\t_\t_\t_\t_\t_\t
1-5\t117-119\tin\t_\t_\t_\t_\tx\t1-2\t
1-6\t120-123\tNew\t_\t_\t*[2]\tLOC[2]\t_\t_\t
1-7\t124-128\tYork\t_\t_\t*[2]\tLOC[2]\t_\t_\t
1-8\t128-129\t.\t_\t_\t_\t_\t_\t_\t
"""
EXAMPLES: list[tuple[str, Any, dict[str, Any]]] = [
    ("doccano", {"id": 7, "text": TEXT, "label": [[2, 9, "PER"], [19, 27, "LOC"]], "Comments": []}, {}),
    ("doccano", {"id": 7, "text": TEXT, "labels": [[19, 27, "LOC"], [2, 9, "PER"]]}, {}),
    (
        "doccano",
        {
            "id": 7,
            "text": TEXT,
            "entities": [
                {"id": 1, "label": "PER", "start_offset": 2, "end_offset": 9},
                {"id": 2, "label": "LOC", "start_offset": 19, "end_offset": 27},
            ],
            "relations": [],
        },
        {},
    ),
    ("prodigy", {"id": 7, "text": TEXT, "spans": SPANS, "answer": "accept", "_input_hash": 1}, {}),
    (
        "prodigy",
        {
            "id": 7,
            "text": TEXT,
            "spans": SPANS,
            "tokens": [{**t, "text": w} for t, w in zip(TOKENS, WORDS, strict=True)],
        },
        {},
    ),
    ("spacy", {"id": 7, **SPACY}, {}),
    ("spacy", {"id": 7, "text": TEXT, "entities": [[2, 9, "PER"], [19, 27, "LOC"]]}, {}),
    ("spacy", {"id": 7, "text": TEXT, "ents": SPANS[:1], "spans": {"sc": [{**one, "kb_id": ""} for one in SPANS]}}, {}),
    ("gliner", {"id": 7, "tokenized_text": WORDS, "ner": [[1, 2, "PER"], [5, 6, "LOC"]]}, {}),
    ("label-studio", [{"id": 7, "data": {"text": TEXT}, "annotations": [{"completed_by": 1, "result": REGIONS}]}], {}),
    (
        "label-studio",
        [{"id": 7, "data": {"t": TEXT}, "predictions": [{"result": REGIONS, "score": 0.5}]}],
        {"text_key": "t"},
    ),
    (
        "label-studio",
        [
            {
                "id": 9,
                "data": {"text": TEXT, "id": "7"},
                "annotations": [
                    {"result": [], "was_cancelled": True},
                    {"result": REGIONS, "ground_truth": True},
                    {"result": []},
                ],
            }
        ],
        {},
    ),
    (
        "argilla",
        [
            {
                "id": "7",
                "fields": {"text": TEXT},
                "metadata": {},
                "suggestions": {"spans": {"value": SPANS[:1], "score": None, "agent": None}},
                "responses": {"spans": [{"value": SPANS, "user_id": "u"}, {"value": SPANS, "user_id": "v"}]},
                "vectors": {},
                "_server_id": None,
            }
        ],
        {},
    ),
    (
        "argilla",
        [{"id": "7", "fields": {"t": TEXT}, "suggestions": {"q": {"value": SPANS, "score": [0.5, 1]}}}],
        {"text_field": "t", "question": "q"},
    ),
    ("webanno", WEBANNO.replace("#Text", "#Sentence.id=7\n#Text", 1), {}),
]


@pytest.mark.parametrize(("format", "content", "options"), EXAMPLES)
def test_what_the_tools_write(folder: Path, format: str, content: Any, options: dict[str, Any]) -> None:
    table = io.read(save(folder, content), format, **options)
    assert values(table, "id") == ["7"]
    assert values(table, "tokens") == [WORDS]
    assert entities(table) == [[PERSON, PLACE]]
    assert values(table, "labels") == [LABELS]


SNAPPED = "begin or end elsewhere than words do and are read as the whole words that they touch"
NESTED = "overlap longer ones and are in the column 'entities' alone, not in 'labels'"


def test_what_is_said_of_spans_that_are_not_as_they_were(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "Berliner Bank in Berlin"
    spans = [[0, 6, "LOC"], [0, 13, "ORG"], [13, 14, "X"], [17, 23, "LOC"]]
    path = save(folder, {"text": text, "label": spans})
    with caplog.at_level(logging.WARNING, "xner"):
        table = io.read(path, "doccano")
    assert entities(table) == [[(0, 2, "ORG"), (0, 1, "LOC"), (3, 4, "LOC")]]
    assert values(table, "labels") == [["B-ORG", "I-ORG", "O", "B-LOC"]]
    assert [record.getMessage().replace(str(path), "FILE") for record in caplog.records] == [
        f"FILE: 1 of 4 spans {SNAPPED}; first FILE, line 1, [0, 6) 'Berlin' LOC",
        "FILE: 1 of 4 spans have nothing but white space in them and are left out; first FILE, line 1, [13, 14) ' ' X",
        f"FILE: 1 of 4 spans {NESTED}; first FILE, line 1, [0, 6) 'Berlin' LOC",
    ]


@pytest.mark.needs("words")
def test_the_words_of_a_language(folder: Path) -> None:
    path = save(folder, {"text": "don't", "label": [[0, 2, "X"]]})
    assert values(io.read(path, "doccano"), "tokens") == [["don", "'", "t"]]
    assert values(io.read(path, "doccano", language="blanks"), "tokens") == [["don't"]]
    assert values(io.read(path, "doccano", language="en"), "tokens") == [["do", "n't"]]


def test_offsets_in_other_units_of_old_versions_of_label_studio(folder: Path) -> None:
    region = {"type": "labels", "value": {"start": 3, "end": 6, "text": "Ann", "labels": ["PER"]}}
    task = {"data": {"text": "😀 Ann"}, "annotations": [{"result": [region]}]}
    assert entities(io.read(save(folder, [task]), "label-studio")) == [[(1, 2, "PER")]]


def test_people_who_do_not_agree(folder: Path) -> None:
    task = {
        "data": {"text": TEXT},
        "annotations": [
            {"completed_by": {"id": 1, "email": "ann@x"}, "result": REGIONS},
            {"completed_by": 2, "result": REGIONS[:1]},
        ],
    }
    path = save(folder, [task])
    with pytest.raises(FormatError, match=r"task 0: ann@x and 2 do not agree on the spans; .*`annotator=ann@x`"):
        io.read(path, "label-studio")
    assert entities(io.read(path, "label-studio", annotator="2")) == [[PERSON]]
    message = r"has no annotations by '3', only by ann@x, 2; `annotator` names one of these"
    with pytest.raises(FormatError, match=message):
        io.read(path, "label-studio", annotator="3")
    with pytest.raises(FormatError, match=message):
        list(TOOLS["label-studio"].documents(path, annotator="3"))
    inspected = ("inspect", path.name, "--format", "label-studio")
    said = " ".join(xner(*inspected, cwd=path.parent).stdout.split())
    assert "--annotator names the one who counts (--annotator ann@x)" in said
    run = done(xner(*inspected, "--annotator", "ann@x", cwd=path.parent)).stdout
    assert "read with: --annotator ann@x" in run
    assert "PER           1" in run
    assert entities(Layout(annotator="2").read(path, "label-studio")) == [[PERSON]]
    path.with_name("a.conll").write_text("a\tO\n")
    refused = xner("inspect", "a.conll", "--annotator", "2", cwd=path.parent)
    assert "--annotator says nothing of files of the format conll" in refused.stderr
    responses = {"spans": [{"value": SPANS, "user_id": "u"}, {"value": [], "user_id": "v"}]}
    path = save(folder, [{"fields": {"text": TEXT}, "responses": responses}])
    with pytest.raises(FormatError, match=r"record 0: u and v do not agree"):
        io.read(path, "argilla")
    assert entities(io.read(path, "argilla", annotator="v")) == [[]]
    with pytest.raises(FormatError, match=r"has no annotations by 'w', only by u, v; "):
        io.read(path, "argilla", annotator="w")
    path = save(folder, [task, {**task, "annotations": [{"completed_by": "ann@x", "result": REGIONS}]}])
    assert entities(io.read(path, "label-studio", annotator="2")) == [[PERSON], None]


def region(start: int, end: int, label: str, text: str | None = None) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": [label]}
    return {"type": "labels", "value": value if text is None else {**value, "text": text}}


def studio_task(text: str, *annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"data": {"text": text}, "annotations": list(annotations), **more}


def said_of(path: Path, format: str, caplog: pytest.LogCaptureFixture) -> tuple[list[Any], list[str]]:
    """The entities of a file, and what is said of it."""
    caplog.clear()
    with caplog.at_level(logging.WARNING, "xner"):
        found = entities(io.read(path, format))
    return found, [record.getMessage().replace(str(path), "FILE") for record in caplog.records]


NO_LABELS = "texts have no labels, which is something else than no entities:"
PEOPLE_COUNT = "with suggestions of a model alone, which do not count, as people have annotated others; first FILE,"


def test_texts_that_nobody_labelled_are_counted_by_why(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    ann = {"result": [region(0, 3, "PER")]}
    tasks = [studio_task("Ann"), studio_task("Bob", {"result": [], "was_cancelled": True}), studio_task("Ann", ann)]
    found, said = said_of(save(folder, [*tasks, tasks[0]]), "label-studio", caplog)
    assert found == [None, None, [(0, 1, "PER")], None]
    kinds = "2 without annotations (first FILE, task 0), 1 skipped (first FILE, task 1)"
    assert said == [f"FILE: 3 of 4 {NO_LABELS} {kinds}"]
    lines = [{"text": "Ann", "answer": answer} for answer in ("reject", "accept", "ignore", "reject")]
    found, said = said_of(save(folder, "\n".join(map(json.dumps, lines))), "prodigy", caplog)
    assert found == [None, [], None, None]
    assert said == [f"FILE: 3 of 4 {NO_LABELS} 2 rejected (first FILE, line 1), 1 ignored (first FILE, line 3)"]
    found, said = said_of(save(folder, '{"text": "Ann"}\n{"text": "Ann", "label": []}\n'), "doccano", caplog)
    assert (found, said) == ([None, []], [f"FILE: 1 of 2 {NO_LABELS} 1 without annotations (first FILE, line 1)"])
    assert said_of(save(folder, {"text": "Ann"}), "doccano", caplog) == ([None], [])


def test_texts_that_nobody_labelled_are_no_training_data(tmp_path: Path) -> None:
    tasks = [studio_task("Ann"), studio_task("Ann", {"result": [region(0, 3, "PER")]}), studio_task("Bob", {})]
    save(tmp_path, tasks, "en.json")
    (tmp_path / "de.txt").write_text("Anne\nAnne\nBob\n")
    (tmp_path / "links").write_text("0-0\n0-0\n0-0\n")
    source = ("--source", "en.json", "--source-format", "label-studio")
    command = ("project", *source, "--target", "de.txt", "--links", "links")
    run = done(xner(*command, "-o", "de.conll", cwd=tmp_path))
    assert "3 sentences: 2 ok, 1 missing_entities" in run.stderr
    assert "missing_entities: nobody has labelled the source sentence; training leaves out such rows" in run.stderr
    assert "1 of 3 rows left out of de.conll" in run.stderr
    assert f"1 of 3 {NO_LABELS} 1 without annotations (first en.json, task 0)" in run.stderr
    assert values(io.read(tmp_path / "de.conll"), "labels") == [["B-PER"], ["O"]]
    assert "left out" not in done(xner(*command, "-o", "de.parquet", cwd=tmp_path)).stderr
    table = io.read(tmp_path / "de.parquet")
    assert values(table, "status") == ["missing_entities", "ok", "ok"]


def test_gold_labels_of_a_tool_against_a_table(tmp_path: Path) -> None:
    tasks = [studio_task("Ann", {"result": [region(0, 3, "PER")]}), studio_task("Ann"), studio_task("Bob", {})]
    save(tmp_path, tasks, "gold.json")
    rows: dict[str, Any] = {"tokens": [["Ann"], ["Ann"], ["Bob"]], "labels": [["B-PER"], ["B-LOC"], ["O"]]}
    io.write(pa.table(rows), tmp_path / "de.parquet")
    untold = ("evaluate", "--gold", "gold.json", "--predicted", "de.parquet")
    told = xner(*untold, cwd=tmp_path)
    assert told.returncode == 1
    assert "looks like a file of label-studio, which --gold-format label-studio reads" in told.stderr
    command = (*untold, "--gold-format", "label-studio")
    run = done(xner(*command, "--json", cwd=tmp_path))
    assert json.loads(run.stdout)["micro"]["f1"] == 1
    assert "gold.json: 1 sentence without gold labels, not scored; first row 1" in run.stderr
    rows["labels"][0] = None
    io.write(pa.table(rows), tmp_path / "de.parquet")
    lacking = xner(*command, cwd=tmp_path)
    assert "row 0, column 'labels', value null: 'de.parquet' does not label this sentence" in lacking.stderr
    assert lacking.stderr.count("have no labels") == 1
    same = ("evaluate", "--gold", "de.parquet", "--predicted", "de.parquet")
    other = xner(*same, "--gold-format", "argilla", cwd=tmp_path)
    assert "looks like Parquet; its name tells its format, and another one was given" in other.stderr
    alone = xner("evaluate", "--predicted", "de.parquet", "--gold-format", "conll", cwd=tmp_path)
    assert (alone.returncode, "there is no --gold" in alone.stderr) == (2, True)


def test_words_that_look_the_same(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        (tmp_path / f"{form}.conll").write_text(unicodedata.normalize(form, "Zürich\tO\n"))
    run = xner("evaluate", "--gold", "NFC.conll", "--predicted", "NFD.conll", cwd=tmp_path)
    assert "for word 0; they differ in their Unicode normalization alone" in run.stderr
    assert "xner pair" not in run.stderr
    tokens = [[unicodedata.normalize("NFD", "Zürich")]]
    decided = pa.table({"tokens": tokens, "entities": pa.array([[]], schema.ENTITIES_TYPE), "reviewed": [True]})
    io.write(decided, tmp_path / "reviewed.parquet")
    sides = ("project", "--source", "NFC.conll", "--target", "NFC.conll", "--corrections", "reviewed.parquet")
    run = xner(*sides, "-o", "o.parquet", cwd=tmp_path)
    assert "and the table others; they differ in their Unicode normalization alone" in run.stderr


def test_classes_with_blanks_are_told(folder: Path) -> None:
    path = save(folder, {"text": "Ann", "label": [[0, 3, "Person Name"]]})
    shown = xner("inspect", path.name, "--format", "doccano", cwd=folder).stdout
    assert "the class 'Person Name' has blanks, which files of columns cannot hold; --class-map " in shown
    assert "--class-map 'Person Name=Person_Name' renames it" in shown


def test_classes_are_renamed_where_there_are_some(folder: Path) -> None:
    path = save(folder, '{"text": "Ann"}\n{"text": "Ann", "label": [[0, 3, "P"]]}\n')
    found = Layout(class_map={"P": "PER"}).read_labelled(path, "doccano").entities.to_pylist()
    assert found == [None, [{"start": 0, "end": 1, "label": "PER"}]]


def test_what_people_said_counts_and_suggestions_where_nobody_said_anything(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    suggestion = {"spans": {"value": [{"start": 0, "end": 4, "label": "PER"}], "agent": "m"}}
    nobody = {**argilla_record("spans"), "suggestions": suggestion}
    draft = argilla_record("spans", {"user_id": "u", "value": [], "status": "draft"})
    draft["suggestions"] = suggestion
    done_ = argilla_record("spans", {"user_id": "u", "value": [], "status": "submitted"})
    found, said = said_of(save(folder, [nobody, draft, done_]), "argilla", caplog)
    assert found == [None, None, []]
    kinds = "1 without annotations (first FILE, record 0), 1 draft (first FILE, record 1)"
    assert said == [f"FILE: 2 texts {PEOPLE_COUNT} record 0", f"FILE: 2 of 3 {NO_LABELS} {kinds}"]
    found, said = said_of(save(folder, [nobody]), "argilla", caplog)
    alone = "1 text with suggestions of a model alone, which count, as nobody has annotated any; first FILE, record 0"
    assert (found, said) == ([[(0, 1, "PER")]], [f"FILE: {alone}"])
    prediction = studio_task("Ann", predictions=[{"result": [region(0, 3, "PER")]}])
    assert said_of(save(folder, [prediction]), "label-studio", caplog)[0] == [[(0, 1, "PER")]]
    found, said = said_of(save(folder, [prediction, studio_task("Bob", {"result": []})]), "label-studio", caplog)
    assert (found, said[0]) == ([None, []], f"FILE: 1 text {PEOPLE_COUNT} task 0")


def test_the_last_of_several_annotations_by_one_person_counts(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = {"completed_by": 1, "result": [region(0, 3, "PER")], "updated_at": "2025-01-01T00:00:00Z"}
    last = {"completed_by": 1, "result": [region(0, 3, "LOC")], "updated_at": "2025-01-02T00:00:00Z"}
    what = "text with several annotations by one person, of which the last counts; first FILE, task 0"
    for both in ((first, last), (last, first)):
        found, said = said_of(save(folder, [studio_task("Ann", *both)]), "label-studio", caplog)
        assert (found, said) == ([[(0, 1, "LOC")]], [f"FILE: 1 {what}"])


def test_spans_of_label_studio_have_the_text_that_they_say(folder: Path) -> None:
    def task(said: str, text: str = "At Ann\nLee") -> list[Any]:
        return [studio_task(text, {"result": [region(3, 10, "PER", said)]})]

    for said in ("Ann\nLee", r"Ann\nLee", "Ann Lee", " Ann\nLee "):
        assert entities(io.read(save(folder, task(said)), "label-studio")) == [[(1, 3, "PER")]]
    with pytest.raises(FormatError, match=r"task 0, .*'value': field 'text': the span is 'Bob', but the text has 'Ann"):
        io.read(save(folder, task("Bob")), "label-studio")


@pytest.mark.parametrize(("format", "holder"), [("label-studio", "data"), ("argilla", "fields")])
def test_texts_in_fields_of_other_names(folder: Path, format: str, holder: str) -> None:
    path = save(folder, [{holder: {"body": "Ann", "id": "x", "n": 1}}])
    assert values(io.read(path, format), "tokens") == [["Ann"]]
    path = save(folder, [{holder: {"my body": "Ann", "title": "Bob"}}])
    with pytest.raises(
        FormatError, match=r"there are several texts, my body, title; `jq .*` takes 'my body'"
    ) as raised:
        io.read(path, format)
    if shutil.which("jq") is not None:
        subprocess.run(str(raised.value).split("`")[1], shell=True, check=True)
        assert values(io.read(path.with_name("file.text"), format), "tokens") == [["Ann"]]
    with pytest.raises(FormatError, match="there is no field 'text'; the fields are n"):
        io.read(save(folder, [{holder: {"n": 1}}]), format)


@pytest.mark.parametrize(
    ("fields", "spans"),
    [
        ({"spans": SPANS, "answer": "reject"}, None),
        ({"spans": SPANS, "answer": "ignore"}, None),
        ({"answer": "accept"}, []),
        ({}, None),
    ],
)
def test_answers_of_prodigy_users(folder: Path, fields: dict[str, Any], spans: object) -> None:
    assert entities(io.read(save(folder, {"text": TEXT, **fields}), "prodigy")) == [spans]


def test_predictions_and_annotations_of_label_studio(folder: Path) -> None:
    table = table_of([(["a", "b"], [(0, 1, "X"), (1, 2, "Y")])], [0.5, 0.25])
    rows = values(table, "entities")
    rows[0][0]["margin"], rows[0][1]["margin"] = 0.125, float("inf")
    table = table.set_column(2, "entities", pa.array(rows, schema.ENTITIES_TYPE))
    io.write(table, folder / "x", "label-studio")
    (task,) = json.loads((folder / "x").read_text("utf-8"))
    assert task["data"] == {"text": "a b", "id": "row 0", "margin": 0.125}
    (prediction,) = task["predictions"]
    assert prediction["score"] == 0.25
    assert prediction["result"][1] == {
        "id": "1",
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": {"start": 2, "end": 3, "text": "b", "labels": ["Y"]},
        "score": 0.25,
    }
    io.write(table, folder / "x", "label-studio", spans_as="annotations", from_name="l", to_name="t", text_key="body")
    (task,) = json.loads((folder / "x").read_text("utf-8"))
    assert task["data"]["body"] == "a b"
    assert task["annotations"][0]["result"][0]["from_name"] == "l"
    assert entities(io.read(folder / "x", "label-studio", text_key="body")) == [[(0, 1, "X"), (1, 2, "Y")]]


def test_what_webanno_writes_of_odd_text(folder: Path) -> None:
    """Sentences of several lines, reserved characters, stacked annotations, parts of tokens."""
    content = (
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.Y|a|b\n\n\n"
        "#Text=a\\\\b\n#Text=c\\td\n"
        "1-1\t0-3\ta\\\\b\t_\tP\\[1\\][1]|Q\\|Q[2]\n"
        "1-2\t4-7\tc\\td\t_\tP\\[1\\][1]|\\_->\n\n"
        "#Text=plays\n2-1\t8-13\tplays\t_\t_\n2-1.1\t8-12\tplay\t_\tV\n"
    )
    table = io.read(save(folder, content), "webanno", layer="x.Y", feature="b")
    assert values(table, "tokens") == [["a\\b", "c\td"], ["plays"]]
    assert entities(table) == [[(0, 2, "P[1]"), (0, 1, "Q|Q"), (1, 2, "_->")], [(0, 1, "V")]]


class TestLayersOfWebAnno:
    """Files with several layers and features."""

    CONTENT = (
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=a.Tokens|pos\n#T_SP=b.Person|kind|role\n\n\n#Text=Ann plays\n"
        "1-1\t0-3\tAnn\tNN\tX\tY\n1-2\t4-9\tplays\tVB\t_\t_\n"
    )

    @pytest.mark.parametrize(
        ("options", "labels"),
        [
            (("--span-layer", "Tokens"), ["B-NN", "B-VB"]),
            (("--span-layer", "b.Person", "--span-feature", "kind"), ["B-X", "O"]),
            (("--span-layer", "Person", "--span-feature", "role"), ["B-Y", "O"]),
        ],
    )
    def test_named(self, tmp_path: Path, options: tuple[str, ...], labels: list[str]) -> None:
        (tmp_path / "a.tsv").write_text(self.CONTENT)
        (tmp_path / "de.txt").write_text("Ann spielt\n")
        sides = ("--source", "a.tsv", "--source-format", "webanno", "--target", "de.txt")
        done(xner("project", *sides, *options, "-o", "o.jsonl", cwd=tmp_path))
        assert values(io.read(tmp_path / "o.jsonl"), "source_entities")[0][0]["label"] == labels[0][2:]
        found = done(xner("inspect", "a.tsv", "--format", "webanno", *options, cwd=tmp_path)).stdout
        assert f"read with: {' '.join(options)}\n" in found
        given = dict(zip(options[::2], options[1::2], strict=True))
        layout = Layout(span_layer=given["--span-layer"], span_feature=given.get("--span-feature"))
        assert layout.read(tmp_path / "a.tsv", "webanno")["labels"].to_pylist() == [labels]

    def test_what_there_is_not(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "a.tsv").write_text(self.CONTENT)
        inspect = ("inspect", "a.tsv", "--format", "webanno")
        run = done(xner(*inspect, cwd=tmp_path))
        assert "the file's span layers are: a.Tokens, b.Person; --span-layer names one" in caplog.text + run.stderr
        run = xner(*inspect, "--span-layer", "Person", cwd=tmp_path)
        reason = "the layer b.Person has no feature 'value'; its features are: kind, role; --span-feature names one"
        assert reason in " ".join((run.stdout + run.stderr).split())
        (tmp_path / "a.conll").write_text("a\tO\n")
        run = xner("inspect", "a.conll", "--span-layer", "Person", cwd=tmp_path)
        assert "--span-layer says nothing of files of the format conll" in run.stderr


def test_documents_of_webanno_in_which_nothing_is_annotated(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Their headers lack the layer."""
    content = "#FORMAT=WebAnno TSV 3.3\n#T_SP=a.Empty|\n\n\n#Text=a b\n1-1\t5-6\ta\t*\n1-2\t7-8\tb\t_\n"
    with caplog.at_level(logging.WARNING, "xner"):
        table = io.read(save(folder, content), "webanno")
    assert table.select(["tokens", "labels", "entities"]).to_pylist() == [
        {"tokens": ["a", "b"], "labels": ["O", "O"], "entities": []}
    ]
    assert "nothing is annotated in the layer" in caplog.text
    assert "the file's span layers are: a.Empty" in caplog.text


def test_annotations_of_tokens_and_parts_of_them(folder: Path) -> None:
    content = (
        "#FORMAT=WebAnno TSV 3.2\n#T_SP=x.Y|v\n\n\n#Text=aaaa bbbb cccc\n"
        "1-1\t0-4\taaaa\t_\n1-1.1\t2-4\taa\tP[1]\n"
        "1-2\t5-9\tbbbb\tP[1]|Q[2]\n1-2.1\t5-7\tbb\tQ[2]\n1-3\t10-14\tcccc\t_\n"
    )
    table = io.read(save(folder, content), "webanno", layer="x.Y", feature="v")
    assert entities(table) == [[(0, 2, "P"), (1, 2, "Q")]]


def test_a_file_for_inception(folder: Path) -> None:
    rows = [(["😀", "A_B", "*"], [(0, 2, "X-Y"), (1, 2, "Z"), (2, 3, "_*")]), (["c"], [(0, 1, "P->Q")])]
    io.write(table_of(rows), folder / "x", "webanno")
    assert (folder / "x").read_text("utf-8") == (
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|value\n\n\n"
        "#Sentence.id=row 0\n#Text=😀 A_B *\n"
        "1-1\t0-2\t😀\tX-Y[1]\n1-2\t3-6\tA_B\tX-Y[1]|Z[2]\n1-3\t7-8\t*\t\\_\\*\n\n"
        "#Sentence.id=row 1\n#Text=c\n2-1\t9-10\tc\tP\\->Q\n"
    )


WRONG: list[tuple[str, Any, str]] = [
    ("doccano", "{", r"file, line 1: not JSON"),
    ("doccano", "[3]", r"item 0: expected an object"),
    ("doccano", {"label": []}, r"line 1: there is no field 'text'; the fields are label$"),
    ("doccano", {"text": 1}, r"line 1, field 'text': expected a text, found 1"),
    ("doccano", {"text": "ab", "label": [[0, 3, "X"]]}, r"line 1: the span \[0, 3\) 'X' is not within the text"),
    ("doccano", {"text": "ab", "label": [[1, 1, "X"]]}, r"line 1: the span \[1, 1\)"),
    ("doccano", {"text": "ab", "label": [[0, 1, ""]]}, r"line 1: the span \[0, 1\) has no class"),
    ("doccano", {"text": "ab", "label": [[0, "X"]]}, r"field 'label', item 0: expected \[start, end, class\], found"),
    ("doccano", {"text": "ab", "label": [[0, 1, 7]]}, r"item 0, field 'label': expected a text, found 7"),
    ("doccano", {"text": "ab", "label": [[0, 1.5, "X"]]}, r"field 'end': expected a whole number, found 1.5"),
    ("doccano", {"text": "ab", "label": "X"}, r"field 'label': expected a list"),
    ("doccano", {"text": "ab", "label": [], "entities": []}, "spans in more than one field: label, entities"),
    ("doccano", {"text": "ab", "id": [1]}, r"field 'id': expected a text or a whole number"),
    ("doccano", '{"text": "\\ud83d"}', "half of a surrogate pair"),
    ("prodigy", {"text": "ab", "spans": [{"start": 0, "label": "X"}]}, "item 0: there is no field 'end'"),
    ("prodigy", {"text": "ab", "tokens": [{"start": 1, "end": 3}]}, r"'tokens', item 0: \[1, 3\) is not behind"),
    ("prodigy", {"text": "ab", "tokens": [{"start": 0, "end": 1, "text": "b"}]}, "token is 'b', but the text has 'a'"),
    ("spacy", {"text": "ab", "spans": []}, "field 'spans': expected an object"),
    ("gliner", {"tokenized_text": ["a", ""], "ner": []}, "expected a list of words, none of them empty"),
    ("gliner", {"ner": []}, "'tokenized_text': expected a list of words"),
    ("gliner", {"tokenized_text": ["a"], "ner": [[0, 1, "X"]]}, "'ner', item 0: words 0 to 1 are not within the sent"),
    ("gliner", {"tokenized_text": ["a"], "ner": [[0, "X"]]}, r"expected \[first word, last word, class\]"),
    ("label-studio", {}, "expected a list of tasks, found {}"),
    ("label-studio", "[", "file: not JSON"),
    ("label-studio", [3], "task 0: expected an object, found 3"),
    ("label-studio", [{"text": "a"}], "task 0: there is no field 'data'; export the project as JSON, not as JSON-MIN"),
    ("label-studio", [{"data": {"t": 1}}], "task 0, field 'data': there is no field 'text'; the fields are t"),
    ("label-studio", '[{"data": {"text": "\\ud83d"}}]', "task 0: half of a surrogate pair"),
    (
        "label-studio",
        [
            {
                "data": {"text": "a"},
                "annotations": [{"result": [{"type": "labels", "value": {"start": 0, "end": 1, "labels": [1]}}]}],
            }
        ],
        "field 'annotations', item 0, field 'result', item 0, field 'value': field 'labels': expected texts, found 1",
    ),
    (
        "argilla",
        [{"fields": {"text": "a"}, "suggestions": {"spans": {"value": SPANS, "score": [1]}}}],
        "1 scores for 2",
    ),
    ("webanno", "x\n", r"line 1: expected #FORMAT=WebAnno TSV 3.x, found 'x'"),
    (
        "webanno",
        WEBANNO.replace("identifier|value", "identifier|class"),
        "the layer .*NamedEntity has no feature 'value'; its features are: identifier, class",
    ),
    ("webanno", WEBANNO.replace("LOC[2]", "*[2]"), r"line 14: the annotation '\*\[2\]' has no value"),
    ("webanno", WEBANNO.replace("LOC[2]", "LOC]"), r"line 14: expected annotations, found 'LOC\]'"),
    ("webanno", WEBANNO.replace("Ann\t", "Anna\t"), r"line 10: the token is 'Anna', but the sentence has 'Ann' there"),
    ("webanno", WEBANNO.replace("1-3\t", "1\t"), r"line 11: expected a token, its offsets and its text"),
    ("webanno", WEBANNO + "1-9\t129-129\t\n", r"line 17: expected 4 columns behind the token at least, found 0"),
]


@pytest.mark.parametrize(("format", "content", "message"), WRONG)
def test_wrong_files(folder: Path, format: str, content: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        io.read(save(folder, content), format)


def brat(folder: Path, text: str, annotations: str | None, name: str = "doc") -> Path:
    save(folder, text, f"{name}.txt")
    if annotations is not None:
        save(folder, annotations, f"{name}.ann")
    return folder


def test_a_folder_of_brat(tmp_path: Path) -> None:
    annotations = (
        "T1\tPER 2 9\tAnn Lee\nT2\tLOC 19 22;23 27\tNew York\nR1\tLives Arg1:T1 Arg2:T2\nE1\tPER:T1\nA1\tSure T1\n"
        "#1\tAnnotatorNotes T1\tT1 is she\n*\tEquiv T1 T2\n"
    )
    brat(tmp_path, TEXT + "\n", annotations, "10")
    brat(tmp_path, "nothing", "", "9")
    brat(tmp_path, "nobody", None, "11")
    table = io.read_brat(tmp_path)
    assert values(table, "id") == ["9", "10", "11"]
    assert entities(table) == [[], [PERSON, PLACE], None]
    assert (
        entities(io.read_brat(tmp_path / "10.ann")) == entities(io.read_brat(tmp_path / "10.txt")) == [[PERSON, PLACE]]
    )


def test_folders_of_brat_within_a_folder(tmp_path: Path) -> None:
    news = tmp_path / "news 1"
    news.mkdir()
    brat(tmp_path, "Ann", "T1\tPER 0 3\tAnn\n", "2")
    brat(news, "Bob", "T1\tPER 0 3\tBob\n", "2")
    table = io.read_brat(tmp_path)
    assert (values(table, "id"), entities(table)) == (["2", "news 1/2"], [[(0, 1, "PER")]] * 2)
    assert values(io.read_brat(news / "2.ann"), "id") == ["2"]
    inspected = xner("inspect", tmp_path.name, cwd=tmp_path.parent).stdout
    assert "2 sentences, 2 words" in inspected
    assert "2 sentences, 2 words" not in done(xner("inspect", "2.txt", cwd=tmp_path)).stdout
    (news / "3.ann").write_text("")
    with pytest.raises(Error, match=r"'news 1/3\.ann' has annotations of a text 'news 1/3\.txt' that is not there"):
        io.read_brat(tmp_path)


def test_discontinuous_spans_of_brat(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    brat(tmp_path, "left and right hand", "T1\tX 0 4;15 19\tleft hand\nT2\tX 9 19\tright hand\n")
    with pytest.raises(FormatError, match=r"doc.ann, line 1: the span 0 4;15 19 'left hand' has other words between"):
        io.read_brat(tmp_path)
    assert entities(io.read_brat(tmp_path, discontinuous="drop")) == [[(2, 4, "X")]]
    with caplog.at_level(logging.WARNING, "xner"):
        assert entities(io.read_brat(tmp_path, discontinuous="cover")) == [[(0, 4, "X"), (2, 4, "X")]]
    assert any(
        "1 discontinuous spans are read as all that lies between their ends" in r.getMessage() for r in caplog.records
    )


def test_lines_of_brat(tmp_path: Path) -> None:
    brat(tmp_path, "Ann sings\n\nOslo\r\n", "T1\tPER 0 3\tAnn\nT2\tLOC 11 15\tOslo\n")
    table = io.read_brat(tmp_path, rows="lines")
    assert values(table, "id") == ["doc:0", "doc:1", "doc:2"]
    assert values(table, "tokens") == [["Ann", "sings"], [], ["Oslo"]]
    assert entities(table) == [[(0, 1, "PER")], [], [(0, 1, "LOC")]]
    brat(tmp_path, "New\nYork", "T1\tLOC 0 3;4 8\tNew York\n")
    assert entities(io.read_brat(tmp_path)) == [[(0, 2, "LOC")]]
    with pytest.raises(FormatError, match=r"the span \[0, 8\) LOC goes on in the next line; rows='documents' reads it"):
        io.read_brat(tmp_path, rows="lines")


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ("T1\tX 0 9\tab", r"doc.ann, line 1: 0 9 is not within the text, of 2 characters"),
        ("T1\tX 0 1\tb", r"doc.ann, line 1: the annotation is of 'b', but the text has 'a' there"),
        ("#1\tx\nT1 X 0 1 a", r"doc.ann, line 2: expected T1, class and offsets, and the text"),
    ],
)
def test_wrong_files_of_brat(tmp_path: Path, annotations: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        io.read_brat(brat(tmp_path, "ab", annotations))


def test_what_brat_cannot_hold(tmp_path: Path) -> None:
    for rows, message in (
        ([(["a"], [(0, 1, "X Y")])], "a class in this format cannot hold white space"),
        ([(["a\nb"], [(0, 1, "X")])], "an entity in this format cannot hold a line end"),
    ):
        with pytest.raises(DataError, match=message):
            io.write_brat(table_of(rows), tmp_path / "out")
    table = table_of([(["a"], [])] * 2)
    with pytest.raises(DataError, match="cannot be a file's name: row 0 has it, too"):
        io.write_brat(table.set_column(0, "id", pa.array(["x", "x"])), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    io.write_brat(table.set_column(0, "id", pa.array(["a/b.c", "é %"])), tmp_path / "out")
    assert sorted(values(io.read_brat(tmp_path / "out"), "id")) == ["a/b.c", "é %"]
    with pytest.raises(Error, match="it exists and is no empty folder"):
        io.write_brat(table, tmp_path / "out")
    with pytest.raises(Error, match=r"the folder '.*none' does not exist"):
        io.write_brat(table, tmp_path / "none" / "out")
    with pytest.raises(Error, match="there are no texts; brat's documents are pairs of files"):
        io.read_brat(tmp_path / "none")


def test_scores_are_notes_in_brat(tmp_path: Path) -> None:
    io.write_brat(table_of([(["a", "b"], [(0, 1, "X"), (1, 2, "Y")])], [0.5, 0.25]), tmp_path / "out")
    assert (tmp_path / "out" / "row 0.ann").read_text("utf-8") == (
        "T1\tX 0 1\ta\nT2\tY 2 3\tb\n#1\tAnnotatorNotes T1\tscore 0.5\n#2\tAnnotatorNotes T2\tscore 0.25\n"
    )
    assert (tmp_path / "out" / "annotation.conf").read_text("utf-8").splitlines()[:3] == ["[entities]", "X", "Y"]


@pytest.mark.needs("spacy")
def test_spacy_reads_its_documents(folder: Path) -> None:
    import spacy

    rows = [(["a", "b", "c"], [(0, 2, "X")]), (["a", "b"], [(0, 2, "X"), (0, 1, "Y")])]
    io.write(table_of(rows), folder / "x", "spacy", text="detokenized")
    vocab = spacy.blank("xx").vocab
    lines = (folder / "x").read_text("utf-8").splitlines()
    first, second = (spacy.tokens.Doc(vocab).from_json(json.loads(line), validate=True) for line in lines)
    assert [(one.start, one.end, one.label_) for one in first.ents] == [(0, 2, "X")]
    assert [(one.start, one.end, one.label_) for one in second.spans["sc"]] == [(0, 2, "X"), (0, 1, "Y")]


def argilla_record(question: str, *responses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "r",
        "fields": {"text": "Anna came"},
        "responses": {question: list(responses), **more},
        "suggestions": {},
    }


def test_responses_of_argilla_that_count(folder: Path) -> None:
    given = {"user_id": "u", "value": [{"start": 0, "end": 4, "label": "PER"}]}
    for status, is_read in (("submitted", True), ("draft", False), ("discarded", False)):
        table = io.read(save(folder, [argilla_record("spans", {**given, "status": status})]), "argilla")
        (entities,) = values(table, "entities")
        assert (entities is not None and entities[0]["label"] == "PER") == is_read, status
    both: list[dict[str, Any]] = [
        {**given, "status": "submitted"},
        {"user_id": "v", "value": [], "status": "discarded"},
    ]
    assert len(values(io.read(save(folder, [argilla_record("spans", *both)]), "argilla"), "entities")[0]) == 1


def test_questions_of_argilla_with_other_names(folder: Path) -> None:
    given = {"user_id": "u", "value": [{"start": 0, "end": 4, "label": "PER"}], "status": "submitted"}
    other = [{"user_id": "u", "value": "fluent", "status": "submitted"}]
    path = save(folder, [argilla_record("ner", given, quality=other)])
    assert values(io.read(path, "argilla"), "entities")[0][0]["label"] == "PER"
    path = save(folder, [argilla_record("ner", given, names=[given])])
    with pytest.raises(FormatError, match="several questions have spans: ner, names"):
        io.read(path, "argilla")
    assert len(values(io.read(path, "argilla", question="names"), "entities")[0]) == 1


def test_labels_of_other_things_than_plain_text_in_label_studio(folder: Path) -> None:
    value = {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "hypertextlabels": ["LOC"]}
    results = [{"type": "choices", "value": {"choices": ["good"]}}, {"type": "hypertextlabels", "value": value}]
    task = {"data": {"text": "Oslo"}, "annotations": [{"result": results[:1]}]}
    assert values(io.read(save(folder, [task]), "label-studio"), "entities") == [[]]
    task["annotations"] = [{"result": results}]
    with pytest.raises(FormatError, match="labels of the type 'hypertextlabels'; only those of plain text"):
        io.read(save(folder, [task]), "label-studio")


def test_argilla_reads_its_records(folder: Path) -> None:
    argilla = pytest.importorskip("argilla", reason="Argilla, which reads its own format, is not installed")
    table = table_of([(["a", "b"], [(0, 1, "X"), (0, 2, "Y")])], [0.5, 0.25])
    io.write(table, folder / "x", "argilla")
    (record,) = [argilla.Record.from_dict(one) for one in json.loads((folder / "x").read_text("utf-8"))]
    record.api_model()
    back = io.read(save(folder, [record.to_dict()]), "argilla")
    assert back.select(["id", "tokens"]) == table.select(["id", "tokens"])
    assert values(back, "entities")[0][0]["score"] == 0.25
