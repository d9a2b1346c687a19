"""Sentences from callers, and their labels, as Arrow arrays of lists of words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa

from xner._layouts import plain
from xner._support.arrow import as_arrow, flattened, is_lists, pylist
from xner.errors import DataError, Error
from xner.schema import SOURCE_TOKENS, TOKENS

__all__ = ["Sentences", "map_words", "sides_to_arrow", "to_arrow", "with_values", "without_dictionary", "word_lists"]

_LISTS = pa.large_list(pa.large_string())

Sentences: TypeAlias = "Iterable[Iterable[str] | None] | pa.Array[Any] | pa.ChunkedArray[Any]"
"""Rows of words: lists, tuples, NumPy or Arrow arrays of them, one a sentence, or one Arrow array of lists."""


def to_arrow(sentences: Sentences, column: str) -> pa.Array[Any]:
    """Rows of words as one Arrow array of lists of strings, which may be dictionary-encoded; missing rows stay null.

    Args:
        sentences: rows of words; an Arrow array may be chunked, with any layout of lists and strings. Of labels, too.
        column: their name in error messages.

    Returns:
        Lists or large lists of strings, large strings, or dictionaries of them; an array of such a type as it is.

    Raises:
        DataError: something else.
    """
    array = as_arrow(sentences)
    if array is None:
        array = _rows_to_arrow(sentences, column)
    lists = plain(array, keep_dictionaries=True)
    kind = lists.type
    words = kind.value_type if is_lists(kind) else kind if pa.types.is_null(kind) else None
    if words is not None and pa.types.is_dictionary(words):
        words = words.value_type
    if words is not None and (pa.types.is_string(words) or pa.types.is_large_string(words)):
        return lists
    if words is None or not pa.types.is_null(words):
        raise DataError(-1, column, str(array.type), "expected an Arrow array of lists of strings")
    return lists.cast(_LISTS)


def without_dictionary(sentences: pa.Array[Any]) -> pa.Array[Any]:
    """What `to_arrow` returns, as lists of strings or large strings."""
    return sentences.cast(_LISTS) if pa.types.is_dictionary(sentences.type.value_type) else sentences


def _rows_to_arrow(sentences: Any, column: str) -> pa.Array[Any]:
    if isinstance(sentences, str | bytes | Mapping | Set) or not isinstance(sentences, Iterable):
        raise DataError(-1, column, repr(sentences)[:60], "expected a sequence of sentences, each a list of words")
    rows = [_row(row, number, column) for number, row in enumerate(sentences)]
    try:
        return pa.array(rows, _LISTS)
    except (TypeError, ValueError) as error:
        raise _reject(rows, column, error) from error


def _row(words: Any, number: int, column: str) -> list[Any] | None:
    if words is None or isinstance(words, list):
        return words
    array = as_arrow(words)
    if array is not None:
        words = array.to_pylist()
    if isinstance(words, str | bytes | Mapping | Set) or not isinstance(words, Iterable):
        hint = "; a single sentence goes into a list of its own" if number == 0 and isinstance(words, str) else ""
        reason = f"expected a list of words, found {type(words).__name__}{hint}"
        raise DataError(number, column, repr(words), reason)
    return list(words)


def _reject(rows: list[list[Any] | None], column: str, error: Exception) -> DataError:
    """Find what makes rows of words unreadable."""
    for number, row in enumerate(rows):
        for token in row or ():
            if not isinstance(token, str):
                return DataError(number, column, repr(token), f"expected a word (str), found {type(token).__name__}")
            try:
                token.encode()
            except UnicodeEncodeError as cause:
                return DataError(number, column, repr(token), f"not valid Unicode: {cause.reason}")
    return DataError(-1, column, type(rows).__name__, str(error))


def sides_to_arrow(source_sentences: Sentences, target_sentences: Sentences) -> tuple[pa.Array[Any], pa.Array[Any]]:
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


def with_values(sentences: pa.Array[Any], values: pa.Array[Any]) -> pa.Array[Any]:
    """Lists of the same lengths with other values, in order; missing rows stay null."""
    lengths = cast("pa.ListArray[Any]", sentences).value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    missing = sentences.is_null() if sentences.null_count else None
    if offsets[-1] > np.iinfo(np.int32).max:
        return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values, mask=missing)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, mask=missing)


def map_words(sentences: pa.Array[Any], function: Callable[[str], str]) -> pa.Array[Any]:
    """Replace every word, calling `function` once for each distinct one.

    Args:
        sentences: list<string>.
        function: from a word to another.

    Returns:
        list<dictionary<int32, string>>; missing rows and words stay null.
    """
    words = flattened(sentences).dictionary_encode()
    mapped = pa.array([function(word) for word in pylist(words.dictionary)], pa.string())
    return with_values(sentences, pa.DictionaryArray.from_arrays(words.indices, mapped))


def word_lists(sentences: pa.Array[Any], column: str) -> list[list[str]]:
    """The words of each sentence; a missing one has none.

    Raises:
        DataError: a word is missing.
    """
    rows = [row or [] for row in sentences.to_pylist()]
    if flattened(sentences).null_count:
        row = next(number for number, words in enumerate(rows) if None in words)
        raise DataError(row, column, "null", f"word {rows[row].index(None)} is missing")
    return rows
