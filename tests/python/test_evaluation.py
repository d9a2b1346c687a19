from __future__ import annotations

import itertools
import json
import random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms import word_columns
from reference import evaluation as slow
from reference import labels as slow_labels
from xner import evaluation, io
from xner.errors import DataError, Error
from xner.evaluation import analyse, bootstrap, evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xner.evaluation.entities import Mode

Labels = list[list[str]]

LENIENT_TAGS = [
    "O",
    "B-PER",
    "I-PER",
    "E-PER",
    "S-PER",
    "B-LOC",
    "I-LOC",
    "B-LOC-GPE",
    "I-LOC-GPE",
    "B-per",
    "B",
    "I",
    "E",
    "S",
    "B-",
    "I-é",
]
STRICT_TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-LOC-GPE", "I-LOC-GPE", "B-per", "I-é"]


def pairs(tags: list[str]) -> st.SearchStrategy[tuple[Labels, Labels]]:
    """Gold and predicted labels of the same sentences; one label in four is another."""
    tag = st.sampled_from(tags)

    @st.composite
    def draw_pair(draw: st.DrawFn) -> tuple[Labels, Labels]:
        gold = draw(st.lists(st.lists(tag, max_size=8), min_size=1, max_size=6))
        changed = [[draw(tag) if draw(st.integers(0, 3)) == 0 else label for label in row] for row in gold]
        return gold, changed

    return draw_pair()


@pytest.mark.needs("test")
def test_the_slow_reading_is_that_of_seqeval() -> None:
    from seqeval.metrics.sequence_labeling import get_entities
    from seqeval.scheme import IOB1, IOB2, IOBES, Tokens

    lenient = ["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "B", "I", "I-A-B"]
    for length in range(4):
        for tags in itertools.product(lenient, repeat=length):
            expected = [(start, end + 1, label) for label, start, end in get_entities(list(tags))]
            assert slow_labels.decode(tags) == expected
    strict = ["O", "B-A", "I-A", "B-B", "I-B", "I-A-B"]
    for (scheme, oracle), length in itertools.product((("IOB1", IOB1), ("IOB2", IOB2), ("BIOES", IOBES)), range(5)):
        tags_of_scheme = [*strict, "E-A", "S-A"] if scheme == "BIOES" else strict
        for tags in itertools.product(tags_of_scheme, repeat=length):
            entities = [(entity.start, entity.end, entity.tag) for entity in Tokens(list(tags), oracle).entities]
            assert slow_labels.decode(tags, scheme, "strict") == entities, (scheme, tags)


def check_against_slow_counts(gold: Labels, predicted: Labels, mode: Mode, ignore: Sequence[str]) -> evaluation.Scores:
    scores = evaluate(gold, predicted, mode=mode, ignore=ignore)
    rows = [slow.sentence_counts(*row, mode, ignore) for row in zip(gold, predicted, strict=True)]
    total = slow.add(rows)
    assert {name: (one.tp, one.fp, one.fn) for name, one in scores.per_class.items()} == total
    assert scores.classes == tuple(sorted(total))
    for row, one in enumerate(rows):
        for index, name in enumerate(scores.classes):
            counts = (scores.tp[row, index], scores.fp[row, index], scores.fn[row, index])
            assert counts == one.get(name, (0, 0, 0))
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx(slow.micro(total), abs=1e-12)
    assert scores.projection_ratio == pytest.approx(slow.projection_ratio(rows))
    return scores


@given(pair=pairs(LENIENT_TAGS), ignore=st.sampled_from([(), ("LOC",), ("PER", "LOC-GPE"), ("none",)]))
def test_lenient_equals_slow_counts(pair: tuple[Labels, Labels], ignore: tuple[str, ...]) -> None:
    check_against_slow_counts(*pair, "lenient", ignore)


@given(pair=pairs(STRICT_TAGS), ignore=st.sampled_from([(), ("LOC",)]))
def test_strict_equals_slow_counts(pair: tuple[Labels, Labels], ignore: tuple[str, ...]) -> None:
    check_against_slow_counts(*pair, "strict", ignore)


def check_against_seqeval(scores: evaluation.Scores, gold: Labels, predicted: Labels, mode: Mode = "lenient") -> None:
    from seqeval.metrics import f1_score, precision_score, recall_score
    from seqeval.scheme import IOB2

    options: dict[str, Any] = {"mode": "strict", "scheme": IOB2} if mode == "strict" else {}
    for function, name in ((precision_score, "precision"), (recall_score, "recall"), (f1_score, "f1")):
        micro = function(gold, predicted, average="micro", zero_division=0, **options)
        assert getattr(scores, name) == pytest.approx(micro, abs=1e-12)
        per_class = function(gold, predicted, average=None, zero_division=0, **options)
        ours = [getattr(one, name) for one in scores.per_class.values()]
        assert ours == pytest.approx(list(per_class), abs=1e-12)
        if scores.classes:
            macro = function(gold, predicted, average="macro", zero_division=0, **options)
            assert getattr(scores.macro, name) == pytest.approx(macro, abs=1e-12)


@pytest.mark.needs("test")
@given(pair=pairs(LENIENT_TAGS))
def test_lenient_equals_seqeval(pair: tuple[Labels, Labels]) -> None:
    check_against_seqeval(evaluate(*pair), *pair)


@pytest.mark.needs("test")
@given(pair=pairs(STRICT_TAGS))
def test_strict_equals_seqeval(pair: tuple[Labels, Labels]) -> None:
    check_against_seqeval(evaluate(*pair, mode="strict"), *pair, "strict")


@pytest.mark.parametrize(
    ("gold", "predicted", "lenient", "strict"),
    [
        # An I- after O opens an entity in the lenient reading alone.
        (["O", "I-PER"], ["O", "B-PER"], (1, 0, 0), (0, 1, 0)),
        # A change of class opens one, too; the strict reading ends the first and leaves the rest out.
        (["B-PER", "I-LOC"], ["B-PER", "B-LOC"], (2, 0, 0), (1, 1, 0)),
        (["B-PER", "B-PER"], ["B-PER", "I-PER"], (0, 1, 2), (0, 1, 2)),
        (["B-LOC-GPE", "I-LOC-GPE"], ["B-LOC", "I-LOC"], (0, 1, 1), (0, 1, 1)),
        (["O", "O"], ["O", "O"], (0, 0, 0), (0, 0, 0)),
    ],
)
def test_readings(gold: list[str], predicted: list[str], lenient: tuple[int, ...], strict: tuple[int, ...]) -> None:
    one = evaluate([gold], [predicted]).micro
    assert (one.tp, one.fp, one.fn) == lenient
    one = evaluate([gold], [predicted], mode="strict").micro
    assert (one.tp, one.fp, one.fn) == strict


GOLD = [["B-PER", "I-PER", "O", "B-LOC"], ["O"], [], ["B-ORG", "O"], ["O", "O"]]
PREDICTED = [["B-PER", "I-PER", "O", "B-ORG"], ["O"], [], ["O", "O"], ["B-LOC", "B-LOC"]]


def test_figures() -> None:
    scores = evaluate(GOLD, PREDICTED)
    assert scores.classes == ("LOC", "ORG", "PER")
    assert (scores.precision, scores.recall, scores.support, scores.sentences) == (1 / 4, 1 / 3, 3, 5)
    assert scores.f1 == pytest.approx(2 / 7)
    assert (scores.per_class["PER"].f1, scores.per_class["LOC"].f1, scores.per_class["LOC"].support) == (
        1.0,
        0.0,
        1,
    )
    assert scores.macro.f1 == pytest.approx(1 / 3)
    assert scores.projection_ratio == pytest.approx((2 / 2 + 1 + 1 + 0 / 1 + 2 / 1) / 5)
    assert scores.fp.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [2, 0, 0]]
    assert scores.signature == "xner:0.1.0|mode:lenient|ignore:none|average:micro|n:5"
    ignored = evaluate(GOLD, PREDICTED, mode="strict", ignore=["LOC", "DATE"])
    assert ignored.classes == ("ORG", "PER")
    assert ignored.signature == "xner:0.1.0|mode:strict|ignore:DATE,LOC|average:micro|n:5"


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.floats(0.1, 5))
def test_f_beta_is_the_weighted_harmonic_mean(tp: int, fp: int, fn: int, beta: float) -> None:
    counts = evaluation.ClassScores(tp, fp, fn)
    assert counts.f_beta(1) == pytest.approx(counts.f1)
    below = beta**2 * counts.precision + counts.recall
    expected = (1 + beta**2) * counts.precision * counts.recall / below if below else 0.0
    assert counts.f_beta(beta) == pytest.approx(expected)


