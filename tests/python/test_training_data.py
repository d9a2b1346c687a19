from __future__ import annotations

import extras

extras.need("models")

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiny_models import bert_tokenizer
from xner import DataError, Error, schema
from xner.models.network.pieces import PieceTokenizer
from xner.training.data import NOT_LEARNT, EncodedSentences, LabelledSentences, label_names, labelled_sentences
from xner.training.noise import NoiseOptions, normalized_weights, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
TOKENIZER = PieceTokenizer("tiny", bert_tokenizer())


def encoded(
    tokens: list[list[str]], labels: Sequence[Sequence[str | None]], *, longest: int = 512, **others: Any
) -> EncodedSentences:
    sentences = LabelledSentences(tokens, [list(row) for row in labels], **others)
    return EncodedSentences(sentences, TOKENIZER, NAMES, longest=longest, overlap=4)


def table(tokens: list[list[str]], labels: list[list[str]], **columns: Any) -> pa.Table:
    made = {schema.TOKENS: pa.array(tokens, schema.WORDS_TYPE), schema.LABELS: pa.array(labels, schema.WORDS_TYPE)}
    return pa.table(made | {name: pa.array(rows, schema.COLUMN_TYPES[name]) for name, rows in columns.items()})


def entity(start: int, end: int, score: float | None, margin: float | None, source: int = 0) -> dict[str, Any]:
    return {"start": start, "end": end, "label": "PER", "score": score, "margin": margin, "source": source}


class TestLabelledSentences:
    def test_labels_become_iob2_and_classes_change(self) -> None:
        rows = table([["a", "b", "c", "d"], []], [["I-PER", "B-PER", "O", "I-MISC"], []])
        assert labelled_sentences(rows).labels == [["B-PER", "B-PER", "O", "B-MISC"], []]
        assert labelled_sentences(rows, classes={"MISC": "O"}).labels[0] == ["B-PER", "B-PER", "O", "O"]
        assert labelled_sentences(rows, classes={"*": "CAND"}).labels[0] == ["B-CAND", "B-CAND", "O", "B-CAND"]
        assert labelled_sentences(rows, classes={"*": "X", "PER": "P"}).labels[0] == ["B-P", "B-P", "O", "B-X"]

    def test_names_of_labels(self) -> None:
        assert label_names(["PER", "LOC", "PER"]) == NAMES
        assert label_names([]) == ["O"]

    def test_the_digest_tells_what_is_learnt(self) -> None:
        rows = [LabelledSentences([["a", "b"]], [["O", "B-X"]])]
        rows += [LabelledSentences([["a", "b"]], [["O", None]]), LabelledSentences([["ab"]], [["O"]])]
        rows += [LabelledSentences([["a", "b"]], [["O", "B-X"]], [0.5])]
        rows += [LabelledSentences([["a", "b"]], [["O", "B-X"]], distributions=[np.eye(2, dtype=np.float32)])]
        assert len({one.digest() for one in rows}) == len(rows)
        assert rows[0].digest() == LabelledSentences([["a", "b"]], [["O", "B-X"]]).digest()

    def test_counts_of_labels_and_words(self) -> None:
        with pytest.raises(DataError, match=r"row 1.*labels.*1 labels.*the row has 2 words"):
            labelled_sentences(table([["a"], ["a", "b"]], [["O"], ["O"]]))

    def test_missing_columns(self) -> None:
        with pytest.raises(Error, match=r"training needs the column\(s\) labels; the table has: tokens"):
            labelled_sentences(pa.table({"tokens": [["a"]]}))


class TestEncoding:
    def test_the_first_piece_carries_the_label(self) -> None:
        # xyz is three pieces; a zero-width space is none.
        found = encoded([["the", "xyz", "\u200b", "Madrid"]], [["O", "B-PER", "I-PER", "B-LOC"]])
        (example,) = found.examples
        assert len(example.ids) == 2 + 5
        assert example.positions.tolist() == [1, 2, 5]
        assert example.words.tolist() == [0, 1, 3]
        assert example.labels.tolist() == [0, 3, 1]
        predicted = np.full((1, 7), 4)
        assert found.word_labels(predicted) == [["I-PER", "I-PER", "O", "I-PER"]]

    def test_unknown_labels_and_masked_words_are_not_learnt(self) -> None:
        found = encoded([["a", "b", "c"]], [["O", None, "B-ORG"]])
        assert found.examples[0].labels.tolist() == [0, NOT_LEARNT, NOT_LEARNT]
        assert found.label_counts().tolist() == [1, 0, 0, 0, 0]

    def test_sentences_without_pieces(self) -> None:
        found = encoded([[], ["a"], ["\u200b"]], [[], ["B-PER"], ["O"]])
        assert [example.row for example in found.examples] == [1]
        assert found.word_labels(np.array([[0, 3, 0]])) == [[], ["B-PER"], ["O"]]

    def test_weights_and_distributions_go_with_the_words(self) -> None:
        rows = [np.random.default_rng(0).random((n, 5), np.float32) for n in (3, 12)]
        found = encoded(
            [["xy", "b", "c"], ["xy"] * 12], [["O"] * 3, ["O"] * 12], weights=[0.5, 2.0], distributions=rows, longest=12
        )
        assert len(found.examples) > 2
        for example in found.examples:
            assert example.weight == [0.5, 2.0][example.row]
            assert example.distributions is not None
            np.testing.assert_array_equal(example.distributions, rows[example.row][example.words])

    @given(
        st.lists(st.lists(st.sampled_from(["a", "the", "xyzxyz", "\u200b", "Merkel"]), max_size=25), max_size=4),
        st.integers(4, 20),
    )
    def test_windows_cover_each_word_once(self, tokens: list[list[str]], longest: int) -> None:
        labels = [[NAMES[k % 5] for k in range(len(words))] for words in tokens]
        found = encoded(tokens, labels, longest=longest)
        assert all(len(example.ids) <= longest for example in found.examples)
        # A model that is always right gives the labels back, wherever the windows are.
        predicted = [np.zeros(len(example.ids), np.int64) for example in found.examples]
        for example, row in zip(found.examples, predicted, strict=True):
            row[example.positions] = example.labels
        right = found.word_labels(predicted)
        pieces = [{"\u200b": 0}.get(word, 1) for words in tokens for word in words]
        assert [label for row in right for label in row] == [
            label if has else "O" for label, has in zip((x for row in labels for x in row), pieces, strict=True)
        ]

    def test_no_room(self) -> None:
        with pytest.raises(Error, match="longest=2: no room beside 2 special tokens"):
            encoded([["a"]], [["O"]], longest=2)


