"""What a column's tags are: spellings, schemes, classes, and columns that hold no labels."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import labels
from xner._support.arrow import pylist
from xner.errors import DataError, OptionError
from xner.labels.tags import read_tags, tell_tags

SPELLINGS = {
    "prefix": "{prefix}-{name}",
    "underscore": "{prefix}_{name}",
    "colon": "{prefix}:{name}",
    "suffix": "{name}-{prefix}",
    "suffix_underscore": "{name}_{prefix}",
    "lower": "{prefix}-{name}",
}
LETTERS = {
    "IOB2": {"B": "B", "I": "I", "E": "I", "S": "B"},
    "BIOES": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "BILOU": {"B": "B", "I": "I", "E": "L", "S": "U"},
    "BMEWO": {"B": "B", "I": "M", "E": "E", "S": "W"},
}


@st.composite
def sentences(draw: st.DrawFn) -> list[list[tuple[int, int, str]]]:
    """The entities of some sentences of twelve words; neighbours touch now and then."""
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        ends = sorted(draw(st.sets(st.integers(0, 12), max_size=8)))
        rows.append(
            [
                (start, end, draw(st.sampled_from(["PER", "art-music"])))
                for start, end in pairwise(ends)
                if draw(st.booleans())
            ]
        )
    return rows


def spelled(entities: list[tuple[int, int, str]], scheme: str, spelling: str) -> list[str]:
    tags = ["O"] * 12
    for start, end, name in entities:
        for word in range(start, end):
            place = "S" if end - start == 1 else "B" if word == start else "E" if word == end - 1 else "I"
            letter = LETTERS[scheme][place]
            letter = letter.lower() if spelling == "lower" else letter
            tags[word] = SPELLINGS[spelling].format(prefix=letter, name=name)
    return [tag.replace("O", "o") for tag in tags] if spelling == "lower" else tags


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("scheme", LETTERS)
@given(rows=sentences())
def test_every_scheme_in_every_spelling_reads_alike(
    scheme: str, spelling: str, rows: list[list[tuple[int, int, str]]]
) -> None:
    rows = [*rows, [(0, 3, "PER")]]  # some tag that tells the spelling
    column = [spelled(row, scheme, spelling) for row in rows]
    found = pylist(labels.decode_batch(column))
    assert [[(one["start"], one["end"], one["label"]) for one in row] for row in found] == rows
    canonical, tags = read_tags(column, only_tags=True)
    assert set(tags.classes) == {name for row in rows for *_, name in row}
    assert labels.decode_batch(canonical).to_pylist() == found


@pytest.mark.parametrize(
    ("tags", "entities", "shown"),
    [
        (["U-LOC", "U-LOC"], [(0, 1, "LOC"), (1, 2, "LOC")], "BILOU: LOC"),
        (["B-P", "L-P", "B-P", "L-P"], [(0, 2, "P"), (2, 4, "P")], "BILOU: P"),
        (["B-P", "M-P", "E-P", "W-P", "W-P"], [(0, 3, "P"), (3, 4, "P"), (4, 5, "P")], "BMEWO: P"),
        (["O", "PER-B", "PER-I"], [(1, 3, "PER")], "IOB2 spelled as PER-B: PER"),
        (["O", "B:PER", "I:PER"], [(1, 3, "PER")], "IOB2 spelled as B:PER: PER"),
        (["PER", "PER", "O", "LOC"], [(0, 2, "PER"), (3, 4, "LOC")], "plain: LOC, PER"),
        (["O", "art-music", "art-music"], [(1, 3, "art-music")], "plain: art-music"),
        (["B", "I", "O"], [(0, 2, "_")], "IOB2 spelled as B: _"),
        (["b-per", "i-per", "o"], [(0, 2, "per")], "IOB2: per"),
        (["e-mail", "O", "s-bahn"], [(0, 1, "e-mail"), (2, 3, "s-bahn")], "plain: e-mail, s-bahn"),
        (["B-O", "I-O", "B-PER"], [(2, 3, "PER")], "IOB2: PER"),
        (["O", "I-PER", "I-PER", "B-PER"], [(1, 3, "PER"), (3, 4, "PER")], "IOB1: PER"),
        (["O", "O"], [], "none: no entities"),
        (
            ["(PER*", "*", "*)", "*", "(GPE)", "(ORG*)"],
            [(0, 3, "PER"), (4, 5, "GPE"), (5, 6, "ORG")],
            "brackets: GPE, ORG, PER",
        ),
    ],
)
def test_one_sentence(tags: list[str], entities: list[tuple[int, int, str]], shown: str) -> None:
    assert labels.decode(tags) == entities
    assert [tuple(one.values()) for one in pylist(labels.decode_batch([tags]))[0]] == entities
    assert str(read_tags([tags], only_tags=False)[1]) == shown


@pytest.mark.parametrize(
    ("rows", "row", "message"),
    [
        ([["O", "B-PER"], ["O", '"']], 1, "value '\"': no label: neither O nor a prefix and a class, as 'B-PER' is"),
        ([["_", "_"]], 0, "value '_': no label: no class has such a name"),
        ([["-", "user1"]], 0, "value '-'"),
        ([["1", "2"]], 0, "value '1'"),
        ([["NOUN", "VERB"]], 0, "no word has O"),
        ([["O", *(f"name{number}" for number in range(20))]], 0, "20 classes are too many for 21 words"),
    ],
)
def test_columns_of_something_else_are_refused(rows: list[list[str]], row: int, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_tags(rows, "labels", only_tags=True)
    assert caught.value.row == row
    assert message in str(caught.value)
    read_tags(rows)  # where nobody says that they are labels


def test_classes_are_renamed() -> None:
    rows, tags = read_tags(
        [["B-PERSON", "I-PERSON", "B-X"], None, []], class_map={"PERSON": "PER", "X": "O"}, only_tags=True
    )
    assert rows.to_pylist() == [["B-PER", "I-PER", "O"], None, []]
    assert tags.classes == ("PER",)
    with pytest.raises(OptionError, match="no class 'PERS' to rename; the classes are PER; did you mean 'PER'"):
        tell_tags(["B-PER"], class_map={"PERS": "X"})
    with pytest.raises(OptionError, match="'PER' cannot become ''"):
        tell_tags(["B-PER"], class_map={"PER": ""})


def test_layouts_of_columns_do_not_matter() -> None:
    rows = [["PER-B", "PER-I"], None, [], ["O"]]
    expected = [["B-PER", "I-PER"], None, [], ["O"]]
    plain = pa.array(rows, pa.list_(pa.string()))
    for column in (
        plain,
        pa.chunked_array([plain.slice(0, 1), plain.slice(1)]),
        plain.cast(pa.large_list(pa.large_string())),
        pa.array(rows, pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    ):
        assert read_tags(column)[0].to_pylist() == expected


@pytest.mark.parametrize(
    ("tags", "remark"),
    [
        (["O", "b-per", "i-per"], "the tags are in lower case; 'b-per' is read as 'B-per'"),
        (["O", "B", "I"], "the tags B, I have no class, which is read as '_'; `class_map=_=CLASS` gives it a name"),
    ],
)
def test_unusual_tags_are_read_and_said(tags: list[str], remark: str) -> None:
    assert list(tell_tags(tags).remarks()) == [remark]
    assert not list(tell_tags(["O", "B-PER"]).remarks())
    named = {"_": "PER"} if "B" in tags else {"per": "PER"}
    assert list(tell_tags(tags, class_map=named).canonical.values())[1:] == ["B-PER", "I-PER"]