def test_the_table_and_the_plain_values() -> None:
    scores = evaluate(GOLD, PREDICTED)
    assert scores.table().split("\n") == [
        "       precision  recall     F1  support",
        "LOC        0.000   0.000  0.000        1",
        "ORG        0.000   0.000  0.000        1",
        "PER        1.000   1.000  1.000        1",
        "micro      0.250   0.333  0.286        3",
        "macro      0.333   0.333  0.333        3",
        (
            "projection ratio 1.000 (mean over sentences, 1 for one without entities); 4 entities predicted, "
            "3 gold ones (1.333)"
        ),
        "xner:0.1.0|mode:lenient|ignore:none|average:micro|n:5",
    ]
    nothing = evaluate(GOLD, [["O"] * len(row) for row in GOLD])
    assert "0 entities predicted, 3 gold ones (0.000)\nno entity was predicted at all\n" in nothing.table()
    assert evaluate([["O"]], [["B-X"]]).entity_ratio == float("inf")
    assert "F1, 90 % interval" in scores.table(bootstrap(scores, samples=10, confidence=0.9))
    plain = scores.to_dict()
    assert json.loads(scores.to_json()) == plain
    assert plain["micro"]["support"] == 3
    assert plain["per_class"]["PER"] == {
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "support": 1,
        "tp": 1,
        "fp": 0,
        "fn": 0,
    }


