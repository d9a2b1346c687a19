"""Labels to entities and back."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import LABELS, many
from strategies import labels as tags
from xner import schema
from xner._support.arrow import pylist
from xner.errors import DataError, Error
from xner.labels import decode, decode_batch, encode, encode_batch

Entity = tuple[int, int, str]


@st.composite
def disjoint(draw: st.DrawFn) -> tuple[list[Entity], int]:
    """Disjoint entities, often adjacent, left to right, and a number of words."""
    position = 0
    entities = []
    for gap, words, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(LABELS)), max_size=5)
    ):
        start = position + gap
        position = start + words
        entities.append((start, position, label))
    return entities, position + draw(st.integers(0, 2))


def as_iob1(entities: list[Entity], length: int) -> list[str]:
    result = ["O"] * length
    for start, end, label in entities:
        adjacent = start > 0 and result[start - 1][2:] == label
        result[start:end] = [f"{'B' if adjacent else 'I'}-{label}"] + [f"I-{label}"] * (end - start - 1)
    return result


def as_bioes(entities: list[Entity], length: int) -> list[str]:
    result = ["O"] * length
    for start, end, label in entities:
        prefixes = "S" if end - start == 1 else "B" + "I" * (end - start - 2) + "E"
        result[start:end] = [f"{prefix}-{label}" for prefix in prefixes]
    return result


WRITERS = {"IOB1": as_iob1, "IOB2": encode, "BIOES": as_bioes}


@many(5)
@given(sentence=disjoint(), scheme=st.sampled_from(sorted(WRITERS)))
def test_every_scheme_reads_back(sentence: tuple[list[Entity], int], scheme: Any) -> None:
    entities, length = sentence
    written = WRITERS[scheme](entities, length)
    assert len(written) == length
    for mode in ("lenient", "strict", "validate"):
        assert decode(written, scheme=scheme, reading=mode) == entities


@many(5)
@given(labels=tags, scheme=st.sampled_from(sorted(WRITERS)))
def test_any_labels_read_as_something(labels: list[str], scheme: Any) -> None:
    lenient = decode(labels, scheme=scheme)
    ends = [0, *(end for _, end, _ in lenient)]
    assert all(end <= start for end, (start, _, _) in zip(ends, lenient, strict=False))
    inside = {word for start, end, _ in lenient for word in range(start, end)}
    assert inside == {word for word, tag in enumerate(labels) if tag != "O"}
    rewritten = encode(lenient, len(labels))
    assert decode(rewritten, reading="validate") == lenient
    try:
        valid = decode(labels, scheme=scheme, reading="validate")
    except DataError as error:
        where = (error.row, error.column)
        assert where == (-1, "labels")
        return
    assert valid == lenient == decode(labels, scheme=scheme, reading="strict")
    assert WRITERS[scheme](valid, len(labels)) == labels


@many(2)
@given(rows=st.lists(st.none() | tags, max_size=6), threads=st.sampled_from([1, 2, 3, 7]))
def test_batches_equal_single_sentences(rows: list[list[str] | None], threads: int) -> None:
    expected = [[] if row is None else decode(row) for row in rows]
    for kind in (pa.list_(pa.string()), pa.large_list(pa.large_string()), pa.list_(pa.large_string())):
        array = pa.array([["B-X"], *rows, ["O"]], kind)[1:-1]
        decoded = decode_batch(array, threads=threads)
        assert decoded.type == schema.SOURCE_ENTITIES_TYPE
        assert [[tuple(item.values()) for item in row] for row in pylist(decoded)] == expected
        encoded = encode_batch(decoded, array, threads=threads)
        assert encoded.type == schema.WORDS_TYPE
        assert encoded.to_pylist() == [
            encode(entities, len(row or [])) for entities, row in zip(expected, rows, strict=True)
        ]


def test_large_batches_do_not_depend_on_threads() -> None:
    rows = [["B-X", "I-X", "O"] * (row % 5) for row in range(20_000)]
    array: Any = pa.array(rows, schema.WORDS_TYPE)
    decoded = decode_batch(array, threads=1)
    encoded = encode_batch(decoded, array, threads=1)
    assert encoded.equals(array)
    for threads in (2, 3, 7):
        assert decode_batch(array, threads=threads).equals(decoded)
        assert encode_batch(decoded, array, threads=threads).equals(encoded)


def test_dictionary_labels() -> None:
    words = pa.array(["B-X", "I-X", "O", "B-X"]).dictionary_encode()
    array = pa.ListArray.from_arrays(pa.array([0, 3, 4], pa.int32()), words)
    assert decode_batch(array).to_pylist() == [
        [{"start": 0, "end": 2, "label": "X"}],
        [{"start": 0, "end": 1, "label": "X"}],
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["I-PER", "I-PER"], [(0, 2, "PER")]),
        (["I-PER", "I-LOC"], [(0, 1, "PER"), (1, 2, "LOC")]),
        (["I-PER", "B-PER"], [(0, 1, "PER"), (1, 2, "PER")]),
        (["B-PER", "I-LOC"], [(0, 1, "PER"), (1, 2, "LOC")]),
        (["B-PER", "O", "I-PER"], [(0, 1, "PER"), (2, 3, "PER")]),
        (["E-PER", "E-PER"], [(0, 1, "PER"), (1, 2, "PER")]),
        (["S-PER", "I-PER"], [(0, 1, "PER"), (1, 2, "PER")]),
        (["B-PER-X", "I-PER-X"], [(0, 2, "PER-X")]),
        (["PER", "PER", "O", "LOC"], [(0, 2, "PER"), (3, 4, "LOC")]),
        # A class without a prefix is not read by its first letter.
        (["ORG", "O", "EVENT", "EVENT", "BIZ"], [(0, 1, "ORG"), (2, 4, "EVENT"), (4, 5, "BIZ")]),
        (["B", "I", "O", "B", "B"], [(0, 2, "_"), (3, 4, "_"), (4, 5, "_")]),
        (["B-", "I-"], [(0, 2, "_")]),
        ([], []),
        (["O"], []),
    ],
)
def test_lenient_reading(labels: list[str], expected: list[Entity]) -> None:
    assert decode(labels) == expected


@pytest.mark.parametrize(
    ("labels", "scheme", "expected"),
    [
        (["I-X", "B-X"], "IOB2", [(1, 2, "X")]),
        (["B-X", "I-Y"], "IOB2", [(0, 1, "X")]),
        (["B-X", "I-X", "B-X"], "IOB2", [(0, 2, "X"), (2, 3, "X")]),
        (["I-X", "B-X"], "IOB1", [(0, 1, "X"), (1, 2, "X")]),
        (["I-X", "I-Y"], "IOB1", [(0, 1, "X"), (1, 2, "Y")]),
        (["B-X", "E-X", "S-Y"], "BIOES", [(0, 2, "X"), (2, 3, "Y")]),
        (["B-X", "I-X"], "BIOES", []),
        (["B-X", "E-Y"], "BIOES", []),
        (["I-X", "E-X"], "BIOES", []),
    ],
)
def test_strict_reading(labels: list[str], scheme: Any, expected: list[Entity]) -> None:
    assert decode(labels, scheme=scheme, reading="strict") == expected


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ("OO", {}, "labels='OO': expected a sequence of words, not one string"),
        ([None], {}, "column 'labels', value None: word 0 is not a string"),
        (
            ["O", ""],
            {},
            ("column 'labels', value '' at word 1: the label is empty; a word outside any entity has the label O"),
        ),
        (["O"], {"scheme": "XYZ"}, "scheme='XYZ': expected one of 'IOB1', 'IOB2', 'BIOES'"),
        (["O"], {"reading": "loose"}, "reading='loose': expected one of 'lenient', 'strict', 'validate'"),
        (
            ["PER"],
            {"reading": "strict"},
            "column 'labels', value 'PER' at word 0: an IOB2 label is O or one of B-CLASS, I-CLASS",
        ),
        (
            ["\0-PER"],
            {"reading": "strict"},
            "column 'labels', value '\0-PER' at word 0: an IOB2 label is O or one of B-CLASS, I-CLASS",
        ),
        (
            ["E-X"],
            {"reading": "strict", "scheme": "IOB1"},
            "column 'labels', value 'E-X' at word 0: an IOB1 label is O or one of B-CLASS, I-CLASS",
        ),
        (
            ["X-X"],
            {"reading": "strict", "scheme": "BIOES"},
            (
                "column 'labels', value 'X-X' at word 0: an BIOES label is O or one of B-CLASS, I-CLASS, "
                "E-CLASS, S-CLASS"
            ),
        ),
        (["B-"], {"reading": "strict"}, "column 'labels', value 'B-' at word 0: the label has no class"),
        (
            ["O", "I-X"],
            {"reading": "validate"},
            (
                "column 'labels', value 'I-X' at word 1: in IOB2, I- follows B- or I- of the same class; is "
                "this file IOB1?"
            ),
        ),
        (
            ["B-X", "I-Y"],
            {"reading": "validate"},
            (
                "column 'labels', value 'I-Y' at word 1: in IOB2, I- follows B- or I- of the same class; is "
                "this file IOB1?"
            ),
        ),
        (
            ["B-X"],
            {"reading": "validate", "scheme": "IOB1"},
            (
                "column 'labels', value 'B-X' at word 0: in IOB1, B- stands only directly after an entity of "
                "the same class"
            ),
        ),
        (
            ["O", "B-X"],
            {"reading": "validate", "scheme": "BIOES"},
            ("column 'labels', value 'B-X' at word 1: in BIOES, B- and I- are followed by I- or E- of the same class"),
        ),
        (
            ["E-X"],
            {"reading": "validate", "scheme": "BIOES"},
            "column 'labels', value 'E-X' at word 0: in BIOES, I- and E- follow B- or I- of the same class",
        ),
    ],
)
def test_bad_labels(labels: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        decode(labels, **options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("entities", "length", "message"),
    [
        (
            [(0, 3, "X")],
            2,
            "column 'entities', value [0, 3): the span is outside the sentence, which has 2 words",
        ),
        (
            [(-1, 1, "X")],
            2,
            "column 'entities', value [-1, 1): the span is outside the sentence, which has 2 words",
        ),
        (
            [(1, 1, "X")],
            2,
            "column 'entities', value [1, 1): the span is outside the sentence, which has 2 words",
        ),
        ([(0, 1, "")], 2, "column 'entities', value [0, 1): the entity has no label"),
        (
            [(1, 2, "X"), (0, 2, "Y")],
            2,
            "column 'entities', value [0, 2): the span overlaps another entity of the sentence",
        ),
    ],
)
def test_bad_entities(entities: list[Entity], length: int, message: str) -> None:
    with pytest.raises(DataError) as error:
        encode(entities, length)
    assert str(error.value) == message
    rows = [[], [{"start": start, "end": end, "label": label} for start, end, label in entities]]
    with pytest.raises(DataError) as error:
        encode_batch(pa.array(rows, schema.SOURCE_ENTITIES_TYPE), pa.array([[], ["a"] * length]))
    # Batches are checked from left to right, so of two overlapping spans the later one is named.
    assert error.value.row == 1
    assert str(error.value).startswith("row 1, column 'entities', value [")
    assert str(error.value).endswith(message.rpartition(": ")[2])


def test_bad_length() -> None:
    with pytest.raises(Error, match=r"^length=-1: expected a whole number from 0 to 2147483647$"):
        encode([], -1)


def test_nulls_among_entities() -> None:
    good = {"start": 0, "end": 1, "label": "X"}
    for bad in (None, {**good, "start": None}, {**good, "end": None}, {**good, "label": None}):
        entities = pa.array([[good], [bad]], schema.SOURCE_ENTITIES_TYPE)
        with pytest.raises(DataError) as error:
            encode_batch(entities, pa.array([["a"], ["a"]]))
        assert str(error.value) == "row 1, column 'entities', value null: a null stands where a value is needed"
    assert encode_batch(pa.array([None], schema.SOURCE_ENTITIES_TYPE), pa.array([["a"]])).to_pylist() == [["O"]]


def test_rows_in_errors() -> None:
    array = pa.array([["O"]] * 5000 + [["O", "I-X"]] + [["I-X"]] * 5000)
    for threads in (1, 3):
        with pytest.raises(DataError) as error:
            decode_batch(array, reading="validate", column="gold_labels", threads=threads)
        assert str(error.value) == (
            "row 5000, column 'gold_labels', value 'I-X' at word 1: in IOB2, I- follows B- or I- of the "
            "same class; "
            "is this file IOB1?"
        )
    with pytest.raises(DataError, match=r"^row 1, column 'labels', value '' at word 0: the label is empty"):
        decode_batch(pa.array([["O"], [None]]))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (5, "column 'labels', value 5: expected a sequence of sentences, each a list of words"),
        (pa.array(["O"]), "column 'labels', value string: expected an Arrow array of lists of strings"),
        (pa.array([[1]]), "column 'labels', value list<item: int64>: expected an Arrow array of lists of strings"),
        ([["O"], ["O", 1]], "row 1, column 'labels', value 1: expected a word (str), found int"),
    ],
)
def test_bad_label_arrays(array: Any, message: str) -> None:
    with pytest.raises(Error) as error:
        decode_batch(array)
    assert str(error.value) == message


def test_bad_entity_arrays() -> None:
    words = pa.array([["a"]])
    with pytest.raises(Error, match=r"^column 'entities' has 0 rows, column 'tokens' 1$"):
        encode_batch(pa.array([], schema.SOURCE_ENTITIES_TYPE), words)
    with pytest.raises(Error, match=r"^column 'entities': expected list<.*>, found list<.*> \(no field end, label\)$"):
        encode_batch(pa.array([[{"start": 0}]]), words)
    with pytest.raises(Error, match=r"^column 'entities': expected list<.*>, found list<.*> \(Float value 0.5"):
        encode_batch(pa.array([[{"start": 0.5, "end": 1, "label": "X"}]]), words)
    with pytest.raises(Error, match=r"^column 'entities': expected list<.*>, found int64 "):
        encode_batch(pa.array([1]), words)
    with pytest.raises(DataError, match=r"^row 1, column 'entities', value \(0, 1\): expected \(start, end, label\)$"):
        encode_batch([[], [(0, 1)]], words)
    with pytest.raises(DataError, match=r"^column 'entities', value 'X': expected the entities of each sentence$"):
        encode_batch("X", words)
