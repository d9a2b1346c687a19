"""spaCy's documents and their binary files: what spaCy has written is read, what is written spaCy reads."""

from __future__ import annotations

import extras

extras.need("spacy")

import logging
import zlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import spacy
import srsly
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span

from command_line import done, xner
from io_strategies import classes, words
from xner import io, schema
from xner.errors import DataError, Error, FormatError

if TYPE_CHECKING:
    from pathlib import Path

NLP = spacy.blank("xx")


def document(tokens: list[str], entities: list[tuple[int, int, str]] | None = None, **groups: Any) -> Doc:
    doc = Doc(NLP.vocab, words=tokens)
    if entities is not None:
        doc.set_ents([Span(doc, *one) for one in entities], default="outside")
    for name, spans in groups.items():
        doc.spans[name] = [Span(doc, *one) for one in spans]
    return doc


def entities(table: pa.Table) -> list[Any]:
    rows = table["entities"].to_pylist()
    return [row and [(one["start"], one["end"], one["label"]) for one in row] for row in rows]


def table_of(rows: list[tuple[list[str], list[tuple[int, int, str]] | None]]) -> pa.Table:
    names = ("start", "end", "label")
    spans = [None if found is None else [dict(zip(names, one, strict=True)) for one in found] for _, found in rows]
    tokens = pa.array([words for words, _ in rows], schema.WORDS_TYPE)
    return pa.table({"tokens": tokens, "entities": pa.array(spans, schema.ENTITIES_TYPE)})


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[str], list[tuple[int, int, str]]]:
    tokens = draw(st.lists(words.filter(lambda word: word.split() == [word]), max_size=5))
    places = [(start, end) for start in range(len(tokens)) for end in range(start + 1, len(tokens) + 1)]
    spans = draw(st.lists(st.tuples(st.sampled_from(places), classes), max_size=4, unique=True)) if places else []
    return tokens, [(*place, label) for place, label in spans]


@given(rows=st.lists(sentences(), max_size=3))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    path = tmp_path_factory.mktemp("docbin") / "a.spacy"
    table = table_of(rows)
    io.write(table, path)
    back = io.read(path)
    assert back.schema.names == ["id", "tokens", "labels", "entities"]
    assert back["id"].to_pylist() == [str(number) for number in range(len(rows))]
    assert back["tokens"].to_pylist() == [tokens for tokens, _ in rows]
    assert [set(row or ()) for row in entities(back)] == [set(spans) for _, spans in rows]
    in_memory = io.from_docs(io.to_docs(table))
    assert in_memory == back.combine_chunks()
    assert pa.Table.from_batches(io.iter_batches(path, batch_rows=1)).combine_chunks() == in_memory


def test_what_spacy_has_written(tmp_path: Path) -> None:
    docs = [
        document(["Angela", "Merkel", " ", "in", "Madrid"], [(0, 2, "PER"), (4, 5, "LOC")]),
        document(["a", "b"], [(0, 1, "X")], sc=[(0, 2, "Y"), (0, 1, "X")], other=[(1, 2, "Z")]),
        document(["a"], sc=[]),
        document(["a"], []),
    ]
    docs[0].user_data["key"] = "value"
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "a.spacy")
    table = io.read(tmp_path / "a.spacy")
    assert table["tokens"].to_pylist() == [["Angela", "Merkel", "in", "Madrid"], ["a", "b"], ["a"], ["a"]]
    assert entities(table) == [[(0, 2, "PER"), (3, 4, "LOC")], [(0, 2, "Y"), (0, 1, "X"), (1, 2, "Z")], None, []]
    assert table["labels"].to_pylist() == [["B-PER", "I-PER", "O", "B-LOC"], ["B-Y", "I-Y"], None, ["O"]]
    assert io.from_docs(docs).equals(table)


def test_what_spacy_reads(tmp_path: Path) -> None:
    nested = [(0, 2, "X"), (0, 1, "Y")]
    rows: list[Any] = [(["“", "Ann", "”", "."], [(1, 2, "PER")]), (["a", "b"], nested), (["a"], None), (["a"], [])]
    for how, text in (("blanks", "“ Ann ” ."), ("detokenized", "“Ann”.")):
        io.write(table_of(rows), tmp_path / "a.spacy", text=how)
        docs = list(DocBin().from_disk(tmp_path / "a.spacy").get_docs(NLP.vocab))
        assert docs[0].text == text
        assert [[(one.start, one.end, one.label_) for one in doc.ents] for doc in docs] == [
            [(1, 2, "PER")],
            [(0, 2, "X")],
            [],
            [],
        ]
        assert {name: [(one.start, one.end, one.label_) for one in docs[1].spans[name]] for name in docs[1].spans} == {
            "sc": nested
        }
        assert [doc.has_annotation("ENT_IOB") for doc in docs] == [True, True, False, True]
    shared = io.to_docs(table_of(rows), NLP.vocab)
    assert all(doc.vocab is NLP.vocab for doc in shared)