@pytest.mark.parametrize("labels", [[], [[]], [["O"], []]])
def test_nothing_to_find(labels: Labels) -> None:
    scores = evaluate(labels, labels)
    assert (scores.precision, scores.recall, scores.f1, scores.support, scores.projection_ratio) == (
        0,
        0,
        0,
        0,
        1,
    )
    assert (scores.macro.f1, scores.per_class, scores.sentences) == (0, {}, len(labels))
    assert scores.table()


@given(pair=pairs(LENIENT_TAGS), data=st.data())
def test_all_forms_of_input_give_the_same(pair: tuple[Labels, Labels], data: st.DataObject) -> None:
    expected = evaluate(*pair)
    found = evaluate(*[data.draw(word_columns(side)) for side in pair])
    assert found.to_dict() == expected.to_dict()
    assert (found.tp == expected.tp).all()
    assert analyse(*[data.draw(word_columns(side)) for side in pair]) == analyse(*pair)


@pytest.mark.parametrize("mode", ["lenient", "strict"])
@pytest.mark.parametrize("tag", ["O-PER", "PER", "b-PER", "o", "U-PER", "L-PER", "BPER", "-PER", "", " B-PER", "."])
def test_what_is_not_a_tag(tag: str, mode: Mode) -> None:
    expected = "B- I- E- S-" if mode == "lenient" else "B- I-"
    reason = f"not a tag: expected O, or one of {expected} and a class (mode '{mode}')"
    if tag and tag == tag.strip():
        reason += "; `xner.labels.read_tags` makes such of other spellings: L-PER, PER-B, b-per"
    with pytest.raises(DataError) as caught:
        evaluate([["O"], [], ["O", "O"]], [["O"], [], ["O", tag]], mode=mode)
    assert str(caught.value) == f"row 2, column 'predicted_labels', value '{tag}': {reason}"
    with pytest.raises(DataError, match="row 0, column 'gold_labels'"):
        evaluate([[tag]], [["O"]], mode=mode)


@pytest.mark.parametrize("tag", ["E-PER", "S-PER", "B", "I-"])
def test_what_is_not_a_tag_in_the_strict_mode_alone(tag: str) -> None:
    assert evaluate([[tag]], [[tag]]).f1 == 1
    with pytest.raises(DataError, match=rf"row 0, column 'gold_labels', value '{tag}': not a tag"):
        evaluate([[tag]], [[tag]], mode="strict")


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([["O"]], [["O"], ["O"]], "gold_labels has 1 sentences but predicted_labels has 2"),
        (
            [["O"], ["O"]],
            [["O"], ["O", "O"]],
            "row 1, column 'predicted_labels', value 2 labels: gold_labels has 1 in this row",
        ),
        (
            ["O", "B-PER"],
            [["O"]],
            "row 0, column 'gold_labels', value 'O': expected a list of words, found str; a single sentence goes",
        ),
        ([["O"]], "O", "column 'predicted_labels', value 'O': expected a sequence of sentences, each a list of words"),
        ([["O"], "O"], [["O"]], "row 1, column 'gold_labels', value 'O': expected a list of words, found str$"),
        ([["O"], [1]], [["O"]], r"row 1, column 'gold_labels', value 1: expected a word \(str\), found int"),
        ([["O"], 5], [["O"]], "row 1, column 'gold_labels', value 5: expected a list of words, found int"),
        (
            [["O"], {"O": 1}],
            [["O"]],
            "row 1, column 'gold_labels', value {'O': 1}: expected a list of words, found",
        ),
        (
            [["O"], None],
            [["O"], []],
            "row 1, column 'gold_labels', value null: a sentence without labels cannot be scored",
        ),
        ([["O", None]], [["O", "O"]], "row 0, column 'gold_labels', value null: not a tag"),
        ([["B-PER "]], [["O"]], "row 0, column 'gold_labels', value 'B-PER ': not a tag"),
        ([["L-PER"]], [["O"]], "value 'L-PER': not a tag: .*; `xner.labels.read_tags` makes such of other spellings"),
        (pa.array([1]), [["O"]], "column 'gold_labels', value int64: expected an Arrow array of lists of strings"),
        (pa.array([[1]]), [["1"]], "column 'gold_labels', value list<item: int64>: expected an Arrow array of lists"),
    ],
)
def test_bad_input(gold: Any, predicted: Any, message: str) -> None:
    with pytest.raises(Error, match=message):
        evaluate(gold, predicted)


def test_bad_options() -> None:
    with pytest.raises(Error, match="mode='loose': expected one of 'lenient', 'strict'"):
        evaluate([["O"]], [["O"]], mode="loose")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(Error, match=r"ignore='MISC': expected a sequence of classes, not one string"):
        evaluate([["O"]], [["O"]], ignore="MISC")


@pytest.mark.needs("test")
@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_europarl_equals_seqeval(test_data: Path, mode: Mode) -> None:
    table = io.read(test_data / "europarl-ner/de-europarl.test.conll02")
    gold: Any = table["labels"].to_pylist()
    rng = random.Random(2)
    predicted = [[rng.choice([label, label, label, label, "O", "B-PER", "I-ORG"]) for label in row] for row in gold]
    scores = check_against_slow_counts(gold, predicted, mode, ())
    check_against_seqeval(scores, gold, predicted, mode)
