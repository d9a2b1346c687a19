"""Files as people have them: which column is which, what their labels are, and what is refused with a remedy."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import pickle
import random
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import xner
from command_line import xner as run_xner
from xner import io, schema
from xner._support.arrow import pylist
from xner.cli.main import cli
from xner.errors import DataError, Error, FormatError, OptionError
from xner.io.conll import lines_of_row
from xner.io.inspection import inspect
from xner.io.layout import Layout
from xner.io.sides import read_translations

if TYPE_CHECKING:
    from pathlib import Path

ANNA = [{"tokens": ["Anna", "kam"], "labels": ["B-PER", "O"]}]
UNIVERSAL_NER = (
    "# sent_id = w-1\n# text = x\n1-2\tvámonos\t_\t-\t-\n1\tvamos\tO\t-\tu\n2\tOslo\tB-LOC\t-\tu\n8.1\tx\t_\t-\t-\n"
)
GERMEVAL = (
    "#\thttp://a.example/b\t[2010-07-04]\t\n1\tAnna\tB-PER\tO\n2\tkam\tO\tO\n\n1\tIn\tO\tO\n2\tFC\tB-ORG\tB-LOC\n"
)
HIPE = (
    "TOKEN\tNE-COARSE-LIT\tNE-COARSE-METO\tMISC\n"
    "# hipe2022:document_id = x\nAnna\tB-pers\tO\t_\nkam\tO\tO\tNoSpaceAfter\n"
)
XSID = "# id = 1\n# intent: alarm\n1\tWake\talarm\tO\n2\tme\talarm\tO\n3\tnine\talarm\tB-time\n"
CONLL_2003 = "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n"
CONLL_U = "# sent_id = a\n1-2\tim\t_\t_\t_\n1\tin\tin\tADP\tO\n2\tOslo\tOslo\tPROPN\tB-LOC\n"
CONLL_2012 = (
    "#begin document (x); part 000\n"
    "x 0 0 Anna NNP (TOP(NP* - - - A (PERSON* (0\nx 0 1 Kurz NNP * - - - A *) 0)\nx 0 2 in IN * - - - A * -\n"
    "x 0 3 Oslo NNP *)) - - - A (GPE) -\n\n#end document\n"
)
WIKIANN = "de:Anna\tB-PER\nde:kam\tO\n"


def save(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def words_and_labels(table: pa.Table) -> list[dict[str, Any]]:
    return table.select(["tokens", "labels"]).to_pylist()


@pytest.mark.parametrize(
    ("name", "text", "options", "expected"),
    [
        ("un.iob2", UNIVERSAL_NER, {"token_column": 1, "label_column": 2}, [(["vamos", "Oslo"], ["O", "B-LOC"])]),
        (
            "germeval.tsv",
            GERMEVAL,
            {"token_column": 1, "label_column": 2},
            [(["Anna", "kam"], ["B-PER", "O"]), (["In", "FC"], ["O", "B-ORG"])],
        ),
        ("hipe.tsv", HIPE, {}, [(["Anna", "kam"], ["B-pers", "O"])]),
        ("xsid.conll", XSID, {"token_column": 1, "label_column": 3}, [(["Wake", "me", "nine"], ["O", "O", "B-time"])]),
        ("2003.conll03", CONLL_2003, {}, [(["EU", "rejects"], ["B-ORG", "O"])]),
        ("x.conllu", CONLL_U, {"token_column": 1, "label_column": 4}, [(["in", "Oslo"], ["O", "B-LOC"])]),
        (
            "2012.conll",
            CONLL_2012,
            {"token_column": 3, "label_column": 10},
            [(["Anna", "Kurz", "in", "Oslo"], ["(PERSON*", "*)", "*", "(GPE)"])],
        ),
        ("wikiann.ner", WIKIANN, {"strip_prefix": True}, [(["Anna", "kam"], ["B-PER", "O"])]),
    ],
)
def test_inspection_proposes_what_reads_a_file(
    tmp_path: Path, name: str, text: str, options: dict[str, Any], expected: list[tuple[list[str], list[str]]]
) -> None:
    path = save(tmp_path / name, text)
    found = inspect(path)
    assert found.layout is not None
    table = Layout(**options).read(path)
    assert words_and_labels(table) == [{"tokens": words, "labels": tags} for words, tags in expected]
    assert words_and_labels(found.layout.read(path)) == words_and_labels(table)
    if options:
        with pytest.raises(Error):
            Layout().read(path)
        assert found.problem is not None
    flags = " ".join(found.options)
    run = CliRunner().invoke(cli, ["inspect", str(path)])
    assert run.exit_code == 0
    assert f"read with: {flags or 'no options'}" in run.stdout
    as_json = json.loads(CliRunner().invoke(cli, ["inspect", str(path), "--json"]).stdout)
    assert (as_json["options"], as_json["sentences"]) == (list(found.options), len(expected))


class TestInspection:
    """What is odd about a file is said, and advice works when it is followed."""

    @pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
    def test_spans(self, tmp_path: Path, suffix: str) -> None:
        spans = [[(0, 1, "X")], [(0, 5, "X")], [(1, 1, "X")], [(0, 1, "")], [(0, 2, "X"), (1, 2, "Y")], [(-1, 1, "X")]]
        entities = pa.array(spans, schema.SOURCE_ENTITIES_TYPE)
        io.write(pa.table({"tokens": [["a", "b"]] * len(spans), "entities": entities}), tmp_path / f"x.{suffix}")
        found = inspect(tmp_path / f"x.{suffix}")
        assert "value [0, 1): the entity has no label" in str(found.problem)
        assert found.remarks[:4] == (
            "column 'entities': the entity has no label: 1 row (3)",
            "spans of 'entities' outside of the sentence, whose words count from 0: 2 rows (1, 5)",
            "spans of 'entities' without words: the end is one past the last word: 1 row (2)",
            "entities of 'entities' that share words, of which `nested` of a projection decides: 1 row (4)",
        )
        assert "read with: no options, but for the wrong rows below" in str(found)

    def test_no_words(self, tmp_path: Path) -> None:
        run = run_xner("inspect", save(tmp_path / "x.jsonl", '{"a": 1}\n'))
        assert run.returncode == 1
        assert "there is no column of words, which --token-column names; the columns are id, a" in run.stdout

    def test_commas(self, tmp_path: Path) -> None:
        remark = "each line has a ',': are these columns? tabs or blanks separate them here"
        assert remark in inspect(save(tmp_path / "x.conll", "word,tag\nAnna,B-PER\nkam,O\n")).remarks
        assert remark not in inspect(save(tmp_path / "y.conll", "Anna\n,\n")).remarks

    @pytest.mark.parametrize(
        ("row", "remark"),
        [
            ('{"tokens": ["a", "b"], "ner": ["O", "O"]}', "no labels, which `label_column` names; lists are in ner"),
            ('{"tokens": ["Anna kam"], "labels": ["O"]}', "words with blanks in them: 1 row (0)"),
            ('{"tokens": ["", "a"], "labels": ["O", "O"]}', "empty words: 1 row (0)"),
            ('{"tokens": ["a"], "labels": ["O"]}', "most sentences have one word: are they split into words?"),
        ],
    )
    def test_other_remarks(self, tmp_path: Path, row: str, remark: str) -> None:
        assert remark in inspect(save(tmp_path / "x.jsonl", row + "\n")).remarks

    def test_files_of_tools(self, tmp_path: Path) -> None:
        found = inspect(save(tmp_path / "x.jsonl", '{"text": "Anna kam", "label": [[0, 4, "PER"]]}\n'))
        assert "the format of a tool, such as 'doccano', reads texts with spans of characters" in str(found.problem)

    def test_zeros_for_outside(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.conll", "Anna\tB-PER\nkam\t0\n")
        assert "`class_map=0=O` that this one stands for O" in str(inspect(path).problem)
        assert words_and_labels(Layout(class_map={"0": "O"}).read_tagged(path)) == ANNA

    def test_labels_before_words(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.conll", "B-PER\tAnna\nO\tkam\n")
        with pytest.raises(FormatError, match="read it with `token_column=1` and `label_column=0`"):
            Layout().read(path)
        assert words_and_labels(Layout(token_column=1, label_column=0).read(path)) == ANNA

    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_nothing_for_outside(self, tmp_path: Path, ending: str) -> None:
        path = save(tmp_path / "x.conll", "")
        path.write_bytes(f"Anna\tB-PER{ending}kam\t{ending}".encode())
        assert words_and_labels(io.read(self.followed(path))) == ANNA

    def test_labels_in_pairs(self, tmp_path: Path) -> None:
        rest = "x\tX\t_\t_\t0\tr\t_"
        lines = f"# sent_id = 7\n1\tAnna\t{rest}\tSpaceAfter=No|NER=B-PER\n2\tkam\t{rest}\tSpaceAfter=No\n"
        path = save(tmp_path / "x y.conllu", lines)
        found = inspect(self.followed(path))
        assert found.options == ("--token-column", "1", "--label-column", "9")
        assert found.table is not None
        assert words_and_labels(found.table) == ANNA

    def followed(self, path: Path) -> Path:
        """What comes of the command that a message has between backquotes."""
        with pytest.raises(FormatError) as caught:
            Layout(token_column=1 if path.suffix == ".conllu" else None).read(path)
        subprocess.run(str(caught.value).split("`")[1], shell=True, check=True)
        (made,) = (one for one in path.parent.iterdir() if one != path)
        return made


def test_a_file_that_nothing_reads_is_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "x.conll", ". O\n' \"\nAnna B-PER\n")
    run = CliRunner().invoke(cli, ["inspect", str(path)], standalone_mode=False)
    assert run.return_value == 1
    assert "no way to read it was found" in run.stdout
    assert "--label-column names it" in run.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1\tAnna\tB-PER\t-\tuser1\n2\tcame\tO\t-\t-\n",
            (
                "line 1: column 0: 1, 2 numbers the words; column 4: user1, - holds no labels "
                "('-': no class has such a name); read it with `token_column=1` and `label_column=2`"
            ),
        ),
        (GERMEVAL, "columns 2 and 3 hold labels; read it with `token_column=1` and `label_column=2`"),
        (XSID, "column 0: 1, 2, 3 numbers the words; read it with `token_column=1`"),
    ],
)
def test_wrong_columns_are_refused_with_the_right_ones(tmp_path: Path, text: str, message: str) -> None:
    path = save(tmp_path / "x.conll", text)
    with pytest.raises(FormatError) as caught:
        io.read(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_columns_by_name(tmp_path: Path) -> None:
    path = save(tmp_path / "hipe.tsv", HIPE)
    table = Layout(token_column="TOKEN", label_column="NE-COARSE-METO").read(path)
    assert table["labels"].to_pylist() == [["O", "O"]]
    with pytest.raises(FormatError, match="no column is named 'NE-COARSE'; did you mean"):
        Layout(token_column="TOKEN", label_column="NE-COARSE").read(path)
    rows = pa.table({"words": [["Anna", "kam"]], "ner": [["B-PER", "O"]], "other": [["O", "O"]]})
    pq.write_table(rows, tmp_path / "x.parquet")
    assert words_and_labels(Layout(label_column="ner").read(tmp_path / "x.parquet")) == ANNA
    with pytest.raises(Error, match="has no column 'nerr'; did you mean 'ner'"):
        Layout(label_column="nerr").read(tmp_path / "x.parquet")
    with pytest.raises(Error, match=r"label_column=2: .* is a table; its columns have names"):
        Layout(label_column=2).read(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    "text",
    [
        "Mit O\n. O\n# sent_id = s2\nEcom B-ORG\n",
        "Mit\tO\n.\tO\n# sent_id = s2\nEcom\tB-ORG\n",
        "Mit O\n. O\n\n# sent_id = s2\nEcom B-ORG\n",
    ],
)
def test_a_comment_within_a_sentence_is_no_word(tmp_path: Path, text: str) -> None:
    table = io.read(save(tmp_path / "x.conll", text))
    assert table.to_pylist() == [
        {"id": "0", "tokens": ["Mit", "."], "labels": ["O", "O"]},
        {"id": "s2", "tokens": ["Ecom"], "labels": ["B-ORG"]},
    ]


def test_numbers_are_classes_by_their_names(tmp_path: Path) -> None:
    numbers = {"tokens": [["Anna", "kam"]], "ner_tags": [[1, 0]]}
    feature = {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "Sequence"}
    metadata = {"huggingface": json.dumps({"info": {"features": {"ner_tags": feature}}})}
    pq.write_table(pa.table(numbers).replace_schema_metadata(metadata), tmp_path / "named.parquet")
    assert words_and_labels(Layout().read(tmp_path / "named.parquet")) == ANNA
    pq.write_table(pa.table(numbers), tmp_path / "x.parquet")
    save(tmp_path / "x.jsonl", '{"tokens": ["Anna", "kam"], "labels": [1, 0]}\n')
    for name in ("x.parquet", "x.jsonl"):
        with pytest.raises(DataError, match="numbers for labels; `class_names` says what they are"):
            Layout().read(tmp_path / name)
        assert words_and_labels(Layout(class_names=["O", "B-PER"]).read(tmp_path / name)) == ANNA
        with pytest.raises(DataError, match="value 1: there are names for the numbers 0 to 0"):
            Layout(class_names=["O"]).read(tmp_path / name)


def test_as_many_labels_as_words(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", '{"id": "a", "tokens": ["In", "Oslo"], "labels": ["B-LOC"]}\n')
    with pytest.raises(DataError, match=r"row 0 \(id 'a'\), column 'labels', value 1 labels: the row has 2 words"):
        Layout().read(path)


def test_columns_in_a_text_are_noticed(tmp_path: Path) -> None:
    path = save(tmp_path / "x.txt", "Angela B-PER\nMerkel I-PER\nkam O\n")
    with pytest.raises(Error, match=r"lines are columns of words and labels .* the format 'conll' reads them so"):
        Layout().read(path)
    assert words_and_labels(Layout().read(path, "conll"))[0]["labels"] == ["B-PER", "I-PER", "O"]
    assert Layout().read(save(tmp_path / "y.txt", "O yes\nNo O\n")).num_rows == 2


class TestInline:
    def test_words_with_tags_are_noticed_and_read(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.txt", "Anna|B-PER kam|O\n\na|b|O\n")
        with pytest.raises(Error, match=r"its words carry tags \(Anna\|B-PER\); the format 'inline' reads them so"):
            Layout().read(path)
        table = Layout().read(path, "inline")
        assert table["tokens"].to_pylist() == [["Anna", "kam"], [], ["a|b"]]
        assert table["labels"].to_pylist() == [["B-PER", "O"], [], ["O"]]
        io.write_inline(table, tmp_path / "y.txt")
        assert (tmp_path / "y.txt").read_bytes() == path.read_bytes()
        run = CliRunner().invoke(cli, ["inspect", str(path), "--format", "inline"])
        assert "labels: IOB2" in run.stdout

    def test_what_cannot_be_said_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match=r"x.txt, line 2: 'kam' is no word with a tag behind '\|'"):
            io.read_inline(save(tmp_path / "x.txt", "Anna|B-PER\nkam Bob|O\n"))
        rows = pa.table({"tokens": [["a"], ["b"]], "labels": [["O"], ["B-x|y"]]})
        with pytest.raises(DataError, match=r"row 1, column 'labels', value 'B-x\|y': a label cannot hold '\|'"):
            io.write_inline(rows, tmp_path / "y.txt")
        with pytest.raises(DataError, match=r"row 0, column 'labels', value 1 values"):
            io.write_inline(pa.table({"tokens": [["a", "b"]], "labels": [["O"]]}), tmp_path / "y.txt")
        with pytest.raises(Error, match="separator=' '"):
            io.read_inline(tmp_path / "x.txt", separator=" ")


def test_comments_and_missing_words_as_the_user_says(tmp_path: Path) -> None:
    (tmp_path / "en.conll").write_text("% a comment\nAnna\tB-PER\n\tO\n")
    (tmp_path / "de.txt").write_text("Anna kam\n")
    sides = ["--source", str(tmp_path / "en.conll"), "--target", str(tmp_path / "de.txt")]
    wrong = CliRunner().invoke(cli, ["project", *sides, "-o", str(tmp_path / "o.conll")])
    assert isinstance(wrong.exception, FormatError)
    options = ["--comment", "%", "--empty-token", "_", "-o", str(tmp_path / "o.jsonl")]
    good = CliRunner().invoke(cli, ["project", *sides, *options])
    assert good.exit_code == 0, good.output
    assert io.read(tmp_path / "o.jsonl")["source_tokens"].to_pylist() == [["Anna", "_"]]


class TestSides:
    """What a side is, is the side that was asked for."""

    ROW: ClassVar[dict[str, Any]] = {"source_tokens": ["Anna"], "source_entities": [[0, 1, "PER"]], "tokens": ["Ana"]}

    def pairs(self, tmp_path: Path, **row: Any) -> pa.Table:
        path = save(tmp_path / "x.jsonl", json.dumps({**self.ROW, **row}) + "\n")
        return xner.read_pairs(path, save(tmp_path / "y.txt", "Anne\n"))

    def test_what_was_projected_onto_is_the_source_of_the_next_projection(self, tmp_path: Path) -> None:
        for labelled in ({"labels": ["B-LOC"]}, {"entities": [[0, 1, "LOC"]]}):
            table = self.pairs(tmp_path, **labelled)
            assert table["source_tokens"].to_pylist() == [["Ana"]]
            assert table["source_entities"].to_pylist() == [[{"start": 0, "end": 1, "label": "LOC"}]]

    def test_else_the_source_is(self, tmp_path: Path) -> None:
        table = self.pairs(tmp_path)
        assert table["source_tokens"].to_pylist() == [["Anna"]]

    def test_labels_and_entities_that_disagree(self, tmp_path: Path) -> None:
        row = {"labels": ["O"], "entities": [[0, 1, "LOC"]], "id": "a"}
        with pytest.raises(DataError, match=r"row 0 \(id 'a'\), column 'entities', value LOC \[0, 1\): .*labels_from"):
            self.pairs(tmp_path, **row)
        path = tmp_path / "x.jsonl"
        by_labels, by_entities = (Layout(labels_from=one).read_labelled(path) for one in ("labels", "entities"))
        assert by_labels.entities.to_pylist() == [[]]
        assert by_entities.entities.to_pylist() == [[{"start": 0, "end": 1, "label": "LOC"}]]
        run = CliRunner().invoke(cli, ["evaluate", "--gold", str(path), "--predicted", str(path)])
        assert isinstance(run.exception, DataError)
        good = CliRunner().invoke(
            cli, ["evaluate", "--gold", str(path), "--predicted", str(path), "--labels-from", "entities"]
        )
        assert re.search(r"micro +1\.000", good.stdout), good.output

    def test_nested_entities_are_more_than_labels_say(self, tmp_path: Path) -> None:
        row = {"tokens": ["Bank", "of", "Oslo"], "labels": ["B-ORG", "I-ORG", "I-ORG"]}
        path = save(tmp_path / "x.jsonl", json.dumps({**row, "entities": [[0, 3, "ORG"], [2, 3, "LOC"]]}) + "\n")
        assert len(pylist(Layout().read_labelled(path).entities)[0]) == 2


class TestClasses:
    """Names of classes are those of entities, not labels of words."""

    ODD: ClassVar[dict[str, str]] = {
        "B-ORG": "value B-ORG [0, 1): this is the label of a word, where the class of an entity is expected: ORG",
        "O": "value O [0, 1): O stands for words outside of entities, and is no class",
        "my org": "value my org [0, 1): the name of a class has no blanks",
        " ORG": "value ' ORG' [0, 1): the name of a class has no blanks",
        " ": "value ' ' [0, 1): the entity has no label",
        "": "value [0, 1): the entity has no label",
    }

    @pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
    @pytest.mark.parametrize("name", ODD)
    def test_of_files(self, tmp_path: Path, name: str, suffix: str) -> None:
        entity = {"start": 0, "end": 1, "label": name}
        rows = pa.table(
            {
                "tokens": pa.array([["Anna"]] * 2, schema.WORDS_TYPE),
                "entities": pa.array([[], [entity]], schema.SOURCE_ENTITIES_TYPE),
            }
        )
        path = tmp_path / f"x.{suffix}"
        io.write(rows, path)
        with pytest.raises(DataError) as caught:
            Layout().read_labelled(path)
        assert f"column 'entities', {self.ODD[name]}" in str(caught.value)
        assert caught.value.row == 1
        if name:
            assert "; `class_map` renames classes" in str(caught.value)
            found = Layout(class_map={name: "X"}).read_labelled(path)
            assert pylist(found.entities)[1] == [{**entity, "label": "X"}]

    @pytest.mark.parametrize("name", [one for one in ODD if one not in {"", "my org"}])
    def test_in_python(self, name: str) -> None:
        with pytest.raises(DataError) as caught:
            xner.project(["a"], [(0, 1, name)], [(0, 0)])
        assert str(caught.value) == f"column 'source_entities', {self.ODD[name]}"
        with pytest.raises(DataError) as caught:
            xner.project_spans("a", "a", [(0, 1, name)])
        assert str(caught.value) == f"column 'spans', {self.ODD[name]}"
        table = pa.table(
            {
                "tokens": pa.array([["a"], ["a"]], schema.WORDS_TYPE),
                "source_entities": pa.array([[], [(0, 1, name)]], schema.SOURCE_ENTITIES_TYPE),
                "links": pa.array([[(0, 0, None)]] * 2, schema.LINKS_TYPE),
            }
        )
        with pytest.raises(DataError) as caught:
            xner.Projector()(table)
        assert str(caught.value) == f"row 1, column 'source_entities', {self.ODD[name]}"
        assert xner.Projector(on_error="skip")(table)["status"].to_pylist() == ["ok", "invalid"]

    def test_names_that_only_look_like_labels(self) -> None:
        for name in ("E-mail", "S-Bahn", "OK", "phone number"):
            assert xner.project(["a"], [(0, 1, name)], [(0, 0)]).labels == [f"B-{name}"]


def test_evaluate_compares_words(tmp_path: Path) -> None:
    gold = save(tmp_path / "g.conll", "Anna\tB-PER\nkam\tO\n\nIn\tO\nBonn\tB-LOC\n")
    other = save(tmp_path / "p.conll", "In\tO\nBonn\tB-LOC\n\nAnna\tB-PER\nkam\tO\n")
    command = ["evaluate", "--gold", str(gold), "--predicted", str(other), "--bootstrap", "0"]
    run = CliRunner().invoke(cli, command)
    assert isinstance(run.exception, DataError)
    assert "row 0, column 'tokens', value 'In'" in str(run.exception)
    assert "has 'Anna' for word 0" in str(run.exception)
    assert CliRunner().invoke(cli, [*command, "--ignore-words"]).exit_code == 0


def test_words_may_be_in_other_columns_of_the_predictions(tmp_path: Path) -> None:
    gold = save(tmp_path / "g.tsv", "x\tAnna\tB-PER\ny\tkam\tO\n")
    other = save(tmp_path / "p.tsv", "B-PER\tAnna\nB-LOC\tkam\n")
    command = ["evaluate", "--gold", str(gold), "--token-column", "1", "--predicted", str(other), "--bootstrap", "0"]
    own = ["--predicted-token-column", "1", "--predicted-column", "0"]
    run = CliRunner().invoke(cli, [*command, *own])
    assert run.exit_code == 0, run.output
    assert re.search(r"micro +0\.500 +1\.000", run.stdout)
    run = CliRunner().invoke(cli, [*command, *own[:2], "--predicted-column", "1"])
    assert run.exit_code == 2
    assert "--predicted-token-column 1: this is the --predicted-column" in run.stderr
    both = save(tmp_path / "b.tsv", "Anna\tB-PER\tAnna\tB-PER\nkam\tO\tging\tO\n")
    one_file = ["evaluate", "--predicted", str(both), "--gold-column", "1", "--predicted-column", "3"]
    run = CliRunner().invoke(cli, [*one_file, "--predicted-token-column", "2", "--bootstrap", "0"])
    assert "row 0, column 'tokens', value 'ging'" in str(run.exception)


def test_columns_of_one_file_are_compared(tmp_path: Path) -> None:
    path = save(tmp_path / "x.tsv", "Anna\tB-PER\tB-PER\nkam\tO\tB-LOC\n")
    run = CliRunner().invoke(
        cli, ["evaluate", "--predicted", str(path), "--gold-column", "1", "--predicted-column", "2", "--bootstrap", "0"]
    )
    assert run.exit_code == 0, run.output
    assert re.search(r"micro +0\.500 +1\.000", run.stdout)


class TestLines:
    TEXT = "# id = a\nAnna\tB-PER\n\n\n-DOCSTART-\tO\n\n# id = b\n# text = x y\nkam\tO\nnach\tHUH\nBonn\tB-LOC\n"

    def test_errors_about_labels_name_the_line(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.conll", self.TEXT)
        message = r"row 1 \(id 'b'\), column 'labels', value 'HUH': line 10 of '.*x.conll': no label: neither O"
        for read in (Layout().read_labelled, Layout().read_tagged, Layout().read_for_scores):
            with pytest.raises(DataError, match=message):
                read(path)
        with pytest.raises(DataError, match=message):
            Layout().labelled(Layout().read(path), path)
        assert re.search(message, str(inspect(path, layout=Layout()).problem))
        text = save(tmp_path / "x.txt", self.TEXT)
        with pytest.raises(DataError, match=r"line 10 of '.*x.txt'"):
            Layout().read_labelled(text, "conll")

    def test_so_do_labels_that_a_scheme_does_not_allow(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.conll", "Anna\tB-PER\n\nkam\tO\nnach\tO\nBonn\tI-LOC\n")
        with pytest.raises(DataError, match=r"row 1, .*value 'I-LOC' at word 2: line 5 of '.*x.conll': "):
            Layout().read_labelled(path, reading="validate")

    def test_columns_by_name(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.tsv", "TOKEN\tNER\tMISC\nAnna\tB-PER\t_\nkam\tO\t_\n\nnach\tX\t_\n")
        with pytest.raises(DataError, match=r"row 1 .*value 'X': line 5 of '.*x.tsv': no label"):
            Layout(token_column="TOKEN", label_column="NER").read_labelled(path)

    def test_large_files(self, tmp_path: Path) -> None:
        rows = 60_000
        path = save(tmp_path / "x.conll", "Anna\tB-PER\nkam\tO\n\n" * rows + "Bonn\tHUH\n")
        assert lines_of_row(path, rows) == [3 * rows + 1]
        assert lines_of_row(path, rows - 1) == [3 * rows - 2, 3 * rows - 1]
        assert lines_of_row(path, rows + 1) == []

    def test_tables_have_no_lines(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.jsonl", '{"tokens": ["a", "b"], "labels": ["B-X", "HUH"]}\n')
        with pytest.raises(DataError, match=r"row 0 \(id '0'\), column 'labels', value 'HUH': no label"):
            Layout().read_labelled(path)


def test_classes_to_leave_out_have_to_be_there(tmp_path: Path) -> None:
    gold = save(tmp_path / "g.conll", "Anna\tB-PER\nkam\tO\nBonn\tB-LOC\n")
    other = save(tmp_path / "p.conll", "Anna\tB-PER\nkam\tO\nBonn\tO\n")
    third = save(tmp_path / "b.conll", "Anna\tB-PER\nkam\tB-MISC\nBonn\tO\n")
    command = ["evaluate", "--gold", str(gold), "--predicted", str(other), "--bootstrap", "10"]
    run = CliRunner().invoke(cli, [*command, "--ignore", "LOC", "--ignore", "per"])
    assert run.exit_code == 2
    said = " ".join(run.stderr.split())
    assert "--ignore per: nothing is of this class; the classes are: LOC, PER; did you mean 'PER'?" in said
    run = CliRunner().invoke(cli, [*command, "--ignore", "MISC"])  # which other files of a set may have
    assert run.exit_code == 0
    assert "--ignore MISC: nothing is of this class; the classes are: LOC, PER" in run.stderr
    run = CliRunner().invoke(cli, [*command, "--baseline", str(third), "--ignore", "MISC", "--ignore", "LOC"])
    assert run.exit_code == 0, run.stderr


class TestBaseline:
    """The third file of `xner evaluate` is looked at as the second one is."""

    GOLD = "Anna\tB-PER\nkam\tO\n\nBonn\tB-LOC\n"

    def evaluate(self, folder: Path, baseline: str, *options: str) -> Result:
        gold, other = save(folder / "g.conll", self.GOLD), save(folder / "b.conll", baseline)
        command = ["evaluate", "--gold", gold, "--predicted", gold, "--baseline", other, "--bootstrap", "10", *options]
        return CliRunner().invoke(cli, list(map(str, command)))

    def test_words(self, tmp_path: Path) -> None:
        run = self.evaluate(tmp_path, "Bonn\tB-LOC\nkam\tO\n\nAnna\tB-PER\n")
        assert isinstance(run.exception, DataError)
        assert "row 0, column 'tokens', value 'Bonn'" in str(run.exception)
        run = self.evaluate(tmp_path, "Bonn\tB-LOC\nkam\tO\n\nAnna\tB-PER\n", "--ignore-words")
        assert run.exit_code == 0, run.output

    @pytest.mark.parametrize(
        ("baseline", "message"),
        [
            ("Anna\tB-PER\n\nBonn\tB-LOC\n", "row 0, column 'labels', value 1 labels: '{}' has as many in this row"),
            ("Anna\tB-PER\nkam\tO\n", "has 2 rows but '{}' has 1"),
        ],
    )
    def test_lengths(self, tmp_path: Path, baseline: str, message: str) -> None:
        run = self.evaluate(tmp_path, baseline, "--ignore-words")
        assert isinstance(run.exception, Error)
        assert message.format(tmp_path / "b.conll") in str(run.exception)


def test_classes_of_files_are_renamed(tmp_path: Path) -> None:
    source = save(tmp_path / "en.conll", "Anna\tB-PERSON\ncame\tB-X\n")
    target = save(tmp_path / "de.txt", "Anna kam\n")
    output = tmp_path / "o.conll"
    command = ["project", "--source", source, "--target", target, "-o", output, "--class-map", "PERSON=PER"]
    run = CliRunner().invoke(cli, [*map(str, command), "--ignore-class", "X"])
    assert run.exit_code == 0, run.output
    assert output.read_text() == "Anna\tB-PER\nkam\tO\n\n"
    assert "source entities: 1 PER" in run.stderr


@pytest.mark.parametrize("rows", ['{"tokens":["Anna"],"entities":[[0,1,"PER"]]}', "Anna\tB-PER"])
def test_classes_to_rename_have_to_be_there(tmp_path: Path, rows: str) -> None:
    path = save(tmp_path / f"x.{'jsonl' if rows.startswith('{') else 'conll'}", rows + "\n")
    output = tmp_path / "o.html"
    for command in (
        ["evaluate", "--gold", path, "--predicted", path, "--bootstrap", "0"],
        ["view", path, "-o", output],
        ["shift", path, "--kind", "characters", "-o", tmp_path / "o.conll"],
        ["project", "--source", path, "--target", path, "-o", tmp_path / "o.jsonl"],
    ):
        for options, message in (
            (["--class-map", "Per=X"], "no class 'Per' to rename; the classes are PER; did you mean 'PER'?"),
            (["--ignore-class", "ORG"], "no class 'ORG' to leave out; the classes are PER"),
        ):
            assert message in xner_said(command, options), command
        assert "no class" not in xner_said(command, ["--class-map", "PER=ORG"])
    assert '"ORG"' in output.read_text()
    assert inspect(path, layout=Layout(class_map={"PER": "ORG"})).classes == {"ORG": 1}
    assert "no class 'ORG' to leave out" in str(inspect(path, layout=Layout(class_map={"ORG": "O"})).problem)


def xner_said(command: list[Any], options: list[str]) -> str:
    """What a command says, whether it ends well or not."""
    run = run_xner(*command, *options, "--overwrite") if "-o" in command else run_xner(*command, *options)
    return run.stdout + run.stderr


def test_a_format_that_reads_a_file_is_named_as_the_command_does(tmp_path: Path) -> None:
    columns = save(tmp_path / "x.txt", "Anna B-PER\nkam O\n")
    sides = ["--source", columns, "--target", columns, "-o", tmp_path / "o.conll"]
    said = xner_said(["project", *sides], [])
    assert "; --source-format conll reads them so" in said
    said = xner_said(["project", *sides], ["--source-format", "conll"])
    assert "; --target-format conll reads them so" in said
    formats = ["--source-format", "conll", "--target-format", "conll"]
    assert "1 of 1 source entities projected" in xner_said(["project", *sides], formats)
    scored = ["evaluate", "--gold", columns, "--predicted", columns, "--bootstrap", "0"]
    assert "; --predicted-format conll reads them so" in xner_said(scored, [])
    assert "; --gold-format conll reads them so" in xner_said(scored, ["--predicted-format", "conll"])
    assert "1.000" in xner_said(scored, ["--format", "conll"])


def test_a_class_may_be_in_one_of_two_files(tmp_path: Path) -> None:
    gold = save(tmp_path / "g.conll", "Anna\tB-PER\nkam\tO\n")
    other = save(tmp_path / "p.conll", "Anna\tB-PER\nkam\tB-LOC\n")
    renamed = ["--ignore-class", "LOC"]
    assert "PER        1.000   1.000" in xner_said(["evaluate", "--gold", gold, "--predicted", other], renamed)
    projected = ["project", "--source", other, "--target", gold, "-o", tmp_path / "o.conll"]
    assert "1 of 1 source entities projected" in xner_said(projected, renamed)


class TestWrongRows:
    """Rows that are wrong in themselves stop a run, or are skipped and counted."""

    ROWS: ClassVar[list[Any]] = [
        ({"tokens": ["a", "b"], "labels": ["B-X", "O"]}, None),
        ({"tokens": ["a", "b"], "labels": ["B-X"]}, "column 'labels', value 1 labels: the row has 2 words"),
        ({"tokens": ["a", None], "labels": ["B-X", "O"]}, "column 'tokens', value null: word 1 is missing"),
        ({"tokens": ["a", "b"], "labels": ["B-X", None]}, "column 'labels', value null: label 1 is missing"),
        ({"tokens": None, "labels": ["B-X"]}, "column 'tokens', value null: there are no words"),
    ]
    SPANS: ClassVar[list[Any]] = [
        ([(0, 1, "X")], "ok"),
        ([(0, 1, "X"), (0, 2, "Y")], "invalid"),
        ([(0, 3, "X")], "invalid"),
        ([(0, 1, "B-X")], "invalid"),
        ([(0, 1, "my org")], "invalid"),
        ([(0, 1, "")], "invalid"),
        ([(1, 1, "X")], "invalid"),
    ]

    @pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
    def test_of_labels(self, tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str) -> None:
        rows = [row for row, _ in self.ROWS]
        path = tmp_path / f"x.{suffix}"
        columns = {name: pa.array([row[name] for row in rows], schema.WORDS_TYPE) for name in ("tokens", "labels")}
        io.write(pa.table(columns), path)
        target = save(tmp_path / "y.txt", "a b\n" * len(rows))
        with pytest.raises(Error):
            xner.read_pairs(path, target)
        table = xner.read_pairs(path, target, on_error="skip")
        assert table["row_problem"].to_pylist() == [problem for _, problem in self.ROWS]
        assert "4 rows are wrong and skipped; the first one is row 1" in caplog.text
        with pytest.raises(DataError, match=r"column 'row_problem', .*the row has 2 words.*`on_error` decides"):
            xner.Pipeline()(table)
        found = xner.Pipeline(on_error="skip")(table)
        assert found["status"].to_pylist() == ["ok", *["invalid"] * 4]
        assert found["labels"].to_pylist() == [["B-X", "O"], *[["O", "O"]] * 4]

    def test_on_the_command_line(self, tmp_path: Path) -> None:
        entities = pa.array([spans for spans, _ in self.SPANS], schema.SOURCE_ENTITIES_TYPE)
        io.write(pa.table({"tokens": [["a", "b"]] * len(entities), "entities": entities}), tmp_path / "x.parquet")
        words = [["a", "b"]] * (len(entities) - 1)
        io.write(pa.table({"tokens": pa.array([None, *words], schema.WORDS_TYPE)}), tmp_path / "y.parquet")
        command = ["project", "--source", "x.parquet", "--target", "y.parquet", "-o", "o.parquet"]
        assert run_xner(*command, cwd=tmp_path).returncode == 1
        run = run_xner(*command, "--on-error", "skip", cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        assert "7 sentences: 7 invalid" in run.stderr
        words = [["a", "b"]] * len(entities)
        io.write(pa.table({"tokens": pa.array(words, schema.WORDS_TYPE)}), tmp_path / "y.parquet")
        run = run_xner(*command[:-1], "p.conll", "--on-error", "skip", cwd=tmp_path)
        assert "7 sentences: 6 invalid, 1 ok" in run.stderr
        assert "x.parquet: 3 rows are wrong and skipped; the first one is row 3, column 'entities'" in run.stderr
        assert len(io.read(tmp_path / "p.conll")) == 7

    def test_what_columns_contradict(self, tmp_path: Path) -> None:
        rows = [{"tokens": ["a"], "labels": ["B-X"], "entities": spans} for spans in ([[0, 1, "X"]], [])]
        path = save(tmp_path / "x.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        table = xner.read_pairs(path, save(tmp_path / "y.txt", "a\na\n"), on_error="skip")
        assert [problem is None for problem in table["row_problem"].to_pylist()] == [True, False]


class TestPairing:
    def test_by_id_text_and_list(self, tmp_path: Path) -> None:
        source = save(tmp_path / "en.conll", "# id = a\nAnna\tB-PER\n\n# id = b\nOslo\tB-LOC\n\n# id = c\nBob\tO\n")
        target = save(tmp_path / "de.conll", "# id = b\nOsló\tB-LOC\n\n# id = a\nANNA\tB-PER\n\n# id = d\nX\tO\n")
        pairs = save(tmp_path / "pairs.tsv", "Oslo\tOsló\nAnna\tANNA\n")
        for on in ("id", str(pairs)):
            output, alone = tmp_path / "o.parquet", tmp_path / "alone.jsonl"
            command = ["pair", str(source), str(target), "--on", on, "-o", str(output), "--alone", str(alone)]
            run = CliRunner().invoke(cli, command)
            assert run.exit_code == 0, run.output
            assert "1 rows without a partner: 2" in run.stderr
            table = xner.read_pairs(output, output)
            assert table["source_tokens"].to_pylist() == [["Anna"], ["Oslo"]]
            assert table["tokens"].to_pylist() == [["ANNA"], ["Osló"]]
            assert table["gold_labels"].to_pylist() == [["B-PER"], ["B-LOC"]]
            assert {row["tokens"][0] for row in io.read(alone).to_pylist()} == {"Bob", "X"}
        by_text = io.pair(Layout().read(source), Layout().read(target), on="text")
        assert by_text.pairs == [(0, 1)]

    def test_numbers_of_rows_are_no_ids(self, tmp_path: Path) -> None:
        source = save(tmp_path / "en.conll", "Anna\tB-PER\n\nOslo\tB-LOC\n")
        target = save(tmp_path / "de.txt", "Osló\nAnna\n")
        run = CliRunner().invoke(cli, ["pair", str(source), str(target), "--on", "id", "-o", str(tmp_path / "o.jsonl")])
        assert run.exit_code == 1
        assert isinstance(run.exception, OptionError)
        assert str(run.exception).startswith(
            f"--on='id': the ids of '{source}' and '{target}' are the numbers of their"
        )
        assert not (tmp_path / "o.jsonl").exists()
        named = save(tmp_path / "named.jsonl", '{"id": "1", "tokens": ["Osló"]}\n{"id": "0", "tokens": ["Anna"]}\n')
        assert io.pair(Layout().read(source), Layout().read(named), on="id").pairs == [(0, 1), (1, 0)]

    def test_pairs_of_a_list_that_pair_nothing_are_named(self) -> None:
        table = pa.table({"id": ["a", "b"], "tokens": [["x"], ["y"]]})
        found = io.pair(table, table, on=[("a", "b"), ("a", "nope"), ("b", "nope"), ("b", "a"), ("b", "b")])
        assert found.pairs == [(0, 1), (1, 0)]
        assert found.unused == (("a", "nope"), ("b", "nope"), ("b", "b"))
        said = " ".join(found.lines(("A", "B")))
        assert "3 pairs of the list pair nothing: one side is not there, or was paired before: 'a' and 'nope', " in said

    @pytest.mark.parametrize(
        ("first", "second", "fits"),
        [
            (["a", "b"], ["b", "a"], False),
            (["a", "b", "c"], ["a", "b", "c"], True),
            (["a", "b"], ["x", "y"], True),
            (["0", "1"], ["a", "b"], True),
            (["0", "1"], ["1", "0"], False),
            (["0", "1"], ["1", "7"], True),
            (["a", "b"], ["x", "a"], False),
        ],
    )
    def test_sentences_in_another_order(
        self, tmp_path: Path, first: list[str], second: list[str], *, fits: bool
    ) -> None:
        for name, ids in (("en", first), ("de", second)):
            rows = [{"id": one, "tokens": ["w"], "labels": ["O"]} for one in ids]
            io.write(pa.Table.from_pylist(rows), tmp_path / f"{name}.jsonl")
        sides = tmp_path / "en.jsonl", tmp_path / "de.jsonl"
        if fits:
            assert xner.read_pairs(*sides)["id"].to_pylist() == second
            return
        with pytest.raises(Error, match=r"column 'id': .* `xner pair --on id` puts the sentences in order"):
            xner.read_pairs(*sides)

    def test_ids_are_kept_where_the_other_side_has_none(self, tmp_path: Path) -> None:
        source = save(tmp_path / "en.conll", "# id = a\nx\tO\n\n# id = b\ny\tO\n")
        assert xner.read_pairs(source, save(tmp_path / "de.txt", "X\nY\n"))["id"].to_pylist() == ["a", "b"]

    def test_lists_of_pairs_that_are_missing(self, tmp_path: Path) -> None:
        source = save(tmp_path / "en.conll", "Anna\tB-PER\n")
        command = ["pair", str(source), str(source), "--on", "no.tsv", "-o", str(tmp_path / "o.jsonl")]
        run = CliRunner().invoke(cli, command)
        assert run.exit_code == 2
        assert "a file of pairs; there is no such file" in " ".join(run.stderr.split())

    def test_what_is_there_twice_is_named(self) -> None:
        table = pa.table({"id": ["a", "a", "b"], "tokens": [["x"], ["y"], ["z"]]})
        found = io.pair(table, table.slice(1), on="id")
        assert found.pairs == [(0, 0), (2, 1)]
        assert found.alone == ([1], [])
        assert found.twice == ({"a": 2}, {})
        assert any("'a' 2 times" in line for line in found.lines(("A", "B")))
        with pytest.raises(DataError, match="has no id for this row"):
            io.pair(pa.table({"id": pa.array([None], pa.string()), "tokens": [["x"]]}), table, on="id")
        with pytest.raises(Error, match="no pair of the list names"):
            io.pair(table, table, on=[("q", "r")])


def follow(error: Error, program: str) -> None:
    """Do what an error advises, if there is the program for it."""
    command = str(error).rsplit("`", 2)[1]
    assert program in command
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    subprocess.run(command, shell=True, check=True, timeout=60)


class TestEncodings:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("a O\n".encode("utf-16"), "probably UTF-16"),
            ("a O\n".encode("utf-16-le"), "probably UTF-16"),
            (b"a O\rb O\r\rc O\r", "lines end in carriage returns alone"),
        ],
    )
    def test_others_are_refused_with_a_remedy(self, tmp_path: Path, content: bytes, message: str) -> None:
        for suffix in ("conll", "txt"):
            (tmp_path / f"x.{suffix}").write_bytes(content)
            with pytest.raises(FormatError, match=message):
                io.read(tmp_path / f"x.{suffix}")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                gzip.compress(b"a O\n" * 9, mtime=0),  # the same in all processes that collect tests
                r"a compressed file \(gzip\); `gunzip < .* > .*x.unpacked",
            ),
            (gzip.compress(bytes(range(256)) * 9, mtime=0)[:60], r"a compressed file \(gzip\)"),
            (bz2.compress(b"a O\n"), r"\(bzip2\); `bunzip2 < .* > .*x.unpacked"),
            (lzma.compress(b"a O\n"), r"\(xz\); `unxz < .* > .*x.unpacked"),
            (b"\x28\xb5\x2f\xfd\x04\x00\x59\x00", r"\(zstandard\); `unzstd < .* > .*x.unpacked"),
            (b"PK\x03\x04\x14\x00\x00\x00", "`unzip .*x.* unpacks"),
            (b"PAR1\x15\x04\x15\x10", "looks like Parquet; give its format"),
            (b"ARROW1\x00\x00\xff\xff\xff\xff", "looks like Arrow; give its format"),
            (b"SQLite format 3\x00\x10\x00", "an SQLite database; export its table"),
            (pickle.dumps(["a"]), "a Python pickle; write what it holds"),
            (random.Random(1).randbytes(300), "a binary file, or a part of one"),
        ],
    )
    @pytest.mark.parametrize("suffix", ["conll", "txt", "jsonl"])
    def test_files_of_other_kinds_are_told(self, tmp_path: Path, content: bytes, message: str, suffix: str) -> None:
        (tmp_path / f"x.{suffix}").write_bytes(content)
        with pytest.raises(FormatError, match=message):
            io.read(tmp_path / f"x.{suffix}")

    @pytest.mark.parametrize("text", ["PAR1 O\n", "BZhang O\n", "ARROW1 O\n", "PK O\n", "SQLite O\n"])
    def test_words_that_begin_as_such_files_do(self, tmp_path: Path, text: str) -> None:
        assert io.read(save(tmp_path / "x.conll", text))["tokens"].to_pylist() == [text.split()[:1]]

    def test_a_mark_at_the_beginning_is_none_of_the_words(self, tmp_path: Path) -> None:
        (tmp_path / "x.conll").write_bytes(b"\xef\xbb\xbfa O\r\n")
        assert io.read(tmp_path / "x.conll")["tokens"].to_pylist() == [["a"]]

    def test_what_was_misread_before_is_said_once(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        spoilt = "Coruña".encode().decode("latin-1")
        path = save(tmp_path / "x.conll", f"Die O\n\nin O\n{spoilt} B-LOC\n\n{spoilt} B-LOC\n")
        assert io.read(path)["tokens"].to_pylist()[1] == ["in", spoilt]
        assert [record.getMessage() for record in caplog.records] == [
            f"{path}, line 4: '{spoilt} B-LOC' looks like UTF-8 that was taken for Latin-1 and stored anew"
        ]
        caplog.clear()
        (tmp_path / "z.conll").write_bytes(b"a O\n\n\xef\xbb\xbfb O\n")
        assert io.read(tmp_path / "z.conll")["tokens"].to_pylist() == [["a"], ["\ufeffb"]]
        assert "z.conll, line 3: " in caplog.text
        assert "begins with a byte order mark" in caplog.text
        caplog.clear()
        io.read(save(tmp_path / "y.conll", "Coruña B-LOC\nÂ O\nÃ O\n"))
        assert not caplog.records


class TestColumnsOfTables:
    def test_entities_without_scores(self, tmp_path: Path) -> None:
        spans = [[{"start": 0, "end": 1, "label": "PER"}], []]
        table = pa.table({"tokens": [["Anna", "kam"], ["Nein"]], "entities": pa.array(spans)})
        for kind in (
            table.schema.field("entities").type,
            pa.large_list(table.schema.field("entities").type.value_type),
        ):
            stored = table.set_column(1, "entities", table["entities"].cast(kind))
            pq.write_table(stored, tmp_path / "x.parquet")
            read = io.read(tmp_path / "x.parquet")
            io.write(read, tmp_path / "x.jsonl")
            assert read["entities"].type == schema.ENTITIES_TYPE
            assert read["entities"].to_pylist() == io.read(tmp_path / "x.jsonl")["entities"].to_pylist()
            assert Layout().read_labelled(tmp_path / "x.parquet").entities.to_pylist() == spans
        wrong = pa.table({"tokens": [["Anna"]], "entities": [[{"start": 0, "label": "PER"}]]})
        pq.write_table(wrong, tmp_path / "x.parquet")
        with pytest.raises(FormatError, match="no field end"):
            io.read(tmp_path / "x.parquet")

    def test_tags_are_labels(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"words": [["Anna", "kam"]], "tags": [["B-PER", "O"]]}), tmp_path / "x.parquet")
        assert words_and_labels(Layout().read_tagged(tmp_path / "x.parquet")) == ANNA


class TestTags:
    @pytest.mark.parametrize(
        ("tag", "message"), [("B-", "no class follows the prefix"), ("B-PER ", "a blank before or after it")]
    )
    def test_damaged_ones(self, tmp_path: Path, tag: str, message: str) -> None:
        path = save(tmp_path / "x.conll", f"Anna\tB-PER\nkam\t{tag}\n")
        with pytest.raises(DataError, match=message):
            Layout().read_tagged(path)

    @pytest.mark.parametrize(
        ("tags", "remark"),
        [
            (
                ["B-loc", "B-LOC"],
                "the classes 'LOC' and 'loc' differ in case alone; `class_map=loc=LOC` makes them one",
            ),
            (["B-LOC", "I-LOC", "LOC"], "'LOC' has no prefix, which others have ('B-LOC'); it is read as 'I-LOC'"),
            (
                ["PER-B", "LOC"],
                (
                    "'PER-B' may be a class and a prefix; it is read as a class, as 'LOC' has no prefix; "
                    "`class_map=PER-B=CLASS` renames it"
                ),
            ),
        ],
    )
    def test_what_may_be_a_mistake_is_said(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, tags: list[str], remark: str
    ) -> None:
        path = save(tmp_path / "x.conll", "".join(f"w\t{tag}\n" for tag in [*tags, "O"]))
        assert inspect(path).remarks[:1] == (remark,)
        assert not caplog.messages
        for _ in range(2):
            Layout().read_labelled(path)
            Layout().read_for_scores(path)
        assert caplog.messages == [f"{path}: {remark}"]
        name, new = ("loc", "LOC") if "loc" in remark else ("PER-B", "PER")
        if "class_map" in remark:
            assert not inspect(path, layout=Layout(class_map={name: new})).remarks

    def test_two_classes_of_one_name_among_entities(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        row = {"tokens": ["a", "b"], "entities": [[0, 1, "LOC"], [1, 2, "Loc"]]}
        path = save(tmp_path / "x.jsonl", json.dumps(row) + "\n")
        Layout().read_labelled(path)
        assert inspect(path).remarks == (
            "the classes 'LOC' and 'Loc' differ in case alone; `class_map=Loc=LOC` makes them one",
        )
        assert caplog.messages == [f"{path}: {inspect(path).remarks[0]}"]

    @pytest.mark.parametrize("tag", ["LOC|B-GPE", "B-LOC|B-GPE", "I-LOC,I-GPE"])
    def test_several_labels_in_one(self, tmp_path: Path, tag: str) -> None:
        path = save(tmp_path / "x.conll", f"Anna\t{tag}\nkam\tO\n")
        with pytest.raises(DataError, match=r"line 1 of .*: no label: several labels in one"):
            Layout().read_labelled(path)

    def test_words_with_blanks(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.conll", "in O\nNew York B-LOC\n")
        found = inspect(path)
        assert "3 columns where the first line has 2" in str(found.problem)
        assert found.layout is None
        path = save(tmp_path / "x.conll", "in\tO\nOslo\tB-LOC\tx\n")
        found = inspect(path)
        assert "3 columns where the first line has 2" in str(found.problem)
        assert found.options == ("--token-column", "0", "--label-column", "1")


class TestRemedies:
    """What people run into who have only read what the commands say."""

    def test_words_and_labels_of_one_column(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.conll", "B-PER\tAnna\nO\tkam\n")
        message = "line 1: words and labels are both looked for in column 0; `token_column` says where the words are"
        with pytest.raises(FormatError, match=message):
            Layout(label_column=0).read(path)
        other = save(tmp_path / "y.conll", "Anna\tB-PER\nkam\n")
        said = xner_said(["inspect", other], [])
        assert "line 2: 1 column, too few for the word in column 0 and the label in column -1" in said
        assert "None" not in said

    def test_links_counted_from_one(self, tmp_path: Path) -> None:
        source = save(tmp_path / "en.conll", "Anna\tB-PER\ncame\tO\n\nBo\tB-PER\n")
        target = save(tmp_path / "de.txt", "Anna kam\nBo\n")
        links = save(tmp_path / "x.pharaoh", "1-1 2-2\n1-1\n")
        message = r"row 0 \(id '0'\), column 'links', value 2-2: .* no link of .* is of a word 0: `one_based` reads"
        with pytest.raises(DataError, match=message):
            xner.read_pairs(source, target, links=links)
        command = ["project", "--source", source, "--target", target, "--links", links, "-o", tmp_path / "o.jsonl"]
        assert "--one-based reads words counted from 1" in xner_said(command, [])
        assert "2 of 2 source entities projected" in xner_said(command, ["--one-based"])
        save(links, "1-1 2-3\n1-1\n")  # which is wrong in either case
        assert f"value 2-3: line 1 of '{links}': the source sentence has 2 words" in xner_said(command, [])
        xner.read_pairs(source, target, links=save(links, "\n\n"))

    def test_blank_lines_at_the_end(self, tmp_path: Path) -> None:
        source = save(tmp_path / "en.conll", "Anna\tB-PER\n\nBo\tB-PER\n")
        target = save(tmp_path / "de.txt", "Anna\nBo\n\n\n")
        with pytest.raises(
            Error, match=r"the last 2 rows of '.*de.txt' are empty, .*`head -n 2 < .*de.txt > .*de.cut.txt` leaves out"
        ):
            xner.read_pairs(source, target)
        save(target, "Anna\nBo\n")
        links = save(tmp_path / "x.pharaoh", "0-0\n0-0\n\n")
        with pytest.raises(
            Error, match=r"3 sentence pairs .* 2 sentence pairs; the last lines are blank: `head -n 2 < "
        ):
            xner.read_pairs(source, target, links=links)

    def test_columns_of_a_table_are_compared(self, tmp_path: Path) -> None:
        rows = {"tokens": ["a", "b"], "labels": ["B-X", "O"], "gold_labels": ["B-X", "B-Y"], "entities": [[0, 1, "X"]]}
        path = save(tmp_path / "x.jsonl", json.dumps(rows) + "\n")
        for gold, predicted, figures in (
            ("labels", "gold_labels", r"micro +0\.500 +1\.000"),
            ("gold_labels", "labels", r"micro +1\.000 +0\.500"),
        ):
            columns = ["--predicted", path, "--gold-column", gold, "--predicted-column", predicted]
            assert re.search(figures, xner_said(["evaluate", *columns], []))

    def test_a_field_twice(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.jsonl", '{"tokens":["tokens"],"labels":["O"]}\n')
        assert io.read(path)["tokens"].to_pylist() == [["tokens"]]
        save(path, '{"tokens":["a"],"labels":["O"]}\n{"tokens":["a"],"labels":["O"],"tokens":["b"]}\n')
        with pytest.raises(FormatError, match=r"x.jsonl, line 2: the field 'tokens' is there twice"):
            io.read(path)

    @pytest.mark.parametrize("row", ['{"tokens":["a\\u0000"]}', '{"tokens":["a"]}\n{"tokens":["b\\u0000"]}'])
    def test_characters_without_a_sign(self, tmp_path: Path, caplog: pytest.LogCaptureFixture, row: str) -> None:
        line = row.count("\n") + 1
        path = save(tmp_path / "x.jsonl", row + "\n")
        other = save(tmp_path / "x.conll", "a\tO\nb\0\tO\n")
        for _ in range(2):
            io.read(path)
            io.read(other)
        assert caplog.messages == [
            f"{path}, line {line} has a NUL character, which is read as part of a word",
            f"{other}, line 2 has a NUL character, which is read as part of a word",
        ]

    def test_labels_are_looked_for_where_words_were_chosen(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.tsv", "1\tAnna\tX\tB-PER\tO\n2\tkam\tX\tO\tO\n")
        with pytest.raises(FormatError, match=r"column 3 holds labels; read it with `label_column=3`"):
            Layout(token_column=1).read(path)
        assert words_and_labels(Layout(token_column=1, label_column=3).read(path)) == ANNA

    def test_numbers_in_columns_have_names(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.conll", "Anna 1\nkam 0\n")
        with pytest.raises(DataError, match=r"value '0': .*`class_names` says what numbers are"):
            Layout().read_tagged(path)
        assert words_and_labels(Layout(class_names=["O", "B-PER"]).read_tagged(path)) == ANNA

    def test_the_target_file_has_columns_of_its_own(self, tmp_path: Path) -> None:
        source = save(tmp_path / "en.tsv", "1\tAnna\tB-PER\n2\tcame\tO\n")
        target = save(tmp_path / "de.conll", "B-PER Anna\nO kam\n")
        options = ["--token-column", "1", "--target-token-column", "1", "--target-label-column", "0"]
        sides = ["--source", str(source), "--target", str(target), "-o", str(tmp_path / "o.parquet")]
        run = CliRunner().invoke(cli, ["project", *sides, *options])
        assert run.exit_code == 0, run.output
        table = io.read(tmp_path / "o.parquet")
        assert table["tokens"].to_pylist() == [["Anna", "kam"]]
        assert table["gold_labels"].to_pylist() == table["labels"].to_pylist() == [["B-PER", "O"]]

    def test_a_class_becomes_one_class(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.conll", "Anna B-PER\nkam O\n")
        for given, message in ((["PER=LOC", "PER=ORG"], "'PER' becomes 'LOC' already"), (["PER=B-X"], "cannot become")):
            maps = [part for one in given for part in ("--class-map", one)]
            run = CliRunner().invoke(cli, ["view", str(path), "-o", str(tmp_path / "x.html"), *maps])
            assert message in run.output + str(run.exception)

    def test_the_tsv_of_webanno_is_not_that_of_conll(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.tsv", "#FORMAT=WebAnno TSV 3.3\n\n\n#Text=Anna\n1-1\t0-4\tAnna\tPER\t\n")
        assert inspect(path).options == ("--format", "webanno")
        for read in (io.read, Layout().read):
            with pytest.raises(FormatError, match=r"line 1: this is WebAnno's .*; the format 'webanno' reads it"):
                read(path)

    @pytest.mark.parametrize("suffix", ["txt", "txt.gz"])
    @pytest.mark.parametrize(
        ("text", "encoding", "what"),
        [
            ("groß", "latin1", "not UTF-8 .*; `.*` makes Latin-1 such"),
            ("„groß“", "cp1252", "not UTF-8 .*; `.*` makes Windows-1252 such"),
            ("groß ist es", "UTF-16LE", "probably UTF-16LE; `.*` makes it such"),
            ("groß ist es", "UTF-16BE", "probably UTF-16BE; `.*` makes it such"),
            ("groß ist es", "UTF-32LE", "probably UTF-32LE; `.*` makes it such"),
            ("groß ist es", "UTF-32BE", "probably UTF-32BE; `.*` makes it such"),
            ("groß ist es", "UTF-16", "probably UTF-16; `.*` makes it such"),  # with a mark, as the next one
            ("groß ist es", "UTF-32", "probably UTF-32; `.*` makes it such"),
        ],
    )
    def test_other_encodings_have_a_remedy(
        self, tmp_path: Path, text: str, encoding: str, what: str, suffix: str
    ) -> None:
        folder = tmp_path / "my files"  # whose name a shell would split
        folder.mkdir()
        content = (text + "\n").encode(encoding)
        (folder / f"x.{suffix}").write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
        with pytest.raises(FormatError, match=what) as caught:
            io.read(folder / f"x.{suffix}")
        follow(caught.value, "iconv")
        assert io.read(folder / "x.utf8.txt")["tokens"].to_pylist() == [text.split()]

    @pytest.mark.parametrize(
        ("content", "command"),
        [(b"a b c d\re f g\r", "tr"), (b"a b c d\r\r\ne f g\r\r\n", "sed")],
    )
    def test_so_have_line_ends(self, tmp_path: Path, content: bytes, command: str) -> None:
        (tmp_path / "y.txt").write_bytes(content)
        with pytest.raises(FormatError, match="carriage returns") as caught:
            io.read(tmp_path / "y.txt")
        follow(caught.value, command)
        assert io.read(tmp_path / "y.lines.txt")["tokens"].to_pylist() == [list("abcd"), list("efg")]

    @pytest.mark.parametrize("name", ["x.conll", "x.conll.bz2"])
    def test_so_have_compressed_files(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_bytes(bz2.compress(b"a O\n"))
        with pytest.raises(Error, match="a compressed file") as caught:
            io.read(tmp_path / name)
        follow(caught.value, "bunzip2")
        made = "x.conll" if name.endswith("bz2") else "x.unpacked.conll"
        assert io.read(tmp_path / made)["tokens"].to_pylist() == [["a"]]

    def test_remarks_say_what_is_there(self, tmp_path: Path) -> None:
        plain = inspect(save(tmp_path / "x.conll", "Anna PER\nkam O\n"))
        assert plain.remarks == ()
        assert inspect(save(tmp_path / "y.conll", "\n\n")).remarks == ("no words at all",)

    def test_a_pipeline_names_columns_that_are_missing(self) -> None:
        with pytest.raises(Error, match=r"the pipeline needs the column\(s\) source_tokens, source_entities"):
            xner.Pipeline().run(pa.table({"tokens": [["a"]]}))


@pytest.mark.parametrize("name", ["missing", "missing.unheard"])
def test_a_missing_file_is_told_before_a_name_that_tells_no_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for read in (io.read, read_translations, inspect, Layout().read_tagged):
        with pytest.raises(FileNotFoundError) as caught:
            read(path)
        assert caught.value.filename == str(path)
    path.touch()
    with pytest.raises(Error, match="cannot tell the format"):
        io.read(path)


def test_rows_that_are_wrong_in_a_scheme_are_skipped(tmp_path: Path) -> None:
    good, wrong = "Anna\tB-PER\nkam\tO\n\n", "In\tO\nBonn\tI-LOC\n\n"
    rows = [good, wrong, wrong, *[good] * 1200, wrong, good]
    source = save(tmp_path / "a.conll", "".join(rows))
    target = save(tmp_path / "a.txt", "x y\n" * len(rows))
    with pytest.raises(DataError, match=r"row 1, column 'labels', value 'I-LOC' at word 1: line 5 of"):
        xner.read_pairs(source, target, read_labels="validate")
    table = xner.read_pairs(source, target, read_labels="validate", on_error="skip")
    problems = pylist(table["row_problem"])
    assert [row for row, problem in enumerate(problems) if problem] == [1, 2, 1203]
    assert "in IOB2, I- follows B- or I-" in problems[1203]
    assert [row for row, its in enumerate(pylist(table["source_entities"])) if its is None] == [1, 2, 1203]
    assert pylist(table["source_entities"])[1204] == [{"start": 0, "end": 1, "label": "PER"}]


OTHER_LABELS = [
    ({"labels": ["O"], "ner_tags": ["B-LOC"]}, "ner_tags", ("--label-column", "labels")),
    ({"labels": ["O"], "tags": ["B-LOC"]}, "tags", ("--label-column", "tags")),
    ({"labels": ["B-LOC"], "ner_tags": ["O"]}, "labels", ("--label-column", "ner_tags")),
    ({"entities": [[0, 1, "LOC"]], "ner_tags": ["O"]}, "entities", ("--labels-from", "entities")),
    ({"entities": [[0, 1, "LOC"]], "labels": ["O"]}, "entities", ("--labels-from", "labels")),
]


@pytest.mark.parametrize(("columns", "named", "options"), OTHER_LABELS)
def test_columns_of_labels_that_differ(
    tmp_path: Path, columns: dict[str, Any], named: str, options: tuple[str, str]
) -> None:
    first = {name: [] if name == "entities" else ["O"] for name in columns}
    lines = [{"id": "a", "tokens": ["x"], **first}, {"id": "b", "tokens": ["Ana"], **columns}]
    path = save(tmp_path / "x.jsonl", "\n".join(map(json.dumps, lines)))
    option = options[0][2:].replace("-", "_")
    reason = rf"row 1 \(id 'b'\), column '{named}', value LOC \[0, 1\): .*does not say so.*`{option}"
    with pytest.raises(DataError, match=reason):
        Layout().read_labelled(path)
    with pytest.raises(DataError, match=reason):
        list(Layout().labelled_pieces(path, rows=1))
    run = run_xner("inspect", "x.jsonl", cwd=tmp_path)
    assert run.returncode == 0
    assert "but for the wrong rows below" in run.stdout
    assert re.search(rf"note: column '{named}': .*{options[0]} .*decides.*: 1 row \(1\)", run.stdout)
    given: Any = {option: options[1]}
    layout = Layout(**given)
    chosen = columns["labels" if options[1] == "labels" else options[1]]
    found: Any = layout.read_labelled(path).entities.to_pylist()
    assert bool(found[1]) == (chosen != ["O"])
    run = run_xner("inspect", "x.jsonl", *options, cwd=tmp_path)
    assert "does not say so" not in run.stdout
    assert ("LOC " in run.stdout) == bool(found[1])


def test_columns_of_labels_that_agree_or_are_something_else(tmp_path: Path) -> None:
    for other in ({"ner_tags": ["LOC-B"]}, {"ner_tags": ["U-LOC"]}, {"tags": ["PROPN"]}, {"ner_tags": [7]}):
        row = {"tokens": ["Ana"], "labels": ["B-LOC"], **other}
        path = save(tmp_path / "x.jsonl", json.dumps(row))
        assert Layout().read_labelled(path).entities.to_pylist() == [[{"start": 0, "end": 1, "label": "LOC"}]]
    row = {"tokens": ["Ana"], "labels": ["B-LOC"], "ner_tags": [0]}
    path = save(tmp_path / "x.jsonl", json.dumps(row))
    with pytest.raises(DataError, match="does not say so"):
        Layout(class_names=("O", "B-LOC")).read_labelled(path)
    row = {"tokens": ["Ana"], "labels": ["B-LOC"], "status": "ok", "ner_tags": ["O"]}
    path = save(tmp_path / "x.jsonl", json.dumps(row))
    assert Layout().read_labelled(path).entities.to_pylist() == [[{"start": 0, "end": 1, "label": "LOC"}]]
