from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import DataError, Error, evaluate
from xner.evaluation import KINDS, analyse, pair_entities


def kinds(**counts: int) -> dict[str, int]:
    return dict.fromkeys(KINDS, 0) | {name.replace("_", " "): count for name, count in counts.items()}


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("B-PER I-PER O", "B-PER I-PER O", kinds()),
        ("B-PER I-PER O", "O O O", kinds(missed=1)),
        ("O O O", "O B-LOC O", kinds(spurious=1)),
        ("B-PER I-PER O", "B-PER O O", kinds(boundary=1)),
        ("B-PER I-PER O", "B-LOC I-LOC O", kinds(**{"class": 1})),
        ("B-PER I-PER O", "B-LOC O O", kinds(boundary_and_class=1)),
        # Two predictions in one gold entity: one is its partner, the other has none.
        ("B-PER I-PER I-PER", "B-PER B-PER I-PER", kinds(boundary=1, spurious=1)),
        ("B-PER O B-LOC", "O O B-PER", kinds(missed=1, **{"class": 1})),
    ],
)
def test_kinds_of_errors(gold: str, predicted: str, expected: dict[str, int]) -> None:
    assert analyse([gold.split()], [predicted.split()]).kinds == expected


def test_pairs_are_those_that_share_most() -> None:
    gold, predicted = [(0, 4, "A"), (4, 6, "B")], [(3, 5, "B"), (5, 6, "A"), (0, 3, "B")]
    assert pair_entities(gold, predicted) == [
        ((0, 4, "A"), (0, 3, "B")),
        ((4, 6, "B"), (3, 5, "B")),
        (None, (5, 6, "A")),
    ]


def test_the_table_of_confusions() -> None:
    found = analyse(
        [["B-PER", "I-PER", "O", "B-LOC", "O"], ["B-ORG"]], [["B-PER", "I-PER", "O", "B-ORG", "B-LOC"], ["O"]]
    )
    assert found.correct == 1
    assert found.table().splitlines() == [
        "gold \\ predicted  LOC  ORG  PER  missed",
        "LOC                 0    1    0       0",
        "ORG                 0    0    0       1",
        "PER                 0    0    1       0",
        "spurious            1    0    0",
    ]
    plain = found.to_dict()
    assert plain["errors"] == kinds(missed=1, spurious=1, **{"class": 1})
    assert plain["confusion"]["-"] == {"LOC": 1, "ORG": 0, "PER": 0, "-": 0}


label = st.sampled_from(["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"])
sentences = st.lists(st.integers(0, 8), max_size=4).flatmap(
    lambda lengths: st.tuples(*[st.tuples(*[st.lists(label, min_size=n, max_size=n) for n in lengths])] * 2)
)


@given(sentences, st.sampled_from([(), ("PER",)]))
def test_errors_add_up_to_what_evaluation_counts(
    case: tuple[tuple[list[str], ...], tuple[list[str], ...]], ignore: tuple[str, ...]
) -> None:
    gold, predicted = case
    found = analyse(gold, predicted, ignore=ignore)
    scores = evaluate(list(gold), list(predicted), ignore=ignore)
    pairs = sum(found.kinds[name] for name in ("boundary", "class", "boundary and class"))
    assert found.correct == scores.micro.tp
    assert found.kinds["spurious"] + pairs == scores.micro.fp
    assert found.kinds["missed"] + pairs == scores.micro.fn
    assert sum(found.confusion.values()) == found.correct + sum(found.kinds.values())


spans = st.lists(st.integers(0, 12), max_size=8, unique=True).map(
    lambda cuts: [(a, b, "AB"[a % 2]) for a, b in itertools.pairwise(sorted(cuts))][::2]
)


@given(spans, spans)
def test_every_entity_is_in_one_pair(gold: list[tuple[int, int, str]], predicted: list[tuple[int, int, str]]) -> None:
    pairs = pair_entities(gold, predicted)
    assert sorted(one for one, _ in pairs if one) == gold
    assert sorted(other for _, other in pairs if other) == predicted
    assert all(one is None or other is None or (one[0] < other[1] and other[0] < one[1]) for one, other in pairs)


class TestBadInput:
    def test_numbers_of_sentences(self) -> None:
        with pytest.raises(Error, match="gold_labels has 1 sentences but predicted_labels has 0"):
            analyse([["O"]], [])

    def test_lengths(self) -> None:
        with pytest.raises(DataError, match=r"row 1.*predicted_labels.*2 labels.*gold_labels has 1 in this row"):
            analyse([[], ["O"]], [[], ["O", "O"]])
