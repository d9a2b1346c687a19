"""Sentences from callers, as Arrow arrays of lists of words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from xner._support.arrow import one_array
from xner.errors import DataError, Error
from xner.schema import SOURCE_TOKENS, TOKENS

__all__ = ["Sentences", "map_words", "sides_to_arrow", "to_arrow", "with_values"]

Sentences: TypeAlias = "Sequence[Sequence[str]] | pa.Array | pa.ChunkedArray"


def _reject(sentences: Iterable[object], column: str, error: Exception) -> DataError:
    """Find what makes a list of sentences unreadable."""
    for row, sentence in enumerate(sentences):
        if sentence is None:
            continue
        if isinstance(sentence, (str, bytes)) or not isinstance(sentence, Iterable):
            return DataError(row, column, repr(sentence), f"expected a list of words, found {type(sentence).__name__}")
        for token in sentence:
            if not isinstance(token, str):
                return DataError(row, column, repr(token), f"expected a word (str), found {type(token).__name__}")
            try:
                token.encode()
            except UnicodeEncodeError as cause:
                return DataError(row, column, repr(token), f"not valid Unicode: {cause.reason}")
    return DataError(-1, column, type(sentences).__name__, str(error))


def to_arrow(sentences: Sentences, column: str) -> pa.Array:
    """Sentences as one Arrow array of lists of strings, which may be dictionary-encoded; missing rows stay null.

    Args:
        sentences: lists of words, or an Arrow array of lists of strings, chunked or not.
        column: their name in error messages.

    Raises:
        DataError: something else.
    """
    if isinstance(sentences, pa.ChunkedArray):
        sentences = one_array(sentences)
    if isinstance(sentences, pa.Array):
        kind = sentences.type
        lists = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        words = kind.value_type if lists else None
        if words is not None and pa.types.is_dictionary(words):
            words = words.value_type
        if words is None or not (
            pa.types.is_string(words) or pa.types.is_large_string(words) or pa.types.is_null(words)
        ):
            raise DataError(-1, column, str(kind), "expected an Arrow array of lists of strings")
        return sentences
    if isinstance(sentences, (str, bytes)) or not isinstance(sentences, Sequence):
        raise DataError(-1, column, repr(sentences)[:60], "expected a sequence of sentences, each a list of words")
    if any(isinstance(sentence, (str, bytes)) for sentence in sentences):  # pyarrow would take them apart
        raise _reject(sentences, column, TypeError("text in place of a list of words"))
    try:
        return pa.array([None if s is None else list(s) for s in sentences], pa.large_list(pa.large_string()))
    except (TypeError, ValueError) as error:
        raise _reject(sentences, column, error) from error


def sides_to_arrow(source_sentences: Sentences, target_sentences: Sentences) -> tuple[pa.Array, pa.Array]:
    """Both sides of a parallel corpus; see `to_arrow`.

    Raises:
        Error: their numbers of sentences differ; the message has both.
        DataError: a side is not a list of sentences.
    """
    source, target = to_arrow(source_sentences, SOURCE_TOKENS), to_arrow(target_sentences, TOKENS)
    if len(source) != len(target):
        raise Error(
            f"expected as many target as source sentences, found {len(source)} source and "
            f"{len(target)} target sentences"
        )
    return source, target


def with_values(sentences: pa.Array, values: pa.Array) -> pa.Array:
    """Lists of the same lengths with other values, in order; missing rows stay null."""
    lengths = sentences.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    missing = sentences.is_null() if sentences.null_count else None
    if offsets[-1] > np.iinfo(np.int32).max:
        return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values, mask=missing)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, mask=missing)


def map_words(sentences: pa.Array, function: Callable[[str], str]) -> pa.Array:
    """Replace every word, calling `function` once for each distinct one.

    Args:
        sentences: list<string>.
        function: from a word to another.

    Returns:
        list<dictionary<int32, string>>; missing rows and words stay null.
    """
    words = sentences.flatten().dictionary_encode()
    mapped = pa.array([function(word) for word in words.dictionary.to_pylist()], pa.string())
    return with_values(sentences, pa.DictionaryArray.from_arrays(words.indices, mapped))
