"""Labelled sentences, and what a model sees of them: the first piece of each word carries the word's label."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from xner import labels as tags
from xner import schema
from xner.errors import DataError, OptionError
from xner.models.network.windows import windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from xner.models.network.pieces import PieceTokenizer

__all__ = [
    "NOT_LEARNT",
    "EncodedSentences",
    "Example",
    "LabelledSentences",
    "label_names",
    "labelled_sentences",
    "map_classes",
]

NOT_LEARNT = -100
"""In place of a label's number, that of a piece or a word from which nothing is learnt."""


@dataclass(slots=True)
class LabelledSentences:
    """Sentences to train on or to be scored on.

    Attributes:
        tokens: words of each sentence.
        labels: IOB2, one a word; None for a word whose label is not known, from which nothing is learnt.
        weights: one a sentence, above 0: what its words' losses are multiplied by.
        distributions: for each sentence, words x labels, in the order of the model's labels: probabilities that stand
            in for the labels; None where labels are hard.
    """

    tokens: list[list[str]]
    labels: list[list[str | None]]
    weights: list[float] = field(default_factory=list)
    distributions: list[npt.NDArray[np.float32]] | None = None

    def __post_init__(self) -> None:
        self.weights = self.weights or [1.0] * len(self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    def entity_counts(self) -> dict[str, int]:
        """Number of entities by class, classes sorted."""
        firsts = (label[2:] for sentence in self.labels for label in sentence if label and label.startswith("B-"))
        return dict(sorted(Counter(firsts).items()))

    def digest(self) -> str:
        """A SHA-256 digest of all that is learnt from, whatever file it came in."""
        digest = hashlib.sha256()
        for row in zip(self.tokens, self.labels, self.weights, strict=True):
            digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        for distribution in self.distributions or ():
            digest.update(np.ascontiguousarray(distribution).tobytes())
        return digest.hexdigest()

    def extend(self, others: LabelledSentences) -> None:
        """Add sentences with hard labels."""
        self.tokens += others.tokens
        self.labels += others.labels
        self.weights += others.weights


def label_names(classes: Iterable[str]) -> list[str]:
    """The labels of a model that tells classes: `O`, then `B-` and `I-` of each class, classes sorted."""
    return ["O", *(f"{prefix}-{name}" for name in sorted(set(classes)) for prefix in "BI")]


def map_classes(entities: pa.ListArray[Any], classes: Mapping[str, str]) -> list[list[tuple[int, int, str]]]:
    """Entities with other classes.

    Args:
        entities: list<struct<start, end, label, ...>>.
        classes: what a class becomes; `O` leaves its entities out; `*` stands for all that are
            not named, which stay without it.

    Returns:
        `(start, end, class)` of each row.
    """
    return [
        [
            (entity["start"], entity["end"], name)
            for entity in row or ()
            if (name := classes.get(entity["label"], classes.get("*", entity["label"]))) != "O"
        ]
        for row in entities.to_pylist()
    ]


def labelled_sentences(
    table: pa.Table, *, classes: Mapping[str, str] | None = None, column: str = schema.LABELS
) -> LabelledSentences:
    """The sentences of a table.

    Args:
        table: has `tokens`, and a column of labels in any IOB scheme, which become IOB2.
        classes: what classes become, as for `map_classes`.
        column: of the labels.

    Raises:
        Error: a column is missing.
        DataError: a row has not a label for each word.
    """
    schema.require_columns(table.schema, [schema.TOKENS, column], "training")
    tokens = [words or [] for words in table.column(schema.TOKENS).to_pylist()]
    label_lists: pa.Array[Any] = pa.array(table.column(column).combine_chunks(), schema.WORDS_TYPE)
    for row, (words, labels) in enumerate(zip(tokens, label_lists, strict=True)):
        count = len(labels) if labels.is_valid else 0
        if count != len(words):
            raise DataError(row, column, f"{count} labels", f"the row has {len(words)} words")
    entities = map_classes(tags.decode_batch(label_lists, column=column), classes or {})
    return LabelledSentences(
        tokens, [list(tags.encode(row, len(words))) for row, words in zip(entities, tokens, strict=True)]
    )


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A sentence, or a window over a long one, as a model sees it.

    Attributes:
        ids: of the word pieces, with the special ones before and after them.
        positions: of the pieces whose labels count: the first ones of words.
        words: their words, as positions in the sentence.
        labels: their labels, as numbers, or `NOT_LEARNT`.
        row: the sentence.
        weight: the sentence's.
        distributions: probabilities of their labels, positions x labels; None where labels are hard.
    """

    ids: list[int]
    positions: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    row: int
    weight: float
    distributions: npt.NDArray[np.float32] | None


class EncodedSentences:
    """Sentences in the form that a model takes, and the way back from its answers to the words.

    Sentences that are longer than the model takes are seen in overlapping windows; each word is learnt, and later
    told, in the window in which it is farther from the edge. Words without pieces are not seen: they are `O`.

    Attributes:
        examples: at least one for each sentence with pieces, in the order of the sentences.
        windowed: number of sentences that took several windows.
    """

    def __init__(
        self,
        sentences: LabelledSentences,
        tokenizer: PieceTokenizer,
        names: Sequence[str],
        *,
        longest: int,
        overlap: int,
    ) -> None:
        """Encode sentences.

        Args:
            sentences: labels that are not among `names` are not learnt.
            tokenizer: the model's.
            names: its labels.
            longest: most pieces at once, special ones included.
            overlap: pieces that neighbouring windows share; less, where `longest` has no room for as many.

        Raises:
            Error: `longest` has no room for a piece beside the special ones.
        """
        before, after = tokenizer.around()
        capacity = longest - len(before) - len(after)
        if capacity < 1:
            raise OptionError(f"longest={longest}: no room beside {len(before) + len(after)} special tokens")
        overlap = min(overlap, capacity // 2)
        numbers = {name: number for number, name in enumerate(names)}
        self.examples: list[Example] = []
        self.windowed = 0
        self._names = list(names)
        self._lengths = [len(words) for words in sentences.tokens]
        for row, pieces in enumerate(tokenizer.pieces(sentences.tokens)):
            if not len(pieces):
                continue
            labels = np.array([numbers.get(label or "", NOT_LEARNT) for label in sentences.labels[row]], np.int64)
            first = np.flatnonzero(np.diff(pieces.words, prepend=-1))
            found = windows(len(pieces), capacity, overlap)
            self.windowed += len(found) > 1
            for window in found:
                kept = first[(first >= window.keep_start) & (first < window.keep_end)]
                words = pieces.words[kept].astype(np.int64)
                self.examples.append(
                    Example(
                        ids=[*before, *pieces.ids[window.start : window.end], *after],
                        positions=kept - window.start + len(before),
                        words=words,
                        labels=labels[words],
                        row=row,
                        weight=sentences.weights[row],
                        distributions=None if sentences.distributions is None else sentences.distributions[row][words],
                    )
                )

    def word_labels(self, predicted: Iterable[npt.NDArray[np.integer[Any]]]) -> list[list[str]]:
        """What a model says of the words.

        Args:
            predicted: for each example, at least as many positions as it has pieces: number of the label of each piece.

        Returns:
            Labels of each sentence's words.
        """
        rows = [["O"] * length for length in self._lengths]
        for example, numbers in zip(self.examples, predicted, strict=True):
            for word, number in zip(example.words, numbers[example.positions], strict=True):
                rows[example.row][word] = self._names[number]
        return rows

    def label_counts(self) -> npt.NDArray[np.int64]:
        """How many words that are learnt have each label."""
        counts = np.zeros(len(self._names), np.int64)
        for example in self.examples:
            learnt = example.labels[example.labels != NOT_LEARNT]
            counts += np.bincount(learnt, minlength=len(self._names))
        return counts
