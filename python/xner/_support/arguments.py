"""Arguments from callers, checked before the core sees them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from math import isfinite
from numbers import Real
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar

import numpy as np

from xner._support.arrow import as_arrow, pylist
from xner.errors import DataError, Error, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt


T = TypeVar("T")
IntegerT = TypeVar("IntegerT", np.int32, np.int64)

LARGEST_INT32 = 2**31 - 1


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """`; did you mean 'exact'?`, to end a message about a name that is unknown; empty where no known one is near."""
    spelled = {one.lower(): one for one in known}
    lower = name.lower() if isinstance(name, str) else ""
    parts = [one for one in spelled if len(lower) > 2 and lower in one]  # `2025` of `politov2025`
    near = get_close_matches(lower, spelled, n=2, cutoff=0.7) or parts[:2]
    return f"; did you mean {' or '.join(repr(spelled[one]) for one in near)}?" if near else ""


def choose(option: str, value: object, table: Mapping[str, T]) -> T:
    """Look an option's value up in its table.

    Raises:
        OptionError: the table does not have it; the message lists what it has, and names the nearest.
    """
    if isinstance(value, str) and value in table:
        return table[value]
    raise OptionError(f"{option}={value!r}: expected one of {', '.join(map(repr, table))}{did_you_mean(value, table)}")


def unknown_option(name: str, known: Iterable[str]) -> OptionError:
    """What is to be raised about a keyword that is no option; names the nearest options, or all where none is near."""
    known = list(known)
    near = did_you_mean(name, known)
    return OptionError(f"unknown option {name!r}{near or ': expected one of ' + ', '.join(map(repr, known))}")


def whole_number(option: str, value: object, least: int, most: int = LARGEST_INT32) -> int:
    """An option that counts something.

    Raises:
        OptionError: not a whole number from `least` to `most`.
    """
    if isinstance(value, bool | type) or not isinstance(value, SupportsIndex) or not least <= index(value) <= most:
        raise OptionError(f"{option}={value!r}: expected a whole number from {least} to {most}")
    return index(value)


def number(option: str, value: object, expected: str, fits: Callable[[float], bool]) -> float:
    """An option that is a number, of which `expected` says which ones and `fits` whether it is one.

    Raises:
        OptionError: it is none of them.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not fits(float(value)):
        raise OptionError(f"{option}={value!r}: expected a number {expected}")
    return float(value)


def real_array(name: str, values: object) -> npt.NDArray[np.floating[Any]]:
    """Numbers as an array of floats, as far as none of them changes: float32 and float64 arrays as they are.

    Args:
        name: of the argument, for messages.
        values: a list, a NumPy or Arrow array, or anything that becomes an array; lists of lists as well.

    Returns:
        float32 or float64, of the shape that `values` has.

    Raises:
        Error: rows of different lengths, something that is no number, or whole numbers that float64 does not hold.
    """
    arrow = None if isinstance(values, np.ndarray | list | tuple) else as_arrow(values)
    try:
        array = np.asarray(values if arrow is None else arrow.to_pylist())
    except ValueError as error:
        raise Error(f"{name}: expected numbers in rows of one length ({error})") from None
    if array.dtype in {np.dtype(np.float32), np.dtype(np.float64)}:
        return array
    exact = array.astype(np.float64) if array.dtype.kind in "iuf" else None
    if exact is None or not np.array_equal(exact.astype(array.dtype), array, equal_nan=True):
        raise Error(f"{name}: expected numbers that float64 holds, found {array.dtype} of shape {array.shape}")
    return exact


def integer_array(name: str, values: object, dtype: type[IntegerT]) -> npt.NDArray[IntegerT]:
    """Whole numbers as a one-dimensional, contiguous array.

    Args:
        name: of the argument, for messages.
        values: a list, or anything that becomes an array.
        dtype: of the array.

    Raises:
        DataError: something else, or numbers that `dtype` does not hold.
    """
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise DataError(-1, name, f"{array.ndim}-dimensional {array.dtype}", "expected a list of whole numbers")
    limits = np.iinfo(dtype)
    wrong = (array < limits.min) | (array > limits.max)
    if wrong.any():
        raise DataError(-1, name, str(array[wrong][0]), f"expected numbers of at most {limits.bits - 1} bits")
    return np.ascontiguousarray(array, dtype=dtype)


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


def several(option: str, value: object, what: str) -> list[Any]:
    """What an argument has one after the other.

    Args:
        option: the argument's name.
        value: what was given.
        what: is expected in it, for the message: "filters".

    Raises:
        OptionError: one string, which is a sequence of strings as well but never meant as one, or no sequence at all.
    """
    if isinstance(value, str):
        raise OptionError(f"{option}={value!r}: expected a sequence of {what}, not one string")
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        raise OptionError(f"{option}={value!r}: expected a sequence of {what}")
    return list(value)


def file_path(option: str, value: object) -> Path:
    """An argument that names a file.

    Raises:
        OptionError: something else than a text or a path.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise OptionError(f"{option}={value!r}: expected the path of a file, a text or a pathlib.Path")
    return Path(value)


def words(option: str, value: Iterable[str]) -> list[str]:
    """A sequence of strings: a list, or anything else that has them in order, Arrow arrays included.

    Raises:
        OptionError: as `several`.
        DataError: an element is not a string, or holds half a surrogate pair and so is not Unicode text.
    """
    array = None if isinstance(value, list | tuple | str) else as_arrow(value)
    result = several(option, value, "words") if array is None else pylist(array)
    if _are_ascii(result):  # as most are, and quick to see
        return result
    for position, word in enumerate(result):
        if not isinstance(word, str):
            raise DataError(-1, option, repr(word), f"word {position} is not a string")
        if not word.isascii() and any("\ud800" <= character <= "\udfff" for character in word):
            raise DataError(-1, option, repr(word), f"word {position} is not valid Unicode text")
    return result


def _are_ascii(values: Sequence[Any]) -> bool:
    try:
        return "".join(values).isascii()
    except TypeError:  # one is no string
        return False


def positive_number(option: str, value: object) -> float:
    """A finite number above 0; raises as `number` does."""
    return number(option, value, "above 0", lambda found: isfinite(found) and found > 0)


def number_from_zero(option: str, value: object) -> float:
    """A finite number from 0 on; raises as `number` does."""
    return number(option, value, "from 0 on", lambda found: isfinite(found) and found >= 0)
