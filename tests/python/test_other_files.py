"""What is said of files that are not read as they are: what they look like, and what reads them, which is followed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command_line import Run, done, xner
from xner import io
from xner.errors import Error, FormatError
from xner.io.inspection import inspect
from xner.io.layout import Layout
from xner.io.other_files import about_file
from xner.io.sides import read_pairs

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = [["Anna", "came"], ["Oslo", ","]]
LABELS = [["B-PER", "O"], ["B-LOC", "O"]]
TASK = '{"from_name": "l", "to_name": "t", "type": "labels", "value": {"start": 0, "end": 4, "labels": ["PER"]}}'
SPAN = '{"start": 0, "end": 4, "label": "PER"}'
ROWS = (
    "Sentence #{0}Word{0}POS{0}Tag\nSentence: 1{0}Anna{0}N{0}B-PER\n{0}came{0}V{0}O\nSentence: 2{0}Oslo{0}N{0}B-LOC\n"
)


def save(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def told(run: Run) -> str:
    assert run.returncode == 1
    return run.stderr


def made_by(advice: str, folder: Path) -> Path:
    """The file that what is between backquotes makes, a command or Python."""
    code = re.findall(r"`([^`]*)`", advice)[-1]
    if "in Python `" in advice:
        exec(code, {})
    else:
        command = code.replace("python -c", f"{shlex.quote(sys.executable)} -c", 1)
        subprocess.run(command, shell=True, check=True, cwd=folder, timeout=60)
    (made,) = (one for one in folder.iterdir() if one.suffix in {".jsonl", ".conll"})
    return made


@pytest.mark.needs("test")
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "given.csv",
            ROWS.format(",") + ',"," ,.,O\n'.replace(" ", ""),
            "a row is a word, and the column 'Sentence #'",
        ),
        ("given.csv", ROWS.format(";") + ";,;.;O\n", "a row is a word, and the column 'Sentence #' tells"),
        ("given.tsv", ROWS.format("\t") + "\t,\t.\tO\n", "a row is a word, and the column 'Sentence #' tells"),
        (
            "given.csv",
            'text,labels\nAnna came,B-PER O\n"Oslo ,",B-LOC O\n',
            "a row is a sentence, in the column 'text'",
        ),
        ("given.tsv", "text\tlabels\nAnna came\tB-PER O\nOslo ,\tB-LOC O\n", "a row is a sentence"),
        (
            "given.csv",
            "Sentence #,Sentence,Tag\n1,Anna came,\"['B-PER', 'O']\"\n2,\"Oslo ,\",\"['B-LOC', 'O']\"\n",
            "a row is a sentence, in the column 'Sentence'",
        ),
        ("given.csv", "Anna;B-PER\ncame;O\n\nOslo;B-LOC\n,;O\n", "it has columns with semicolons between"),
        ("given.csv", 'word,tag\nAnna,B-PER\ncame,O\n\nOslo,B-LOC\n",",O\n', "it has columns with commas between"),
    ],
)
def test_tables_of_separated_values(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = save(tmp_path / name, text)
    with pytest.raises(Error, match=re.escape(said)) as caught:
        io.read(path)
    found = io.read(made_by(str(caught.value), tmp_path))
    assert found.select(["tokens", "labels"]).to_pydict() == {"tokens": TOKENS, "labels": LABELS}
    run = xner("inspect", path)
    assert run.returncode == 1
    assert said in run.stdout + run.stderr


def test_words_without_sentences_need_blank_lines(tmp_path: Path) -> None:
    about = about_file(save(tmp_path / "x.csv", "word,tag\nAnna,B-PER\ncame,O\n"))
    assert about.endswith("which the format conll reads, if a blank line is put behind each sentence")
    about = about_file(save(tmp_path / "x.csv", "word\ttag\nAnna\tB-PER\n\ncame\tO\n"))
    assert about == "it has columns with tabs between, which the format 'conll' reads"
    for text in ("Anna came\n", "a,b\n1\n", "", '"'):
        assert about_file(save(tmp_path / "x.csv", text)) == ""
    large = save(tmp_path / "x.json", '[{"tokens": ["a"]}]')
    assert about_file(large, most_bytes=9) == "`xner inspect` says what it holds"
    assert about_file(tmp_path / "no.csv") == about_file(tmp_path) == ""
    (tmp_path / "x.csv").write_bytes(b"word;tag\nJos\xe9;B-PER\n")
    assert "`iconv -f latin1 -t UTF-8" in about_file(tmp_path / "x.csv")


def test_columns_that_only_look_like_such_tables_are_read(tmp_path: Path) -> None:
    one = save(tmp_path / "x.tsv", "sentence_id\tword\ttag\n1\tAnna\tB-PER\n1\tcame\tO\n")
    assert io.read(one)["tokens"].to_pylist() == TOKENS[:1]
    two = save(tmp_path / "y.tsv", "sentence_id\tword\ttag\n1\tAnna\tB-PER\n1\tcame\tO\n\n2\tOslo\tB-LOC\n")
    assert io.read(two).num_rows == 2
    words = save(tmp_path / "z.tsv", "word\ttag\nNew York\tB-LOC\nSan Jose\tB-LOC\n")
    assert io.read(words)["tokens"].to_pylist() == [["New York", "San Jose"]]


@pytest.mark.parametrize(
    ("name", "text", "format_"),
    [
        ("x.jsonl", '{"text": "Anna came", "label": [[0, 4, "PER"]]}\n', "doccano"),
        ("x.jsonl", '{"text": "Anna came", "spans": [' + SPAN + "]}\n", "prodigy"),
        ("x.jsonl", '{"tokenized_text": ["Anna", "came"], "ner": [[0, 0, "PER"]]}\n', "gliner"),
        ("x.json", '[{"tokenized_text": ["Anna", "came"], "ner": [[0, 0, "PER"]]}]\n', "gliner"),
        ("x.json", '[["Anna came", {"entities": [[0, 4, "PER"]]}]]\n', "spacy"),
        ("x.jsonl", '["Anna came", {"entities": [[0, 4, "PER"]]}]\n', "spacy"),
        (
            "x.jsonl",
            '[{"data": {"text": "Anna came"}, "annotations": [{"result": [' + TASK + "]}]}]\n",
            "label-studio",
        ),
        ("x.json", '{"tokens": ["Anna", "came"], "labels": ["B-PER", "O"]}\n', "jsonl"),
        ("x.csv", "Anna\tB-PER\ncame\tO\n", "conll"),
    ],
)
def test_commands_say_which_format_reads_a_file(tmp_path: Path, name: str, text: str, format_: str) -> None:
    source, target = save(tmp_path / name, text), save(tmp_path / "t.txt", "Anna kam\n")
    command = ("project", "--source", source, "--target", target, "-o", tmp_path / "o.conll")
    assert f"--source-format {format_} " in told(xner(*command))
    done(xner(*command, "--source-format", format_))
    swapped = ("align", "--source", target, "--target", source, "-o", tmp_path / "o.pharaoh")
    assert f"--target-format {format_} " in told(xner(*swapped))


def test_folders_of_brat_are_named_by_what_reads_them(tmp_path: Path) -> None:
    folder, target = tmp_path / "brat", save(tmp_path / "t.txt", "Anna kam\n")
    folder.mkdir()
    save(folder / "x.txt", "Anna came\n")
    save(folder / "x.ann", "T1\tPER 0 4\tAnna\n")
    project = ("project", "--source", folder, "--target", target, "-o", tmp_path / "o.conll")
    for command in (project, ("evaluate", "--gold", folder, "--predicted", target)):
        run = xner(*command)
        assert run.returncode == 2
        assert f"'{folder}' is a folder of brat's documents; in Python `from xner import io; " in run.stderr
    exec(run.stderr.split("`")[1], {})
    done(xner(*project[:2], tmp_path / "brat.parquet", *project[3:]))


def test_pages_say_which_format_reads_a_file(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", '{"text": "Anna came", "label": [[0, 4, "PER"]]}\n')
    command = ("view", path, "-o", tmp_path / "o.html")
    assert "it looks like a file of doccano, which --format doccano reads" in told(xner(*command))
    done(xner(*command, "--format", "doccano"))
    said = told(xner("export", path, "--to", "brat", "-o", tmp_path / "brat"))
    its = "its columns are id, text; it looks like a file of doccano, which --format doccano reads"
    assert said.endswith(f"words ('tokens'); {its}\n")


def test_json_that_is_no_lines_names_the_command_that_makes_some(tmp_path: Path) -> None:
    target = save(tmp_path / "t.txt", "Anna kam\n")
    for name, made in (("x.json", "x.jsonl"), ("x.jsonl", "x.lines.jsonl")):
        path = save(tmp_path / name, '[{"tokens": ["Anna"], "labels": ["B-PER"]}]')
        command = f"`jq -c '.[]' < {path} > {tmp_path / made}` makes lines of them"
        assert command in told(xner("project", "--source", path, "--target", target, "-o", tmp_path / "o.conll"))
        said = xner("inspect", path)
        assert command in said.stdout + said.stderr
    # What begins with a list on each line is no list.
    path = save(tmp_path / "y.jsonl", '["a"]\n["b"]\n')
    with pytest.raises(FormatError, match=r"""expected an object, found '\["a"\]'$"""):
        io.read(path)


@pytest.mark.parametrize(
    ("suffix", "labels"),
    [
        *(("jsonl", labels) for labels in ("B-PER O", [[0, 1, "PER"]], 7, {"PER": 1})),
        ("parquet", "B-PER O"),
        ("parquet", [0.5]),
        ("arrow", 7),
    ],
)
def test_another_column_of_labels_is_proposed(tmp_path: Path, suffix: str, labels: Any) -> None:
    path = tmp_path / f"x.{suffix}"
    row = {"tokens": ["Anna", "came"], "labels": labels, "ner_tags": ["B-PER", "O"]}
    if suffix == "jsonl":
        save(path, json.dumps(row))
    else:
        io.write(pa.Table.from_pylist([row]), path)
    found = inspect(path)
    assert found.options == ("--label-column", "ner_tags")
    assert found.classes == {"PER": 1}
    target = save(tmp_path / "t.txt", "Anna kam\n")
    command = ("project", "--source", path, "--target", target, "-o", tmp_path / "o.conll")
    said = told(xner(*command))
    assert "'labels': " in said
    assert "; --label-column ner_tags reads that in its place" in said
    done(xner(*command, *found.options))
    swapped = ("project", "--source", tmp_path / "o.conll", "--target", path, "-o", tmp_path / "p.parquet")
    assert "; --target-label-column ner_tags reads" in told(xner(*swapped))
    done(xner(*swapped, "--target-label-column", "ner_tags"))
    assert io.read(tmp_path / "p.parquet")["gold_labels"].to_pylist() == [["B-PER", "O"]]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_of_links_and_scores_other_columns_may_be_anything(tmp_path: Path, suffix: str) -> None:
    source, target = save(tmp_path / "s.conll", "Anna\tB-PER\n"), save(tmp_path / "t.txt", "Anna\n")
    links, scores = tmp_path / f"l.{suffix}", tmp_path / f"n.{suffix}"
    io.write(pa.table({"links": [[{"source": 0, "target": 0}]], "labels": ["news"], "tokens": [7]}), links)
    score = [{"source": 0, "start": 0, "end": 1, "score": 1.0}]
    io.write(pa.table({"nmt_scores": [score], "labels": [0.5], "entities": ["x"]}), scores)
    command = ("project", "--source", source, "--target", target, "--links", links, "--scores", scores)
    done(xner(*command, "--score", "nmt", "-o", tmp_path / "o.jsonl"))
    found = read_pairs(source, target, links=links, scores=[scores])
    rows: list[Any] = found["links"].to_pylist()
    assert [(one["source"], one["target"]) for one in rows[0]] == [(0, 0)]
    io.write(pa.table({"links": ["0-0"]}), links)
    with pytest.raises(FormatError, match=r"'links'.*expected"):
        read_pairs(source, target, links=links)


def test_another_column_of_words_is_proposed(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", '{"tokens": "Anna came", "word": ["Anna", "came"], "ner_tags": ["B-PER", "O"]}\n')
    found = inspect(path)
    assert found.options == ("--token-column", "word")
    assert Layout(token_column="word").read(path)["tokens"].to_pylist() == [["Anna", "came"]]
    with pytest.raises(
        FormatError, match=r"field 'tokens': expected a list, .*; `token_column=word` reads that in its"
    ):
        Layout().read(path)
    with pytest.raises(FormatError, match=r"field 'links': expected a list, found 1$"):
        Layout().read(save(path, '{"tokens": ["a"], "ner_tags": ["O"], "links": 1}'))


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_columns_that_are_named_and_hold_something_else(tmp_path: Path, suffix: str) -> None:
    path, target = tmp_path / f"x.{suffix}", save(tmp_path / "t.txt", "Anna kam\n")
    row = {"text": "Anna came", "words": ["Anna", "came"], "about": "news", "tags": ["B-PER", "O"], "none": []}
    io.write(pa.Table.from_pylist([row]), path)
    command = ("project", "--source", path, "--target", target, "-o", tmp_path / "o.conll")
    for option, column in (("--token-column", "text"), ("--label-column", "about")):
        said = told(xner(*command, option, column))
        assert f"'{path}': column '{column}' holds string, where lists of texts are expected" in said
        layout = Layout(token_column=column) if option == "--token-column" else Layout(label_column=column)
        assert f"column '{column}' holds string" in str(inspect(path, layout=layout).problem)
    assert "value 0 labels" in told(xner(*command, "--label-column", "none"))
    done(xner(*command, "--label-column", "tags", "--token-column", "words"))
    done(xner("inspect", path))
    bytes_ = tmp_path / "b.parquet"  # which some programs write for texts
    pq.write_table(pa.table({"words": [[b"Anna"]], "tags": [[b"B-PER"]]}), bytes_)
    assert inspect(bytes_).classes == {"PER": 1}
    pq.write_table(pa.table({"words": [[b"\xff"]], "tags": [["O"]]}), bytes_)
    assert "column 'words' holds list<element: binary>" in str(inspect(bytes_).problem)
    pq.write_table(pa.table({"word": ["Anna"], "tag": ["O"]}), bytes_)
    assert told(xner(*command[:2], bytes_, *command[3:])).endswith("; its columns are word, tag\n")


def test_names_that_tell_no_format_name_the_option_of_their_file(tmp_path: Path) -> None:
    source, other = save(tmp_path / "s.conll", "Anna\tB-PER\n"), save(tmp_path / "x.xyz", "Anna kam\n")
    for files, option in (
        ((other, source, "o.conll"), "--source-format says what it is, or use"),
        ((source, other, "o.conll"), "--target-format says what it is, or use"),
        ((source, source, "o.xyz"), "--format names it, or use"),
    ):
        run = xner("project", "--source", files[0], "--target", files[1], "-o", tmp_path / files[2])
        assert f"from its name; {option} one of these: conll: " in told(run)


def test_spreadsheets_become_tables_of_values(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04\x14\0\0\0")
    names = (str(tmp_path / name) for name in ("x.xlsx", "x.csv"))
    code = "import pandas; pandas.read_excel({!r}).to_csv({!r}, index=False)".format(*names)
    with pytest.raises(Error, match=re.escape(f"in Python `{code}` makes CSV of a spreadsheet")):
        io.read(tmp_path / "x.xlsx")


def test_labels_of_another_number_name_the_file_and_another_column(tmp_path: Path) -> None:
    source = save(tmp_path / "s.conll", "Anna\tB-PER\ncame\tO\n")
    row = {"tokens": ["Anna", "kam"], "labels": ["PER"], "ner_tags": ["B-PER", "O"]}
    target = save(tmp_path / "t.jsonl", json.dumps(row))
    said = told(xner("project", "--source", source, "--target", target, "-o", tmp_path / "o.conll"))
    assert f"value 1 labels: in '{target}': the row has 2 words; --target-label-column ner_tags reads others" in said


class TestOptionsOfOneFile:
    """Those of several files hold for each; what one has of its own is what errors about it name."""

    def test_of_targets(self, tmp_path: Path) -> None:
        source = save(tmp_path / "s.conll", "Anna\tx\tB-PER\ncame\tx\tO\n")
        narrow = save(tmp_path / "t.conll", "Anna\tB-PER\nkam\tO\n")
        wide = save(tmp_path / "w.conll", "Anna\tB-PER\tNN\nkam\tO\tVB\n")
        words = save(tmp_path / "w.jsonl", '{"woerter": ["Anna", "kam"]}\n')
        output = ("-o", tmp_path / "o.parquet")

        def said(*arguments: str | Path) -> str:
            return told(xner("project", "--source", source, *arguments, *output))

        both = said("--target", narrow, "--label-column", "2")
        assert both.endswith("'Anna\\tB-PER'; --target-label-column holds for this file alone\n")
        assert "holds for" not in said("--target", narrow, "--label-column", "5")  # which the source lacks
        assert "holds for" not in said("--target", narrow, "--target-label-column", "7")
        assert "; read it with --target-label-column 1\n" in said("--target", wide)
        assert "which --target-token-column names; its columns are id, woerter" in said("--target", words)
        done(xner("project", "--source", source, "--target", words, "--target-token-column", "woerter", *output))

    def test_of_scores(self, tmp_path: Path) -> None:
        gold = save(tmp_path / "g.conll", "Anna\tx\tB-PER\ncame\tx\tO\n")
        narrow = save(tmp_path / "p.conll", "Anna\tB-PER\ncame\tO\n")
        tags = save(tmp_path / "t.conll", "Anna\tNN\ncame\tVB\n")
        files = ("evaluate", "--gold", gold, "--predicted")
        assert "; --predicted-column holds for this file alone" in told(xner(*files, narrow, "--label-column", "2"))
        assert "; --predicted-column names it" in told(xner(*files, tags))
        assert "; --gold-column names it" in told(xner(*files, narrow, "--gold-column", "1"))
        texts = save(tmp_path / "d.jsonl", '{"text": "Anna came", "label": [[0, 4, "PER"]]}\n')
        assert "which --predicted-format doccano reads" in told(xner(*files, texts))
