from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from io_strategies import tagged_sentences, words
from reference.conll import read_conll as slow_read_conll
from xner import io
from xner.errors import DataError, Error, FormatError
from xner.io import _lines

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conll")


def save(folder: Path, content: str | bytes, name: str = "file.conll") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(table: pa.Table) -> list[tuple[str, list[str], list[str]]]:
    columns = [table.column(name).to_pylist() for name in ("id", "tokens", "labels")]
    return list(zip(*columns, strict=True))


def table_of(rows: list[list[tuple[str, str]]], ids: list[str] | None = None) -> pa.Table:
    columns = {
        "id": pa.array([str(row) for row in range(len(rows))] if ids is None else ids, pa.string()),
        "tokens": pa.array([[word for word, _ in row] for row in rows], pa.list_(pa.string())),
        "labels": pa.array([[tag for _, tag in row] for row in rows], pa.list_(pa.string())),
    }
    return pa.table(columns)


PLAIN = [("0", ["New", "York", "!"], ["B-LOC", "I-LOC", "O"]), ("1", ["Yes"], ["O"])]


@pytest.mark.parametrize(
    "content",
    [
        "New\tB-LOC\nYork\tI-LOC\n!\tO\n\nYes\tO\n\n",
        "New B-LOC\nYork I-LOC\n! O\n\nYes O",
        "New\tB-LOC\r\nYork\tI-LOC\r\n!\tO\r\n\r\nYes\tO\r\n",
        "\ufeffNew B-LOC\nYork   I-LOC  \n! \t O\n \t \n\n\n\nYes O\n",
        "\n\n-DOCSTART- -X- O O\n\nNew NNP I-NP B-LOC\nYork NNP I-NP I-LOC\n! . O O\n-DOCSTART-\nYes UH O O",
        "# a remark\n\n# another\nNew\tB-LOC\nYork\tI-LOC\n!\tO\n\n#\nYes\tO\n",
    ],
    ids=["tabs", "spaces", "crlf", "bom and blanks", "documents", "comments"],
)
def test_reads_what_is_in_use(folder: Path, content: str) -> None:
    assert rows_of(io.read_conll(save(folder, content))) == PLAIN


def test_columns_can_be_chosen(folder: Path) -> None:
    path = save(folder, "1 New NNP B-LOC x\n2 York NNP I-LOC x\n3 ! . O x\n\n1 Yes UH O x\n")
    assert rows_of(io.read_conll(path, token_column=1, label_column=3)) == PLAIN
    assert rows_of(io.read_conll(path, token_column=-4, label_column=-2)) == PLAIN
    without = io.read_conll(path, token_column=1, label_column=None)
    assert without.column_names == ["id", "tokens"]
    assert without["tokens"].to_pylist() == [tokens for _, tokens, _ in PLAIN]


def test_a_hash_with_a_tag_is_a_word_and_without_is_a_comment(folder: Path) -> None:
    path = save(folder, "# O\n1 O\n\n# id = x y\n# id of nothing\n# O\n#tag B-MISC\n# foo\n")
    assert rows_of(io.read_conll(path)) == [
        ("0", ["#", "1"], ["O", "O"]),
        ("x y", ["#", "#tag", "#"], ["O", "B-MISC", "foo"]),
    ]
    path = save(folder, "#\tPER\n\n# sent_id = 7\n# text = # O\nyes\tO\n")
    assert rows_of(io.read_conll(path)) == [("0", ["#"], ["PER"]), ("7", ["yes"], ["O"])]
    path = save(folder, "# O\n1 O\n")
    assert rows_of(io.read_conll(path, comment_prefix="")) == [("0", ["#", "1"], ["O", "O"])]
    path = save(folder, "# a\n#\nb\n")
    assert io.read_conll(path, label_column=None)["tokens"].to_pylist() == [["#", "b"]]


def test_columns_may_be_ragged_where_they_are_counted_from_the_front(folder: Path) -> None:
    path = save(folder, "a O (V*\nb O\n\nc B-X * * *\n")
    assert rows_of(io.read_conll(path, label_column=1)) == [("0", ["a", "b"], ["O", "O"]), ("1", ["c"], ["B-X"])]
    assert io.read_conll(path, label_column=None)["tokens"].to_pylist() == [["a", "b"], ["c"]]


