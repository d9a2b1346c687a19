"""Arguments from callers, checked before the core sees them."""

from __future__ import annotations

from numbers import Real
from operator import index
from typing import TYPE_CHECKING

from xner.errors import DataError, Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LARGEST_INT32 = 2**31 - 1


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
