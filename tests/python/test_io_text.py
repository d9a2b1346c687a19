from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from io_strategies import sentences
from xner import _core, io
from xner.errors import DataError, Error, FormatError
from xner.io import _lines

if TYPE_CHECKING:
    from pathlib import Path

WORDS_TYPE = pa.list_(pa.string())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("text")


def save(folder: Path, content: str | bytes) -> Path:
    path = folder / "file.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def slow_read_text(text: str) -> list[list[str]]:
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [[word for word in line.removesuffix("\r").replace("\t", " ").split(" ") if word] for line in lines]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("", []),
        ("\n", [[]]),
        ("a b\n\nc", [["a", "b"], [], ["c"]]),
        ("\ufeff a\t b \r\n \r\nc\r\n", [["a", "b"], [], ["c"]]),
        ("a\u00a0b\u3000c\u2028d\u0085e\x0cf g\n", [["a\u00a0b\u3000c\u2028d\u0085e\x0cf", "g"]]),
        ("a\rb\n", [["a\rb"]]),
        ("\na\r", [[], ["a"]]),
    ],
)
def test_reads_lines(folder: Path, content: str, rows: list[list[str]]) -> None:
    table = io.read_text(save(folder, content))
    assert table["tokens"].to_pylist() == rows
    assert table["id"].to_pylist() == [str(row) for row in range(len(rows))]


@given(text=st.text(st.sampled_from("ab\u00a0\ufeff\u2028 \t\n\r"), max_size=40), block=st.integers(3, 9))
def test_equals_the_slow_reader(folder: Path, text: str, block: int) -> None:
    assume("\n" in text or text.count("\r") < 2)  # which are the line ends of other systems
    assume("\r\r\n" not in text)  # which is refused
    path = save(folder, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_lines, "BLOCK_BYTES", block)
        assert io.read_text(path)["tokens"].to_pylist() == slow_read_text(text)


@given(rows=st.lists(sentences, max_size=6), suffix=st.sampled_from(["", ".gz"]))
def test_round_trip(folder: Path, rows: list[list[str]], suffix: str) -> None:
    table = pa.table({"tokens": pa.array(rows, WORDS_TYPE)})
    path = folder / f"round.txt{suffix}"
    io.write_text(table, path)
    assert io.read_text(path)["tokens"].to_pylist() == rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [["a"], ["b", "c d"]],
            r"row 1, column 'tokens', value 'c d': .* cannot hold a space, a tab or a line end",
        ),
        ([["a\tb"]], r"row 0, column 'tokens', value 'a\\tb'"),
        ([["a\nb"]], r"row 0, column 'tokens', value 'a\\nb'"),
        ([["a", ""]], r"row 0, column 'tokens', value '': an empty word cannot be written"),
        (
            [["a"], None],
            r"row 1, column 'tokens', value null: this format has no way to write a missing list",
        ),
        ([["a", None]], r"row 0, column 'tokens', value null: a missing word cannot be written"),
    ],
)
def test_rows_that_cannot_be_written(folder: Path, rows: list[list[str | None] | None], message: str) -> None:
    with pytest.raises(DataError, match=message):
        io.write_text(pa.table({"tokens": pa.array(rows, WORDS_TYPE)}), folder / "none.txt")


def test_a_byte_order_mark_that_belongs_to_a_word_stays(folder: Path) -> None:
    table = pa.table({"tokens": [["\ufeffa"], ["\ufeff"]], "labels": [["O"], ["O"]]})
    for name in ("mark.txt", "mark.conll"):
        io.write(table, folder / name)
        assert io.read(folder / name)["tokens"].to_pylist() == [["\ufeffa"], ["\ufeff"]]


def test_another_column_can_be_written(folder: Path) -> None:
    table = pa.table({"source_tokens": [["a", "b"]]})
    io.write_text(table, folder / "source.txt", tokens="source_tokens")
    assert (folder / "source.txt").read_bytes() == b"a b\n"
    with pytest.raises(Error, match="there is no column 'tokens'; the columns are source_tokens"):
        io.write_text(table, folder / "source.txt")


def test_wrong_bytes(folder: Path) -> None:
    with pytest.raises(FormatError, match=r"file.txt, line 2: byte 3 of the line, 0x80, is not UTF-8"):
        io.read_text(save(folder, b"a\nbc\x80\n"))


def test_pairs(folder: Path) -> None:
    table = io.read_bitext(save(folder, "a b ||| c\n||| d\r\ne |||\n|||"))
    assert table["source_tokens"].to_pylist() == [["a", "b"], [], ["e"], []]
    assert table["tokens"].to_pylist() == [["c"], ["d"], [], []]
    assert io.read_bitext(save(folder, "a => b"), separator="=>")["tokens"].to_pylist() == [["b"]]
    assert io.read_bitext(save(folder, "")).num_rows == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a ||| b\nc d\n", r"line 2: expected one '\|\|\|' between two sentences, found 0: 'c d'"),
        ("a ||| b ||| c\n", r"line 1: expected one '\|\|\|' between two sentences, found 2"),
        ("a ||| b\n\n", r"line 2: expected one '\|\|\|' between two sentences, found 0: ''"),
    ],
)
def test_lines_that_are_no_pairs(folder: Path, content: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        io.read_bitext(save(folder, content))


@pytest.mark.parametrize(("pair", "rows"), [("enfr", 447), ("roen", 248), ("jaen", 582), ("zhen", 450)])
def test_pairs_of_the_alignment_data(test_data: Path, pair: str, rows: int) -> None:
    path = test_data / f"word-alignment/{pair}.src-tgt"
    table = io.read_bitext(path)
    assert table.num_rows == rows
    lines = slow_read_text(path.read_bytes().decode())
    joined: Any = zip(table["source_tokens"].to_pylist(), table["tokens"].to_pylist(), strict=True)
    assert [[*source, "|||", *target] for source, target in joined] == lines


@given(lines=st.lists(st.text("a\té", max_size=25).map(str.encode)), end=st.sampled_from([b"\n", b"\r\n"]))
def test_fields_are_those_of_python(lines: list[bytes], end: bytes) -> None:
    data = end.join(lines)
    starts = np.cumsum([0, *(len(line) + len(end) for line in lines)], dtype=np.int64)[:-1]
    ends = starts + np.array([len(line) for line in lines], np.int64)
    first, last, offsets = _core.split_at_tabs(data, starts, ends)
    fields = [data[begin:stop] for begin, stop in zip(first.tolist(), last.tolist(), strict=True)]
    by_line = [fields[begin:stop] for begin, stop in itertools.pairwise(offsets.tolist())]
    assert by_line == [line.split(b"\t") for line in lines]
    # In any order, and more than once
    places = np.array([*range(len(fields)), *reversed(range(len(fields)))], np.int64)
    edges, copied = _core.copy_parts(data, first[places], last[places])
    assert copied.tobytes() == b"".join(fields + fields[::-1])
    assert np.diff(edges).tolist() == [len(field) for field in fields + fields[::-1]]