def test_documents_can_be_kept(folder: Path) -> None:
    path = save(folder, "-DOCSTART- O\n\nYes O\n")
    assert io.read_conll(path, keep_docstart=True)["tokens"].to_pylist() == [["-DOCSTART-"], ["Yes"]]


def test_an_id_alone_is_a_row_without_words(folder: Path) -> None:
    path = save(folder, "# id = a\n\n# id = b\nx\tO\n\n# only a remark\n\n# id = c")
    assert rows_of(io.read_conll(path)) == [("a", [], []), ("b", ["x"], ["O"]), ("c", [], [])]


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", " \n\r\n", "-DOCSTART- O\n", "# nothing\n"])
def test_a_file_without_sentences_has_no_rows(folder: Path, content: str) -> None:
    table = io.read_conll(save(folder, content))
    assert table.num_rows == 0
    assert table.column_names == ["id", "tokens", "labels"]


def test_a_missing_word_can_be_given_one(folder: Path) -> None:
    path = save(folder, "a O\n O\nb O\n")
    assert io.read_conll(path, empty_token="?")["tokens"].to_pylist() == [["a", "?", "b"]]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            "a O\nb\n",
            {},
            r"line 2: 1 column, too few for the word in column 0 and the label in column -1, .*label_column=.*: 'b'",
        ),
        ("a\tO\nb O\n", {}, r"line 2: 1 column, too few .* separated by tabs .*: 'b O'"),
        ("\n\na O x\n\nb O\n", {"label_column": 2}, r"line 5: 2 columns, too few .* label in column 2"),
        ("a O\n", {"token_column": -3}, r"line 1: 2 columns, too few for the word in column -3"),
        ("a O\n", {"token_column": 1}, r"line 1: words and labels are both looked for in column 1; `token_column`"),
        (
            "a O\n",
            {"token_column": 4, "label_column": None},
            r"line 1: 2 columns, too few for the word in column 4",
        ),
        ("a O\nNew York B-LOC\n", {}, r"line 2: 3 columns where the first line has 2: .*with `label_column=1`"),
        ("# x = y\na\tX\tO\n\nb\tO\n", {}, r"line 4: 2 columns where the first line has 3: .*`label_column=2`"),
        ("a X O\nb X X O\n", {"token_column": -3}, r"line 2: 4 .*`token_column=0` and `label_column=2`"),
        ("a\t\n", {}, r"line 1: the label is empty: 'a\\t'"),
        ("\tO\n", {}, r"line 1: the word is empty \(the option `empty_token` reads a word for it\): '\\tO'"),
        ("a O\n\n O\n", {}, r"line 3: the word is empty .*: ' O'"),
        (
            b"a O\nb\xe9 O\n",
            {},
            r"line 2: byte 2 of the line, 0xe9, is not UTF-8 \(invalid continuation byte\)",
        ),
        (b"\xff\xfda\n", {}, r"line 1: byte 1 of the line, 0xff, is not UTF-8"),
        (
            b"a O\n\n" * 9 + b"b O\n\xc3",
            {},
            r"line 20: byte 1 of the line, 0xc3, is not UTF-8 \(unexpected end of data\)",
        ),
    ],
)
def test_bad_files(folder: Path, content: str | bytes, options: dict[str, int | None], message: str) -> None:
    path = save(folder, content)
    with pytest.raises(FormatError, match=message) as caught:
        io.read_conll(path, **options)  # type: ignore[arg-type]  # the options are of several types
    assert str(caught.value).startswith(f"{path}, line ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": ","}, r"delimiter must be a tab, a space or None, not ','"),
        ({"empty_token": ""}, r"empty_token must not be empty itself"),
        ({"batch_rows": 0}, r"batch_rows must be at least 1, not 0"),
    ],
)
def test_bad_options(folder: Path, options: dict[str, str], message: str) -> None:
    path = save(folder, "a O\n")
    with pytest.raises(Error, match=message):
        list(io.iter_conll(path, **options))  # type: ignore[arg-type]  # wrong on purpose


def test_a_broken_archive(folder: Path) -> None:
    whole = gzip.compress(b"a O\n\n" * 1000)
    with pytest.raises(FormatError, match="not a whole gzip archive"):
        io.read_conll(save(folder, whole[:-9], "cut.conll.gz"))
    with pytest.raises(FormatError, match="not a whole gzip archive"):
        io.read_conll(save(folder, b"a O\n", "plain.conll.gz"))


