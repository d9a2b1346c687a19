"""What `xner inspect` proposes for files as people have them: each proposal reads the file when it is followed."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

from xner import io
from xner.cli.main import cli
from xner.errors import Error, FormatError
from xner.io.inspection import inspect
from xner.io.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

SPANS = '[{"start": 0, "end": 4, "label": "PER"}]'
TASK = '{"from_name": "l", "to_name": "t", "type": "labels", "value": {"start": 0, "end": 4, "labels": ["PER"]}}'
LABELS = {"tokens": [["Anna", "kam"]], "labels": [["B-PER", "O"]]}


def save(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("name", "text", "format_"),
    [
        ("x.txt", "Anna B-PER\nkam O\n", "conll"),
        ("x.json", "Anna B-PER\nkam O\n", "conll"),
        ("x.txt", "Anna|B-PER kam|O\n", "inline"),
        ("x.jsonl", '{"text": "Anna kam", "spans": ' + SPANS + "}\n", "prodigy"),
        ("x.jsonl", '{"text": "Anna kam", "label": [[0, 4, "PER"]]}\n', "doccano"),
        (
            "x.jsonl",
            '{"text": "Anna kam", "entities": [{"id": 1, "start_offset": 0, "end_offset": 4, "label": "PER"}]}\n',
            "doccano",
        ),
        ("x.jsonl", '{"tokenized_text": ["Anna", "kam"], "ner": [[0, 0, "PER"]]}\n', "gliner"),
        ("x.json", '[\n{"tokenized_text": ["Anna", "kam"], "ner": [[0, 0, "PER"]]}\n]\n', "gliner"),
        ("x.json", '[{"data": {"text": "Anna kam"}, "annotations": [{"result": [' + TASK + "]}]}]\n", "label-studio"),
        (
            "x.json",
            '[{"fields": {"text": "Anna kam"}, "responses": {"spans": [{"value": ' + SPANS + ', "user_id": "u"}]}}]\n',
            "argilla",
        ),
        ("x.json", '{"text": "Anna kam", "ents": ' + SPANS + "}\n", "spacy"),
        ("x.json", '[{"text": "Anna kam", "ents": ' + SPANS + "}]\n", "spacy"),
        ("x.json", '[["Anna kam", {"entities": [[0, 4, "PER"]]}]]\n', "spacy"),
        ("x.jsonl", '["Anna kam", {"entities": [[0, 4, "PER"]]}]\n', "spacy"),
        (
            "x.json",
            '{"classes": ["PER"], "annotations": [null, ["Anna kam", {"entities": [[0, 4, "PER"]]}]]}\n',
            "spacy",
        ),
    ],
)
def test_a_format_is_proposed_that_reads_the_file(tmp_path: Path, name: str, text: str, format_: str) -> None:
    path = save(tmp_path / name, text)
    with pytest.raises(Error):
        Layout().read_labelled(path)
    found = inspect(path)
    assert found.options == ("--format", format_)
    assert found.problem is not None
    assert Layout().read_labelled(path, format_).table.select(["tokens", "labels"]).to_pydict() == LABELS
    run = CliRunner().invoke(cli, ["inspect", str(path), *found.options])
    assert (run.exit_code, "read with: no options" in run.stdout) == (0, True)
    save(tmp_path / "de.txt", "Anna came\n")
    sides = ["--source", str(path), "--source-format", format_, "--target", str(tmp_path / "de.txt")]
    run = CliRunner().invoke(cli, ["project", *sides, "-o", str(tmp_path / "o.conll"), "--overwrite"])
    assert run.exit_code == 0, run.output
    assert (tmp_path / "o.conll").read_text() == "Anna\tB-PER\ncame\tO\n\n"


@pytest.mark.parametrize(("suffix", "other"), [("arrow", "parquet"), ("parquet", "arrow")])
def test_tables_with_the_other_kinds_name(tmp_path: Path, suffix: str, other: str) -> None:
    path = tmp_path / f"x.{suffix}"
    io.write(pa.table(LABELS), path, other)
    with pytest.raises(
        FormatError, match=rf"not a usable {suffix.title()} file: it is a {other.title()} file; give its format"
    ):
        io.read(path)
    assert inspect(path).options == ("--format", other)
    with pytest.raises(FormatError, match=rf"not a usable {suffix.title()} file: it is empty; the file is damaged"):
        io.read(save(path, ""))


TREEBANK = """# sent_id = a
# text = zum Haus
1-2\tzum\t_\t_\t_\t_\t_\t_\t_\t_
1\tzu\tzu\tADP\t_\t_\t3\tcase\t_\t_
2\tdem\tder\tDET\t_\t_\t3\tdet\t_\t_
3\tHaus\tHaus\tNOUN\t_\t_\t0\troot\t_\tSpaceAfter=No
"""


def test_treebanks_have_words_alone(tmp_path: Path) -> None:
    save(tmp_path / "en.conll", "to\tO\nthe\tO\nhouse\tB-LOC\n")
    path = save(tmp_path / "de.conllu", TREEBANK)
    found = inspect(path)
    assert found.options == ("--token-column", "1")
    assert found.tags is None
    save(tmp_path / "x.pharaoh", "0-0 1-1 2-2\n")
    sides = ["--source", str(tmp_path / "en.conll"), "--target", str(path), "--target-token-column", "1"]
    output = tmp_path / "o.conll"
    run = CliRunner().invoke(cli, ["project", *sides, "--links", str(tmp_path / "x.pharaoh"), "-o", str(output)])
    assert output.read_text() == "# id = a\nzu\tO\ndem\tO\nHaus\tB-LOC\n\n", run.output
    with_labels = save(tmp_path / "ner.conllu", TREEBANK.replace("SpaceAfter=No", "NER=B-LOC"))
    assert "column 9 has labels as NER=B-LOC" in str(inspect(with_labels, layout=Layout(token_column=1)).problem)


def test_labels_in_another_column_than_the_last(tmp_path: Path) -> None:
    found = inspect(save(tmp_path / "x.bio", "Anna _ _ B-PER O\nkam _ _ O O\n\nOslo _ _ B-LOC O\n"))
    assert found.classes == {}
    assert "no entities, but column 3 has labels (LOC, PER): `label_column=3` reads it" in found.remarks


def test_no_columns_are_proposed_for_what_has_no_labels(tmp_path: Path) -> None:
    found = inspect(save(tmp_path / "x.jsonl", '{"tokens":["a"],"ner_tags":[1]}\n'))
    assert found.options == ()
    assert "class_names" in str(found.problem)
    for name, content, remedy in (
        (
            "x.json",
            '[{"tokens":["a"],"ner_tags":["O"]}]',
            r"it is a list of 1 objects with the fields tokens, ner_tags; `jq",
        ),
        ("x.csv", "0,Anna,B-PER\n0,kam,O\n", "it has columns with commas between; `python -c .*x.conll` makes columns"),
    ):
        with pytest.raises(Error, match=remedy):
            inspect(save(tmp_path / name, content))


def test_what_a_tool_wrote_is_no_text(tmp_path: Path) -> None:
    path = save(tmp_path / "x.txt", '{"text":"Anna kam","label":[[0,4,"PER"]]}\n')
    found = inspect(path)
    assert found.problem == "its text is that of a tool, such as 'doccano'"
    assert found.options == ("--format", "doccano")
    assert found.classes == {"PER": 1}
    assert inspect(save(tmp_path / "y.txt", "[ Anna ] kam\n{ }\n")).options == ()


def test_files_of_nothing(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", "")
    assert "has no rows" in str(inspect(path).problem)
    with pytest.raises(Error, match=r"x.jsonl' has no rows$"):
        Layout().read_labelled(path)
    with pytest.raises(Error, match="cannot tell the format"):
        inspect(save(tmp_path / "x.json", ""))


def test_a_name_of_a_packed_file(tmp_path: Path) -> None:
    path = save(tmp_path / "x.conll.gz", "Anna B-PER\n")
    with pytest.raises(FormatError, match=r"it is not compressed; without \.gz in its name, it is read as it is"):
        inspect(path)


def test_brat(tmp_path: Path) -> None:
    text, marks = save(tmp_path / "x.txt", "Anna kam\n"), save(tmp_path / "x.ann", "T1\tPER 0 4\tAnna\n")
    made = (
        f"in Python `from xner import io; io.write(io.read_brat({str(tmp_path)!r}), {f'{tmp_path}.parquet'!r})` makes"
    )
    with pytest.raises(Error, match=rf"x.ann': it has brat's annotations of '.*x.txt'; {re.escape(made)}"):
        inspect(marks)
    with pytest.raises(Error, match=rf"cannot tell the format of '.*x.ann' .*; {re.escape(made)}"):
        io.read(marks)
    assert any("brat's annotations of it are in" in remark for remark in inspect(text).remarks)
    exec(made.split("`")[1])
    assert io.read(f"{tmp_path}.parquet").select(["tokens", "labels"]).to_pydict() == LABELS


@pytest.mark.parametrize("marked", ["[Anna](PER)", "<PER>Anna</PER>"])
def test_marks_in_texts_are_said(tmp_path: Path, marked: str) -> None:
    remarks = inspect(save(tmp_path / "x.txt", f"Nobody\n{marked} kam\n")).remarks
    assert f"2 (the first one in line 2: '{marked}')" in " ".join(
        inspect(save(tmp_path / "x.txt", f"Nobody\n{marked} kam\n{marked}\n")).remarks
    )
    assert any("marks around entities, read as words" in remark for remark in remarks)
    other = inspect(save(tmp_path / "x.txt", "see [1] (PER) and [a](http://x.example)\n3 < 4 > 2\n")).remarks
    assert not any("marks" in remark for remark in other)


@pytest.mark.parametrize(("inside", "shown"), [("\u2028", "2028"), ("\x85", "0085"), ("\v", "000B"), ("\r\r", "000D")])
def test_other_line_ends_within_words_are_said(tmp_path: Path, inside: str, shown: str) -> None:
    text = f"kam O\nAn{inside}na B-PER\n"
    remarks = inspect(save(tmp_path / "x.conll", text)).remarks
    count = len(inside)
    assert f"other line ends, read as parts of words: {count} (the first one in line 2: U+{shown})" in remarks
    io.write(pa.table({"tokens": [["a"], [f"An{inside}na"]]}), tmp_path / "x.jsonl")
    assert "words with line ends in them: 1 row (1)" in inspect(tmp_path / "x.jsonl").remarks
    usual = inspect(save(tmp_path / "x.conll", "kam O\r\nAnna B-PER\r\n")).remarks
    assert not any("line ends" in remark for remark in usual)


def test_line_ends_that_were_converted_twice_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "x.conll", b"Anna B-PER\nkam O\r\r\n\r\r\n")
    for read in (io.read, inspect):
        with pytest.raises(FormatError, match=r"line 2: the line ends in two carriage returns.*sed 's/\\r\*\$//' < "):
            read(path)


def test_hipe_ends_sentences_by_flags(tmp_path: Path) -> None:
    lines = ["TOKEN\tNE-COARSE-LIT\tMISC", "# hipe2022:date = 1900-01-01", "Anna\tB-pers\t_"]
    lines += ["kam\tO\tNoSpaceAfter|EndOfSentence|EndOfLine", "# segment = x", "EndOfSentence\tO\t_"]
    lines += ["In\tO\tXEndOfSentence", "Oslo\tB-loc\tEndOfSentence", "", "Ende\tO\tEndOfSentence"]
    path = save(tmp_path / "x.tsv", "\n".join(lines) + "\n")
    words = [["Anna", "kam"], ["EndOfSentence", "In", "Oslo"], ["Ende"]]
    tags = [["B-pers", "O"], ["O", "O", "B-loc"], ["O"]]
    assert io.read(path).to_pydict() == {"id": ["0", "1", "2"], "tokens": words, "labels": tags}
    assert Layout(token_column="TOKEN", label_column="NE-COARSE-LIT").read(path)["tokens"].to_pylist() == words
    rows: Any = Layout().read_labelled(path).entities.to_pylist()
    assert [[(one["start"], one["label"]) for one in row] for row in rows] == [[(0, "pers")], [(2, "loc")], []]
    save(path, "\n".join(lines).replace("MISC", "OTHER"))
    assert io.read(path).num_rows == 2


@pytest.mark.parametrize("tag", ["-LOC", "LOC-", ":LOC", "LOC_"])
def test_half_a_tag_is_no_class_until_it_is_said(tmp_path: Path, tag: str) -> None:
    path = save(tmp_path / "x.conll", f"Anna {tag}\nkam O\n")
    assert f"a class without its prefix; `class_map={tag}=LOC` takes it for a class" in str(inspect(path).problem)
    layout = Layout(class_map={tag: "LOC"})
    assert layout.read_labelled(path).table["labels"].to_pylist() == [["I-LOC", "O"]]


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[\n{"tokens": ["a"], "ner_tags": ["O"]}\n]',
            "a list of 1 objects with the fields tokens, ner_tags; `jq -c '.[]' ",
        ),
        (
            '{"version": 1, "data": [{"id": 1, "words": ["a"]}]}',
            "has in the field 'data' a list of 1 objects with the fields id, words; `jq -c '.[\"data\"][]' ",
        ),
        (
            '{"tokens": {"0": ["a"]}, "tags": {"0": ["O"]}}',
            "an object of columns (tokens, tags); in Python `pandas.read_json",
        ),
        ('{"a": 1,\n"b": 2}', "it is one object, with the fields a, b, where an object a line is expected"),
        ("[1, 2]", "a list of 2 items, which are no objects"),
    ],
)
def test_other_json_is_told(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = save(tmp_path / name, text)
    try:
        problem = str(inspect(path).problem)
    except Error as error:
        problem = str(error)
    assert said in problem
    if "`jq" in said:
        command = problem.split("`")[-2]
        made = path.with_suffix(".jsonl") if name == "x.json" else path.with_suffix(".lines.jsonl")
        assert command.endswith(f" {path} > {made}")
        save(made, '{"tokens": ["a"]}\n')  # what it makes
        assert inspect(made).format == "jsonl"


def test_json_that_is_cut_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(Error, match="cannot tell the format"):
        inspect(save(tmp_path / "x.json", '[{"tokens": ["a"]'))
    with pytest.raises(
        FormatError,
        match=r"it is a list of 1 objects with the fields tokens; `jq -c '\.\[\]' < .*x.jsonl > .*x.lines.jsonl` makes",
    ):
        io.read(save(tmp_path / "x.jsonl", '[{"tokens": ["a"]}]\n'))


@pytest.mark.needs("spacy")
@pytest.mark.parametrize("name", ["x.bin", "x.conll", "x"])
def test_spacys_files_of_other_names(tmp_path: Path, name: str) -> None:
    io.write(pa.table(LABELS), tmp_path / "x.spacy")
    (tmp_path / "x.spacy").rename(tmp_path / name)
    found = inspect(tmp_path / name)
    assert found.options == ("--format", "docbin")
    assert found.classes == {"PER": 1}


@pytest.mark.parametrize(
    "header",
    ["word\ttag", "token\tlabel", "Wort\tEntität", "Mot\tÉtiquette", "palabra\tentidad", "Слово\tТег", "词\t标签"],
)
def test_headers_are_told_by_names_in_some_languages(tmp_path: Path, header: str) -> None:
    found = inspect(save(tmp_path / "x.tsv", f"{header}\nAnna\tB-PER\nkam\tO\n"))
    assert (found.problem, found.options, found.classes) == (None, (), {"PER": 1})
    assert io.read(tmp_path / "x.tsv")["tokens"].to_pylist() == [["Anna", "kam"]]
    between = save(tmp_path / "y.tsv", f"id\t{header}\tlemma\n1\tAnna\tB-PER\tAnna\n2\tkam\tO\tkommen\n")
    assert io.read(between).select(["tokens", "labels"]).to_pydict() == LABELS


def test_a_language_without_a_word_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "x.conll", "de:Anna\tB-PER\nde:\tO\nde:kam\tO\n")
    with pytest.raises(FormatError, match=r"line 2: the word is empty \(the option `empty_token` reads a word"):
        io.read(path, strip_prefix=True)
    found = inspect(path)
    assert found.options == ("--empty-token", "_", "--strip-prefix")
    assert io.read(path, strip_prefix=True, empty_token="_")["tokens"].to_pylist() == [["Anna", "_", "kam"]]


@pytest.mark.parametrize(
    ("content", "format", "reason"),
    [
        (
            [{"data": {"text": "Ann"}, "annotations": [{"result": []}, {"result": [json.loads(TASK)]}]}],
            "label-studio",
            "do not agree on the spans; `annotator` names the one who counts",
        ),
        ([{"data": {"a": "Ann", "b": "Bob"}}], "label-studio", "there are several texts, a, b; `jq "),
        ([{"text": "Ann", "label": [{"start": 0, "end": 3, "labels": ["PER"]}]}], "label-studio", "not as JSON-MIN"),
        ([{"id": 0, "paragraphs": []}], "spacy", "as spaCy 2 has them; `python -m spacy convert "),
        (
            [{"text": "Ann", "tokens": [{"text": "Anna", "start": 0, "end": 3}], "spans": []}],
            "prodigy",
            "the token is 'Anna', but the text has 'Ann'",
        ),
    ],
)
def test_why_the_reader_of_a_tool_refuses_its_file(tmp_path: Path, content: Any, format: str, reason: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    found = inspect(path)
    assert (found.format, found.options, found.table) == (format, ("--format", format), None)
    assert reason in str(found.problem)


def test_a_folder_of_brat(tmp_path: Path) -> None:
    with pytest.raises(Error, match="is a folder without brat's documents; name one of its files"):
        inspect(tmp_path)
    save(tmp_path / "x.txt", "Anna kam\n")
    save(tmp_path / "x.ann", "T1\tPER 0 4\tAnna\n")
    found = inspect(tmp_path)
    assert (found.format, found.classes, found.options) == ("brat", {"PER": 1}, ())
    run = CliRunner().invoke(cli, ["inspect", str(tmp_path)])
    assert run.exit_code == 0
    assert (
        f"commands do not read it: in Python `from xner import io; io.write(io.read_brat({str(tmp_path)!r})"
        in run.stdout
    )
    assert "read with" not in run.stdout


def test_an_object_of_many_rows_on_one_line_is_told_at_once(tmp_path: Path) -> None:
    """It has blanks, but is not read as so many columns."""
    row = {"tokens": ["a", "b", "c"], "ner_tags": ["O", "B-PER", "O"]}
    path = tmp_path / "rows.json"
    path.write_text(json.dumps({"data": [row] * 2000}))
    begin = time.process_time()
    with pytest.raises(FormatError, match=r"it is an object, and has in the field 'data' a list of 2000 objects"):
        inspect(path)
    assert time.process_time() - begin < 5
