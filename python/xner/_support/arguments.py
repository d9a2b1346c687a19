"""Arguments from callers, checked before the core sees them."""

from __future__ import annotations

from difflib import get_close_matches
from math import isfinite
from numbers import Real
from operator import index
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from xner.errors import DataError, Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

T = TypeVar("T")

Spans: TypeAlias = "npt.NDArray[np.integer[Any]] | Iterable[Sequence[int]]"
"""Pairs `(start, end)`, or an integer array, spans x 2."""

LARGEST_INT32 = 2**31 - 1


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """`; did you mean 'exact'?`, to end a message about a name that is unknown; empty where no known one is near."""
    spelled = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), spelled, n=2, cutoff=0.7) if isinstance(name, str) else []
    return f"; did you mean {' or '.join(repr(spelled[one]) for one in near)}?" if near else ""


def choose(option: str, value: object, table: Mapping[str, T]) -> T:
    """Look an option's value up in its table.

    Raises:
        Error: the table does not have it; the message lists what it has, and names the nearest.
    """
    if isinstance(value, str) and value in table:
        return table[value]
    raise Error(f"{option}={value!r}: expected one of {', '.join(map(repr, table))}{did_you_mean(value, table)}")


def unknown_option(name: str, known: Iterable[str]) -> Error:
    """What is to be raised about a keyword that is no option; names the nearest options, or all where none is near."""
    known = list(known)
    near = did_you_mean(name, known)
    return Error(f"unknown option {name!r}{near or ': expected one of ' + ', '.join(map(repr, known))}")


def whole_number(option: str, value: object, least: int, most: int = LARGEST_INT32) -> int:
    """An option that counts something.

    Raises:
        Error: not a whole number from `least` to `most`.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or not least <= index(value) <= most:
        raise Error(f"{option}={value!r}: expected a whole number from {least} to {most}")
    return index(value)


def number(option: str, value: object, expected: str, fits: Callable[[float], bool]) -> float:
    """An option that is a number, of which `expected` says which ones and `fits` whether it is one.

    Raises:
        Error: it is none of them.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not fits(float(value)):
        raise Error(f"{option}={value!r}: expected a number {expected}")
    return float(value)


def index_pairs(column: str, pairs: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """Links or spans as tuples of Python's own integers.

    Raises:
        DataError: something else than a pair of whole numbers that fit 32 bits.
    """
    result = []
    for pair in pairs:
        try:
            first, second = map(index, pair)
        except (TypeError, ValueError):
            raise DataError(-1, column, repr(pair), "expected a pair of whole numbers") from None
        if max(abs(first), abs(second)) > LARGEST_INT32:
            raise DataError(-1, column, repr(pair), "expected whole numbers of at most 31 bits")
        result.append((first, second))
    return result


def words(option: str, value: Iterable[str]) -> list[str]:
    """A sequence of strings.

    Raises:
        Error: one string, which is a sequence of strings as well but never meant as one.
        DataError: an element is not a string, or holds half a surrogate pair and so is not Unicode text.
    """
    if isinstance(value, str):
        raise Error(f"{option}={value!r}: expected a sequence of words, not one string")
    result = list(value)
    for position, word in enumerate(result):
        if not isinstance(word, str):
            raise DataError(-1, option, repr(word), f"word {position} is not a string")
        if not word.isascii() and any("\ud800" <= character <= "\udfff" for character in word):
            raise DataError(-1, option, repr(word), f"word {position} is not valid Unicode text")
    return result


def positive_number(option: str, value: object) -> float:
    """A finite number above 0; raises as `number` does."""
    return number(option, value, "above 0", lambda found: isfinite(found) and found > 0)


def number_from_zero(option: str, value: object) -> float:
    """A finite number from 0 on; raises as `number` does."""
    return number(option, value, "from 0 on", lambda found: isfinite(found) and found >= 0)


def span_array(column: str, spans: Spans, length: int) -> npt.NDArray[np.int32]:
    """Spans of a sentence of `length` words as an array, spans x 2.

    Raises:
        DataError: something else than a pair of whole numbers, or a span that is empty or outside the sentence.
    """
    if not isinstance(spans, np.ndarray):
        spans = np.array(index_pairs(column, spans), np.int64).reshape(-1, 2)
    if spans.ndim != 2 or spans.shape[1] != 2 or not np.issubdtype(spans.dtype, np.integer):
        raise DataError(-1, column, f"{spans.dtype} array of shape {spans.shape}", "expected integers, spans x 2")
    wrong = (spans[:, 0] < 0) | (spans[:, 0] >= spans[:, 1]) | (spans[:, 1] > length)
    if wrong.any():
        start, end = spans[np.argmax(wrong)].tolist()
        raise DataError(-1, column, f"[{start}, {end})", f"expected a non-empty span of a sentence of {length} words")
    return np.ascontiguousarray(spans, dtype=np.int32)


def scored_spans(
    column: str,
    scores: npt.NDArray[np.floating[Any]] | Iterable[tuple[int, int, int, float]],
    candidates: Sequence[tuple[int, int]],
) -> list[tuple[int, int, int, float]]:
    """Scores of source entities and target spans as `(entity, start, end, score)`.

    Args:
        column: their name in error messages.
        scores: such tuples, or an array, entities x candidates, of which zeros are left out.
        candidates: `(start, end)`, for an array.

    Raises:
        DataError: something else.
    """
    if isinstance(scores, np.ndarray):
        if scores.ndim != 2 or scores.shape[1] != len(candidates):
            expected = f"an array, entities x {len(candidates)} candidates"
            raise DataError(-1, column, f"array of shape {scores.shape}", f"expected {expected}")
        return [(e, *candidates[c], float(scores[e, c])) for e, c in zip(*scores.nonzero(), strict=True)]
    result = []
    for item in scores:
        try:
            *where, score = item
            entity, start, end = map(index, where)
            result.append((entity, start, end, float(score)))
        except (TypeError, ValueError):
            raise DataError(-1, column, repr(item), "expected (source entity, start, end, score)") from None
        if not 0 <= entity <= LARGEST_INT32 or max(abs(start), abs(end)) > LARGEST_INT32:
            raise DataError(-1, column, repr(item), "expected whole numbers of at most 31 bits, the entity from 0 on")
    return result