PIECES = [
    "a",
    "b\u00a0c",
    "\u2028",
    "#",
    "# id = 1",
    "O",
    "B-X",
    "I-X",
    "foo",
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "-DOCSTART-",
    " O",
    "\tO",
]


@given(text=st.lists(st.sampled_from(PIECES), max_size=25).map("".join), block=st.integers(3, 20))
def test_equals_the_slow_reader(folder: Path, text: str, block: int) -> None:
    assume("\n" in text or text.count("\r") < 2)  # which are the line ends of other systems
    path = save(folder, text, "random.conll")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_lines, "BLOCK_BYTES", block)
        try:
            expected = slow_read_conll(text)
        except ValueError:
            with pytest.raises(FormatError):
                io.read_conll(path)
            return
        assert rows_of(io.read_conll(path)) == expected


@given(
    text=st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    token_column=st.integers(-3, 2),
    label_column=st.integers(-3, 2),
    delimiter=st.sampled_from(["\t", " "]),
)
def test_equals_the_slow_reader_for_all_columns(
    folder: Path, text: str, token_column: int, label_column: int, delimiter: str
) -> None:
    assume("\n" in text or text.count("\r") < 2)
    path = save(folder, text, "random.conll")
    try:
        expected = slow_read_conll(text, token_column=token_column, label_column=label_column, delimiter=delimiter)
    except ValueError:
        with pytest.raises(FormatError):
            io.read_conll(path, token_column=token_column, label_column=label_column, delimiter=delimiter)
        return
    table = io.read_conll(path, token_column=token_column, label_column=label_column, delimiter=delimiter)
    assert rows_of(table) == expected


@given(
    rows=st.lists(tagged_sentences, max_size=6),
    data=st.data(),
    delimiter=st.sampled_from(["\t", " "]),
    suffix=st.sampled_from(["", ".gz"]),
)
def test_round_trip(
    folder: Path, rows: list[list[tuple[str, str]]], data: st.DataObject, delimiter: str, suffix: str
) -> None:
    names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=6)
    names |= st.sampled_from(["O", "B-1", "a O", "a\tO", "= x", " "])
    ids = data.draw(st.none() | st.lists(names, min_size=len(rows), max_size=len(rows)))
    table = table_of(rows, ids)
    path = folder / f"round.conll{suffix}"
    io.write_conll(table, path, delimiter=delimiter)
    back = io.read_conll(path, delimiter=delimiter)
    assert back.to_pylist() == table.to_pylist()
    if delimiter == "\t" or any(rows):
        assert io.read_conll(path).to_pylist() == table.to_pylist()


@given(rows=st.lists(st.lists(words.map(lambda word: word.replace("#", "h")), max_size=4), max_size=5))
def test_round_trip_without_labels(folder: Path, rows: list[list[str]]) -> None:
    table = pa.table({"tokens": pa.array(rows, pa.list_(pa.string()))})
    path = folder / "tokens.conll"
    io.write_conll(table, path, columns=("tokens",))
    assert io.read_conll(path, label_column=None)["tokens"].to_pylist() == rows


def test_words_may_hold_spaces_between_tabs(folder: Path) -> None:
    table = table_of([[("New York", "B-LOC"), (" ", "O"), ("# id", "O")], [("# id", "O")]])
    path = folder / "spaces.conll"
    io.write_conll(table, path)
    assert io.read_conll(path).to_pylist() == table.to_pylist()


