"""NER scores: against the reference, against the published program's, and on bad input."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import ner_score as reference
from strategies import Tagged, many, tagged
from xner.errors import DataError, Error
from xner.projection.scores import ner, word_probabilities

if TYPE_CHECKING:
    from pathlib import Path


def all_spans(words: int) -> list[tuple[int, int]]:
    return [(start, end) for start in range(words) for end in range(start + 1, words + 1)]


@many(3)
@given(
    sentence=tagged(),
    alpha=st.sampled_from([0.5, 1.0, 1.15]),
    threshold=st.sampled_from([0.0, 0.05, 0.5]),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
)
def test_scores_are_the_reference(sentence: Tagged, alpha: float, threshold: float, dtype: Any) -> None:
    probabilities = np.array(sentence.probabilities, dtype).reshape(-1, len(sentence.labels))
    spans = all_spans(len(probabilities))
    options: dict[str, Any] = {"alpha": alpha, "threshold": threshold}
    rows = probabilities.astype(np.float64).tolist()
    found = ner(probabilities, sentence.labels, spans, **options)
    assert list(found) == list(dict.fromkeys(label[2:] for label in sentence.labels if label != "O"))
    for name, scores in found.items():
        expected = [reference.score(rows, sentence.labels, span, name, **options) for span in spans]
        assert scores == pytest.approx(expected, abs=1e-6)
    best = ner(probabilities, sentence.labels, np.array(spans, np.int64).reshape(-1, 2), spans_only=True, **options)
    assert best == pytest.approx(
        [reference.span_score(rows, sentence.labels, span, **options) for span in spans], abs=1e-6
    )


def golden_rows(folder: Path) -> list[dict[str, Any]]:
    with gzip.open(folder / "golden" / "ner_scores.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_golden(test_data: Path) -> None:
    """The recorded scores are those before the threshold."""
    rows = golden_rows(test_data)
    assert len(rows) == 200
    assert {row["temperature"] for row in rows} == {1.0, 2.0}
    for row in rows:
        probabilities = word_probabilities(row["logits"], row["word_ids"], temperature=row["temperature"])
        scores = ner(probabilities, row["labels"], row["candidates"], threshold=0)
        assert scores.keys() == row["per_class"].keys()
        for name, expected in row["per_class"].items():
            assert scores[name] == pytest.approx(expected, abs=1e-6), (row["id"], name)
        spans = ner(probabilities, row["labels"], row["candidates"], threshold=0, spans_only=True)
        assert spans == pytest.approx(row["spans"]["all"], abs=1e-6), row["id"]


def test_predicted_spans_gain() -> None:
    labels = ["O", "I-X", "B-X"]
    probabilities = [[0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [0.6, 0.4, 0.0]]
    scores = ner(probabilities, labels, [(0, 2), (0, 3), (1, 2)], alpha=2.0)["X"]
    assert scores == pytest.approx([2 * (0.6 + 0.5) / 2, (0.6 + 0.5 + 0.4) / 3, 0.3], abs=1e-6)


def test_long_predictions_stay_finite() -> None:
    words = 10_000
    probabilities = np.tile(np.array([[0.0, 0.0, 1.0]]), (words, 1))
    probabilities[0] = [0, 1, 0]
    scores = ner(probabilities, ["O", "B-X", "I-X"], [(0, words), (0, 11)])["X"]
    assert scores == pytest.approx([1e30, 1.15**10])


def test_word_probabilities_take_the_first_piece() -> None:
    logits = np.log([[0.5, 0.5], [0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0.2, 0.8], [0.5, 0.5]])
    found = word_probabilities(logits, [None, 0, 0, 0, 2, None], words=4)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[0.9, 0.1], [0, 0], [0.2, 0.8], [0, 0]]))
    flat = word_probabilities(logits, [None, 0, 0, 0, 1, None], temperature=2.0)
    assert flat == pytest.approx(np.array([[0.75, 0.25], [1 / 3, 2 / 3]]))
    assert word_probabilities(np.zeros((1, 3)), [None]).shape == (0, 3)


def test_words_without_pieces_predict_nothing() -> None:
    """All their probabilities are 0; the first label, which is then the largest too, is not predicted."""
    scores = ner([[0.0, 0.0], [0.0, 0.0]], ["B-X", "I-X"], [(0, 1), (0, 2)], threshold=0)
    assert scores["X"].tolist() == [0, 0]


GOOD: dict[str, Any] = {
    "word_probabilities": [[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]],
    "label_names": ["O", "B-X", "I-X"],
    "candidates": [(0, 1)],
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_names": ["O", "B-X", "X"]}, "NER label 'X': expected O, B-CLASS or I-CLASS"),
        ({"label_names": ["O", "B-X", "B-"]}, "NER label 'B-': expected O, B-CLASS or I-CLASS"),
        ({"label_names": ["O", "B-X", "B-X"]}, "NER label 'B-X' is given twice"),
        (
            {"label_names": ["O", "B-X", "I-Y"]},
            "the NER labels have no 'I-X'; IOB2 has a B- and an I- for every class",
        ),
        (
            {"label_names": ["B-X", "I-X", "I-Y"]},
            "the NER labels have no 'B-Y'; IOB2 has a B- and an I- for every class",
        ),
        ({"label_names": "OBI"}, "label_names='OBI': expected a sequence of words, not one string"),
        (
            {"label_names": ["O"]},
            "expected word probabilities of the shape (words, 1), found (2, 3)",
        ),
        (
            {"word_probabilities": [0.2, 0.7, 0.1]},
            "expected word probabilities of the shape (words, 3), found (3,)",
        ),
        (
            {"word_probabilities": [[0.2, 0.7, 0.1], [0.5, -0.25, 0.25]]},
            "column 'ner_probabilities', value -0.25: word 1, label 1: not a probability",
        ),
        (
            {"word_probabilities": [[0.2, float("nan"), 0.1]]},
            "column 'ner_probabilities', value nan: word 0, label 1: not a probability",
        ),
        (
            {"candidates": [(0, 1), (1, 3)]},
            "column 'candidates', value [1, 3): expected a non-empty span of a sentence of 2 words",
        ),
        (
            {"candidates": [(1, 1)]},
            "column 'candidates', value [1, 1): expected a non-empty span of a sentence of 2 words",
        ),
        (
            {"candidates": [(-1, 1)]},
            "column 'candidates', value [-1, 1): expected a non-empty span of a sentence of 2 words",
        ),
        ({"candidates": [(0.5, 1)]}, "column 'candidates', value (0.5, 1): expected a pair of whole numbers"),
        (
            {"candidates": np.zeros((2, 2))},
            "column 'candidates', value float64 array of shape (2, 2): expected integers, spans x 2",
        ),
        ({"alpha": 0}, "alpha=0: expected a number above 0"),
        ({"threshold": -1}, "threshold=-1: expected a number from 0 on"),
        ({"threshold": float("nan")}, "threshold=nan: expected a number from 0 on"),
    ],
)
def test_bad_input(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        ner(**{**GOOD, **arguments})
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("logits", "word_ids", "options", "message"),
    [
        ([[0.0]], [0, 1], {}, "expected logits of the shape (2 pieces, labels), found (1, 1)"),
        ([[float("inf")]], [0], {}, "piece_logits hold a value that is not a finite number"),
        ([[0.0]], [0], {"temperature": 0}, "temperature=0: expected a number above 0"),
        ([[0.0], [0.0]], [1, 4], {"words": 3}, "word_ids go from 1 to 4 in a sentence of 3 words"),
        ([[0.0]], [-1], {}, "word_ids go from -1 to -1 in a sentence of 0 words"),
    ],
)
def test_bad_pieces(logits: Any, word_ids: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        word_probabilities(logits, word_ids, **options)
    assert str(error.value) == message


def test_errors_of_spans_are_data_errors() -> None:
    with pytest.raises(DataError):
        ner(**{**GOOD, "candidates": [(0, 9)]})
