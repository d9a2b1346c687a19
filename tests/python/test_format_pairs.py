"""What is read from one format and written in another comes back: words, labels, ids and scores that both hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from io_strategies import classes, words
from xner import io, labels, schema
from xner.io.formats import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

WORDS_ALONE = {"text", "pharaoh"}
LABELLED = sorted(set(FORMATS.working()) - WORDS_ALONE - {"docbin"})
WITHOUT_IDS = {"inline", "docbin"}
SCORED = {"jsonl", "parquet", "arrow", "prodigy", "label-studio", "argilla"}
SPLIT = {"doccano", "prodigy", "spacy", "label-studio", "argilla"}
"""Formats of texts without words, which readers split."""

Sentence = tuple[list[str], list[tuple[int, int, str]]]

EXAMPLE: list[Sentence] = [
    (["Anna", "Kurz", "|", "kam", "."], [(0, 2, "PER"), (4, 5, "LOC-GPE")]),
    ([], []),
    (["O", "B-PER", "\u200b", "x\u0301", "東京", "😀"], [(1, 2, "é"), (2, 4, "PER"), (4, 5, "PER")]),
    (['"', "_", "-", "\\", "a<b>"], []),
]


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    """Words that every format can hold, and entities that share none."""
    plain = words.filter(lambda word: word.split() == [word] and not word.startswith("#"))
    tokens = draw(st.lists(plain, max_size=6))
    cuts = sorted(draw(st.sets(st.integers(0, len(tokens)), max_size=6)))
    names = draw(st.lists(st.none() | classes, min_size=len(cuts), max_size=len(cuts)))
    spans = zip(cuts, cuts[1:], names, strict=False)
    return tokens, [(start, end, name) for start, end, name in spans if name is not None]


def table_of(rows: list[Sentence]) -> pa.Table:
    entities = [
        [{"start": start, "end": end, "label": name, "score": end / 8} for start, end, name in spans]
        for _, spans in rows
    ]
    return pa.table(
        {
            "id": [f"s {number}" for number in range(len(rows))],
            "tokens": pa.array([tokens for tokens, _ in rows], schema.WORDS_TYPE),
            "labels": pa.array([labels.encode(spans, len(tokens)) for tokens, spans in rows], schema.WORDS_TYPE),
            "entities": pa.array(entities, schema.ENTITIES_TYPE),
        }
    )


def through(folder: Path, table: pa.Table, format: str) -> pa.Table:
    """What a format makes of a table."""
    path = folder / format
    io.write(table, path, format)
    options: dict[str, Any] = {"language": "blanks"} if format in SPLIT else {}
    return io.read(path, format, **options)


def check(folder: Path, rows: list[Sentence], first: str, second: str) -> None:
    table = table_of(rows)
    found = through(folder, through(folder, table, first), second)
    assert found["tokens"].to_pylist() == table["tokens"].to_pylist()
    assert found["labels"].to_pylist() == table["labels"].to_pylist()
    if not {first, second} & WITHOUT_IDS:
        assert found["id"].to_pylist() == table["id"].to_pylist()
    if schema.ENTITIES in found.schema.names:
        rows_found: Any = found["entities"].to_pylist()
        assert [[(one["start"], one["end"], one["label"]) for one in row] for row in rows_found] == [
            spans for _, spans in rows
        ]
        if {first, second} <= SCORED:
            assert [[one["score"] for one in row] for row in rows_found] == [
                [end / 8 for _, end, _ in spans] for _, spans in rows
            ]


@pytest.mark.parametrize("first", LABELLED)
def test_every_pair_holds_an_example(tmp_path: Path, first: str) -> None:
    for second in LABELLED:
        check(tmp_path, EXAMPLE, first, second)


@pytest.mark.needs("spacy")
@pytest.mark.parametrize("other", [*LABELLED, "docbin"])
def test_pairs_with_spacys_binary_files(tmp_path: Path, other: str) -> None:
    check(tmp_path, EXAMPLE, other, "docbin")
    check(tmp_path, EXAMPLE, "docbin", other)


@given(
    rows=st.lists(sentences(), min_size=1, max_size=4),
    first=st.sampled_from(LABELLED),
    second=st.sampled_from(LABELLED),
)
def test_pairs_hold_what_is_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Sentence], first: str, second: str
) -> None:
    check(tmp_path_factory.mktemp("pairs"), rows, first, second)
