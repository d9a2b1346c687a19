"""Files that are damaged or made up: each reader gives a table, or an error of ours."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import many
from xner import io, labels
from xner.errors import Error
from xner.io.formats import FORMATS
from xner.io.inspection import inspect
from xner.io.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [
    {"id": "s1", "tokens": ["Anna", "kam", "nach", "Köln"], "labels": ["B-PER", "O", "O", "B-LOC"]},
    {"id": "s2", "tokens": ["#", "-", "名"], "labels": ["O", "B-X", "I-X"]},
]
# Instead of a word, a number, a bracket: what is somewhere else, too large, of another type, or no text.
ODD = ["", "null", "true", "-1", "0", "1e999", "NaN", "2147483648", "9" * 400, "[]", "{}", '""', "[[0]]", '"\\ud800"']
ODD += ["\t", "\n", "\n\n", "\r", "\x00", "\ufeff", "\u2028", "#", "-DOCSTART-", "B-", "-", "_", "I-PER", "1-2", "|||"]

text_formats = pytest.mark.parametrize("format", [name for name, its in FORMATS.items() if its.is_text])
all_formats = pytest.mark.parametrize(
    "format",
    [
        pytest.param(one, marks=[pytest.mark.needs("spacy"), pytest.mark.slow] if one == "docbin" else [])
        for one in FORMATS
    ],
)


@cache
def written(format: str, folder: Path) -> bytes:
    """A file of two sentences."""
    table = pa.Table.from_pylist(ROWS)
    links = pa.array([[{"source": 0, "target": 1}], []])
    table = table.append_column("entities", labels.decode_batch(table["labels"])).append_column("links", links)
    io.write(table, folder / f"whole-{format}", format)
    return (folder / f"whole-{format}").read_bytes()


def read_in_all_ways(path: Path, format: str, content: bytes) -> None:
    """Read a file; only errors of ours are let through."""
    path.write_bytes(content)
    readers: list[Callable[[], object]] = [
        lambda: io.read(path, format),
        lambda: inspect(path, format),
        lambda: Layout().read_tagged(path, format),
    ]
    for read in readers:
        try:
            read()
        except Error:
            continue


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@all_formats
@given(data=st.data())
@many(1)
def test_damaged_bytes(format: str, folder: Path, data: st.DataObject) -> None:
    content = bytearray(written(format, folder))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not content:
            break
    read_in_all_ways(folder / f"a-{format}", format, bytes(content))


@text_formats
@given(data=st.data())
@many(2)
def test_odd_values(format: str, folder: Path, data: st.DataObject) -> None:
    pieces = re.findall(r'"[^"]*"|[\w.]+|\s|.', written(format, folder).decode())
    for _ in range(data.draw(st.integers(1, 3))):
        odd = st.sampled_from(ODD) | st.sampled_from(pieces)
        pieces[data.draw(st.integers(0, len(pieces) - 1))] = data.draw(odd)
    read_in_all_ways(folder / f"a-{format}", format, "".join(pieces).encode("utf-8", "surrogatepass"))


@text_formats
@given(content=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode()))
@many(1)
def test_any_bytes(format: str, folder: Path, content: bytes) -> None:
    read_in_all_ways(folder / f"a-{format}", format, content)