def test_labels_and_other_columns() -> None:
    table = pa.table({"words": [["a", "b", "c"]], "gold": [["B-PER", "I-PER", "O"]]})
    (doc,) = io.to_docs(table, tokens="words", spans="gold")
    assert [(one.start, one.end, one.label_) for one in doc.ents] == [(0, 2, "PER")]


def test_ids_and_wrong_arguments() -> None:
    docs = [document(["a"], []), document(["b"], [])]
    assert io.from_docs(docs, ids=["x", "y"])["id"].to_pylist() == ["x", "y"]
    assert io.from_docs([]).num_rows == 0
    with pytest.raises(Error, match="ids: expected one a document, 2, found 1"):
        io.from_docs(docs, ids=["x"])
    with pytest.raises(Error, match="expected documents of spaCy, found str in place 1"):
        io.from_docs([docs[0], "b"])
    with pytest.raises(Error, match="text='glued': expected one of 'blanks', 'detokenized'"):
        io.to_docs(table_of([(["a"], [])]), text="glued")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(FormatError, match=r"docs, document 0: the span \[0, 1\) has no class"):
        io.from_docs([document(["a"], [], sc=[(0, 1, "")])])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"tokens": [["a"], ["b", ""]]}, r"row 1 \(id '1'\), column 'tokens', value '': a word without characters"),
        ({"tokens": [["a"], None]}, r"row 1 .*'tokens', value null: a sentence without words"),
        ({"tokens": [["a"]], "labels": [[""]]}, "row 0, column 'labels', value ''"),
        ({"tokens": [["a"]], "entities": [[{"start": 0, "end": 2, "label": "X"}]]}, "sentence, of 1 words"),
    ],
)
def test_rows_that_cannot_be_written(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        io.write(pa.table(columns), tmp_path / "a.spacy")
    assert not list(tmp_path.iterdir())


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.spacy"
    DocBin(docs=[document(["a"], [])]).to_disk(path)
    whole = path.read_bytes()
    for content in (
        b"",
        b'{"text": "a"}\n',
        whole[: len(whole) // 2],
        zlib.compress(b"\xc1"),
        zlib.compress(srsly.msgpack_dumps({"attrs": [65]})),
        zlib.compress(srsly.msgpack_dumps([1])),
    ):
        path.write_bytes(content)
        with pytest.raises(FormatError, match=r"a\.spacy: not a DocBin of spaCy, or a damaged one"):
            io.read(path)
    with pytest.raises(FileNotFoundError):
        io.read(tmp_path / "none.spacy")


def test_nothing_that_users_attached_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doc = document(["a"], [])
    doc.user_data["key"] = "value"
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "a.spacy")
    read: list[bytes] = []
    load = srsly.msgpack_loads

    def noted(data: bytes, **how: Any) -> Any:
        read.append(data)
        return load(data, **how)

    monkeypatch.setattr(srsly, "msgpack_loads", noted)
    assert io.read(tmp_path / "a.spacy").num_rows == 1
    assert not [data for data in read if b"value" in data and b"attrs" not in data]


def test_projection_of_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    source: list[Any] = [(["Angela", "visited", "Madrid"], [(0, 1, "PER"), (2, 3, "LOC")]), (["a"], [])]
    io.write(table_of(source), tmp_path / "en.spacy")
    (tmp_path / "de.txt").write_text("Angela besuchte Madrid\nein\n")
    (tmp_path / "links.pharaoh").write_text("0-0 1-1 2-2\n0-0\n")
    files = ("--source", "en.spacy", "--target", "de.txt", "--links", "links.pharaoh")
    done(xner("project", *files, "-o", "de.spacy", cwd=tmp_path))
    assert entities(io.read(tmp_path / "de.spacy")) == [[(0, 1, "PER"), (2, 3, "LOC")], []]
    # Rows that a filter drops are no training data.
    (tmp_path / "links.pharaoh").write_text("0-0 1-1 2-2\n\n")
    io.write(table_of([source[0], (["a"], [(0, 1, "X")])]), tmp_path / "en.spacy")
    run = done(xner("project", *files, "--filter", "class-counts:row", "-o", "de.spacy", cwd=tmp_path))
    assert "1 of 2 rows left out of de.spacy" in run.stderr
    assert io.read(tmp_path / "de.spacy")["tokens"].to_pylist() == [["Angela", "besuchte", "Madrid"]]
    shown = done(xner("inspect", "de.spacy", cwd=tmp_path)).stdout
    assert "de.spacy: docbin" in shown
