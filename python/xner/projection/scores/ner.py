"""The NER score: how likely a tagger finds it that a target span is an entity."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

import xner._core as _core
from xner._support.arguments import number_from_zero, positive_number, real_array, whole_number, words
from xner._support.arrow import as_arrow
from xner._support.records import span_array
from xner.errors import DataError, Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from xner._support.records import SpansLike

__all__ = ["ner", "word_probabilities"]

Floats = npt.NDArray[np.float32]
# How far above 1 rounding may take a probability; float16 keeps three decimals.
_ROUNDING = 1e-3


@overload
def ner(
    word_probabilities: npt.ArrayLike,
    label_names: Sequence[str],
    candidates: SpansLike,
    *,
    alpha: float = ...,
    spans_only: Literal[False] = ...,
    threshold: float = ...,
) -> dict[str, npt.NDArray[np.float64]]: ...


@overload
def ner(
    word_probabilities: npt.ArrayLike,
    label_names: Sequence[str],
    candidates: SpansLike,
    *,
    alpha: float = ...,
    spans_only: Literal[True],
    threshold: float = ...,
) -> npt.NDArray[np.float64]: ...


def ner(
    word_probabilities: npt.ArrayLike,
    label_names: Sequence[str],
    candidates: SpansLike,
    *,
    alpha: float = 1.15,
    spans_only: bool = False,
    threshold: float = 0.05,
) -> dict[str, npt.NDArray[np.float64]] | npt.NDArray[np.float64]:
    """NER scores of target spans, from the class probabilities that a tagger gives the target words.

    A span [a, b) scores `mean(p[a, B-X], p[a + 1, I-X], ..., p[b - 1, I-X])` for a class X. Where the most probable
    labels of its words are exactly B-X, I-X, ..., I-X, that is multiplied by `alpha ** (b - a - 1)`, so a score may
    exceed 1. One span costs O(1) a class, whatever its length.

    Args:
        word_probabilities: words x labels, float32 or float16 (others are converted), in [0, 1]; for instance from
            `word_probabilities`.
        label_names: the labels of the columns: `O`, and `B-X` and `I-X` for every class, in any order.
        candidates: `(start, end)` over target words, or an integer array (candidates x 2).
        alpha: see above; above 0.
        spans_only: how likely a span is an entity of any class: the best score of any, as one array.
        threshold: scores of at most this become 0.

    Returns:
        For each class an array of scores, float64, one a candidate; with `spans_only` one such array.

    Raises:
        DataError: probabilities that are none, or a span outside the sentence.
        Error: labels that are not IOB2, or numbers out of range.

    Source: Shkalikov 2024, equation 3.8, as its program computes it.
    """
    labels = _core.NerLabels(words("label_names", label_names))
    probabilities = _checked(word_probabilities, len(labels))
    spans = span_array("candidates", candidates, len(probabilities))
    score = _core.ner_span_scores if spans_only else _core.ner_scores
    return score(
        probabilities,
        labels,
        spans,
        alpha=positive_number("alpha", alpha),
        threshold=number_from_zero("threshold", threshold),
    )


def _checked(word_probabilities: npt.ArrayLike, labels: int) -> Floats:
    """Probabilities as float32, words x labels."""
    probabilities = np.ascontiguousarray(real_array("word_probabilities", word_probabilities), dtype=np.float32)
    if probabilities.ndim != 2 or probabilities.shape[1] != labels:
        raise Error(f"expected word probabilities of the shape (words, {labels}), found {probabilities.shape}")
    wrong = ~((probabilities >= 0) & (probabilities <= 1 + _ROUNDING))
    if wrong.any():
        word, label = np.argwhere(wrong)[0].tolist()
        raise DataError(
            -1, "ner_probabilities", str(probabilities[word, label]), f"word {word}, label {label}: not a probability"
        )
    return probabilities


def word_probabilities(
    piece_logits: npt.ArrayLike,
    word_ids: Iterable[int | None] | pa.Array[Any],
    *,
    words: int | None = None,
    temperature: float = 1.0,
) -> Floats:
    """Class probabilities of words from a tagger's logits of their pieces: those of each word's first piece.

    Args:
        piece_logits: pieces x labels, as the model gives them; special tokens included.
        word_ids: each piece's word, from 0, None for special tokens; `BatchEncoding.word_ids()` of transformers.
        words: number of words in the sentence, where the last ones may have no pieces (cut off, or blank). None: up to
            the last word that has one.
        temperature: logits are divided by it; above 1 flattens the probabilities.

    Returns:
        words x labels, float32. Rows sum to 1; those of words without pieces are 0, which no score counts.

    Raises:
        Error: shapes that do not go together, logits that are not finite, or numbers out of range.

    Source: Shkalikov 2024, whose program takes the first piece of a word.
    """
    logits = real_array("piece_logits", piece_logits).astype(np.float64, copy=False)
    pieces = _piece_words(word_ids)
    if logits.ndim != 2 or len(logits) != len(pieces):
        raise Error(f"expected logits of the shape ({len(pieces)} pieces, labels), found {logits.shape}")
    if not np.isfinite(logits).all():
        raise Error("piece_logits hold a value that is not a finite number")
    first_pieces: dict[int, int] = {}
    for piece, word in enumerate(pieces):
        if word is not None:
            first_pieces.setdefault(word, piece)
    length = max(first_pieces, default=-1) + 1 if words is None else whole_number("words", words, 0)
    if any(not 0 <= word < length for word in first_pieces):
        raise Error(f"word_ids go from {min(first_pieces)} to {max(first_pieces)} in a sentence of {length} words")
    scaled = logits[list(first_pieces.values())] / positive_number("temperature", temperature)
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result = np.zeros((length, logits.shape[1]), np.float32)
    result[list(first_pieces)] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


def _piece_words(word_ids: Iterable[int | None] | pa.Array[Any]) -> list[int | None]:
    """Each piece's word, in Python's own numbers."""
    array = as_arrow(word_ids)
    try:
        return [None if one is None else index(one) for one in (word_ids if array is None else array.to_pylist())]
    except TypeError:
        raise Error("word_ids: expected a whole number or None for each piece") from None