PROJECTED = table(
    [["a", "b", "c"], ["d", "e"], ["f"], ["g"]],
    [["B-PER", "I-PER", "B-PER"], ["O", "B-PER"], ["O"], ["O"]],
    entities=[[entity(0, 2, 0.5, 0.1), entity(2, 3, 1.4, 0.9, 1)], [entity(1, 2, 0.01, 0.0)], [], []],
    source_entities=[
        [{"start": 0, "end": 1, "label": "PER"}, {"start": 1, "end": 2, "label": "PER"}],
        [{"start": 0, "end": 1, "label": "PER"}, {"start": 1, "end": 2, "label": "PER"}],
        [],
        [],
    ],
    status=["ok", None, "row_dropped:class-counts", "ok"],
)


class TestNoise:
    def test_rows_that_filters_dropped_are_left_out(self) -> None:
        found = read_rows(PROJECTED)
        assert found.sentences.tokens == [["a", "b", "c"], ["d", "e"], ["g"]]
        assert found.sentences.weights == [1.0, 1.0, 1.0]
        assert (found.rows, found.filtered) == (4, 1)

    def test_rows_that_nobody_labelled_are_left_out(self) -> None:
        statuses = ["ok", "missing_entities", "missing_entities"]
        rows = table([["a"], ["b"], ["c"]], [["O"], ["O"], ["O"]], status=statuses)
        assert read_rows(rows).sentences.tokens == [["a"]]
        reviewed = rows.append_column("reviewed", pa.array([None, True, False]))
        assert read_rows(reviewed).sentences.tokens == [["a"], ["b"]]

    def test_weights(self) -> None:
        by_score = read_rows(PROJECTED, NoiseOptions(row_weights="score")).sentences.weights
        assert by_score == pytest.approx([(0.5 + 1) / 2, 0.05, 1.0])
        by_margin = read_rows(PROJECTED, NoiseOptions(row_weights="margin")).sentences.weights
        assert by_margin == pytest.approx([(0.1 + 0.9) / 2, 0.05, 1.0])
        assert sum(normalized_weights(by_margin)) == pytest.approx(3)
        assert normalized_weights([]) == []

    def test_small_margins_mask_words(self) -> None:
        found = read_rows(PROJECTED, NoiseOptions(min_margin=0.5))
        assert found.sentences.labels == [[None, None, "B-PER"], ["O", None], ["O"]]
        assert (found.masked, found.below_margin) == (3, 0)
        assert found.sentences.entity_counts() == {"PER": 1}

    def test_small_margins_drop_rows(self) -> None:
        found = read_rows(PROJECTED, NoiseOptions(min_margin=0.05, below_margin="drop-row"))
        assert found.sentences.tokens == [["a", "b", "c"], ["g"]]
        assert (found.masked, found.below_margin) == (0, 1)

    def test_incomplete_projections(self) -> None:
        found = read_rows(PROJECTED, NoiseOptions(drop_incomplete=True))
        assert found.sentences.tokens == [["a", "b", "c"], ["g"]]
        assert found.incomplete == 1

    def test_no_margin(self) -> None:
        rows = table([["a"]], [["B-PER"]], entities=[[entity(0, 1, 1.0, None)]])
        assert read_rows(rows, NoiseOptions(row_weights="score")).sentences.weights == [1.0]
        with pytest.raises(DataError, match=r"row 0.*entities.*\[0, 1\).*the entity has no margin"):
            read_rows(rows, NoiseOptions(min_margin=0.1))

    def test_no_entities(self) -> None:
        with pytest.raises(Error, match=r"weighing projected labels needs the column\(s\) entities"):
            read_rows(table([["a"]], [["O"]]), NoiseOptions(row_weights="score"))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"row_weights": "loss"}, "row_weights='loss': expected one of 'none', 'score', 'margin'"),
            ({"below_margin": "keep"}, "below_margin='keep': expected one of 'mask', 'drop-row'"),
            ({"min_margin": -1.0}, "min_margin=-1.0: expected a number from 0 on"),
        ],
    )
    def test_options(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(Error, match=message):
            NoiseOptions(**options)