@pytest.mark.parametrize(
    ("rows", "delimiter", "message"),
    [
        (
            [[("a", "O")], [("b", "O"), ("c\td", "O")]],
            "\t",
            r"row 1, column 'tokens', value 'c\\td': a word in this format cannot hold a tab or a line end",
        ),
        (
            [[("a b", "O")]],
            " ",
            r"row 0, column 'tokens', value 'a b': .* cannot hold a space, a tab or a line end",
        ),
        ([[("a\nb", "O")]], "\t", r"row 0, column 'tokens', value 'a\\nb': .*line end"),
        ([[("a\r", "O")]], "\t", r"row 0, column 'tokens', value 'a\\r': .*line end"),
        ([[], [("a", "")]], "\t", r"row 1, column 'labels', value '': an empty word cannot be written"),
        ([[("a", "B-X Y\tZ")]], "\t", r"row 0, column 'labels', value 'B-X Y\\tZ'"),
        (
            [[("-DOCSTART-", "O")]],
            "\t",
            r"row 0, column 'tokens', value '-DOCSTART-': this word marks documents",
        ),
        ([[("# id = x", "O")]], "\t", r"row 0, column 'tokens', value '# id = x\\tO': the line would be read as"),
        (
            [[], [("#", "foo")]],
            " ",
            r"row 1, column 'tokens', value '# foo': the line would be read as a comment",
        ),
    ],
)
def test_rows_that_cannot_be_written(
    folder: Path, rows: list[list[tuple[str, str]]], delimiter: str, message: str
) -> None:
    path = save(folder, "old", "kept.conll")
    with pytest.raises(DataError, match=message):
        io.write_conll(table_of(rows), path, delimiter=delimiter)
    assert path.read_text() == "old"


def test_tables_that_cannot_be_written(folder: Path) -> None:
    path = folder / "none.conll"
    words_type = pa.list_(pa.string())
    with pytest.raises(Error, match="there is no column 'labels'; the columns are tokens"):
        io.write_conll(pa.table({"tokens": pa.array([["a"]])}), path)
    with pytest.raises(
        DataError, match="row 1, column 'labels', value 2 values: column 'tokens' has 1 words in this row"
    ):
        io.write_conll(pa.table({"tokens": [["a"], ["b"]], "labels": [["O"], ["O", "O"]]}), path)
    with pytest.raises(
        DataError, match="row 1, column 'tokens', value null: this format has no way to write a missing"
    ):
        io.write_conll(pa.table({"tokens": pa.array([["a"], None], words_type)}), path, columns=["tokens"])
    with pytest.raises(DataError, match="row 0, column 'tokens', value null: a missing word cannot be written"):
        io.write_conll(pa.table({"tokens": pa.array([["a", None]], words_type)}), path, columns=["tokens"])
    with pytest.raises(Error, match=r"column 'tokens' must hold lists of strings, not list<item: int64>"):
        io.write_conll(pa.table({"tokens": [[1]]}), path, columns=["tokens"])
    with pytest.raises(Error, match=r"column 'tokens' must hold lists, not string"):
        io.write_conll(pa.table({"tokens": ["a"]}), path, columns=["tokens"])
    with pytest.raises(DataError, match=r"row 0, column 'id', value 'a\\nb': an id cannot hold a line end"):
        io.write_conll(table_of([[("a", "O")]], ["a\nb"]), path)
    with pytest.raises(Error, match="delimiter must be a tab or a space, not ','"):
        io.write_conll(table_of([]), path, delimiter=",")
    with pytest.raises(Error, match="columns must be a sequence of column names, not 'tokens'"):
        io.write_conll(table_of([]), path, columns="tokens")
    assert not path.exists()


def test_rows_are_counted_over_batches(folder: Path) -> None:
    tables = [table_of([[("a", "O")], []]), table_of([[("", "O")]])]
    with pytest.raises(DataError, match="row 2, column 'tokens', value ''"):
        io.write_conll(pa.concat_tables(tables), folder / "none.conll")


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 100])
def test_batches(folder: Path, batch_rows: int) -> None:
    path = save(folder, "".join(f"w{row} O\n\n" for row in range(5)))
    batches = list(io.iter_conll(path, batch_rows=batch_rows))
    assert [batch.num_rows for batch in batches[:-1]] == [batch_rows] * (len(batches) - 1)
    assert pa.Table.from_batches(batches)["id"].to_pylist() == ["0", "1", "2", "3", "4"]


def test_europarl(test_data: Path, folder: Path) -> None:
    for language in ("en", "de", "es"):
        path = test_data / f"europarl-ner/{language}-europarl.test.conll02"
        table = io.read(path)
        assert table.num_rows == 799
        assert rows_of(table) == slow_read_conll(path.read_bytes().decode())
        copy = folder / "copy.conll02"
        io.write(table, copy)
        assert io.read(copy) == table


@pytest.mark.slow
def test_masakhaner(test_data: Path) -> None:
    paths = sorted(test_data.glob("masakhaner2/*/test.txt"))
    assert len(paths) == 20
    for path in paths:
        assert rows_of(io.read(path, "conll")) == slow_read_conll(path.read_bytes().decode())
