"""Word links out of similarities of sub-words, as a multilingual encoder gives them.

    links = xner.links.extract(similarity, "itermax", source_words=source_words, target_words=target_words)
    links.pairs                     # [[0, 0], [1, 2], ...]: source word, target word
    links.scores                    # float32, one a link

`extract_batch` does the same for many sentence pairs on several threads.

Source: Jalili Sabet et al. 2020, *SimAlign* (itermax, mwmf); Dou, Neubig 2021, *AWESoME* (softmax, entmax15).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

import xner._core as _core
from xner._support.arguments import choose, integer_array, number, whole_number
from xner._support.arrow import from_core
from xner.errors import DataError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    import pyarrow as pa

__all__ = ["METHODS", "Links", "Method", "extract", "extract_batch"]

T = TypeVar("T", np.int32, np.int64)

Method = Literal["fwd", "rev", "inter", "itermax", "mwmf", "softmax", "entmax15"]

METHODS = {
    "fwd": _core.ExtractionMethod.forward,
    "rev": _core.ExtractionMethod.reverse,
    "inter": _core.ExtractionMethod.intersect,
    "itermax": _core.ExtractionMethod.itermax,
    "mwmf": _core.ExtractionMethod.mwmf,
    "softmax": _core.ExtractionMethod.softmax,
    "entmax15": _core.ExtractionMethod.entmax15,
}

_TAKES = {
    **dict.fromkeys(METHODS, ("distortion",)),
    "itermax": ("max_count", "alpha", "distortion"),
    **dict.fromkeys(("softmax", "entmax15"), ("threshold", "null_threshold")),
}
_DEFAULT_THRESHOLDS = {"softmax": 0.001, "entmax15": 0.0}


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """The links of one sentence pair.

    Attributes:
        pairs: links x 2, int32: source and target index, sorted by source, then target.
        scores: float32, one a link.
    """

    pairs: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        """Each link as `(source, target, score)`: what takes links takes these."""
        return zip(*self.pairs.T.tolist(), self.scores.tolist(), strict=True)

    def __repr__(self) -> str:
        return f"Links({len(self)} links)"


def extract(
    similarity: npt.NDArray[np.float32] | npt.NDArray[np.float16],
    method: Method,
    *,
    max_count: int | None = None,
    alpha: float | None = None,
    distortion: float | None = None,
    threshold: float | None = None,
    null_threshold: float | None = None,
    source_words: npt.ArrayLike | None = None,
    target_words: npt.ArrayLike | None = None,
) -> Links:
    """Link sub-words, or words, by a matrix of similarities.

    Methods, of which each takes the options named with it; ties go to the first index:

    - `fwd`: each row's best column. Takes `distortion`, like all but the last two.
    - `rev`: each column's best row.
    - `inter`: what `fwd` and `rev` agree on.
    - `itermax`: `inter`, then up to `max_count - 1` times the same with cells weighed: by `alpha` if their row or
      their column has a link, by 0 if both have. Nothing is added to a matrix of at most two rows or columns.
    - `mwmf`: the matching of the highest total similarity among those with `min(rows, columns)` links.
    - `softmax`: cells whose probability, by the softmax over their row and by that over their column, is above
      `threshold` both times. Takes `null_threshold` too.
    - `entmax15`: the same with 1.5-entmax, whose probabilities are 0 for most cells.

    Args:
        similarity: source sub-words x target sub-words, float32 or float16, any strides; real sub-words only.
        method: see above.
        max_count: rounds of `itermax`, at least 1; default 2.
        alpha: in (0, 1]; default 0.9.
        distortion: in [0, 1], default 0: similarities are multiplied by `1 - distortion * d**2`, where `d` is the
            difference of the two relative positions, `row / (rows - 1) - column / (columns - 1)`. A single row
            or column has no relative positions and stays as it is.
        threshold: in [0, 1); default 0.001 for `softmax`, 0 for `entmax15`. The softmax is computed in float32,
            and compared by logarithms, so that 0 links everything.
        null_threshold: the similarity to "no word", none by default. It enters each row's and each column's
            distribution as one more cell, and a link must be more probable than that cell in both.
        source_words: for each row the index of the word that it is a piece of, -1 for a piece of no word, which
            gets no links. With it, links have word indices on this side: two words are linked when any of their
            pieces are, with the best score among those.
        target_words: likewise for each column.

    Returns:
        The links. The score is the similarity, with the distortion factor; for `softmax` and `entmax15` the
        smaller one of the two probabilities, so that of two thresholds the higher one gives the links that
        score above it.

    Raises:
        DataError: a cell that is not a finite number, or a word map that does not fit.
        Error: an unknown method, an option that it does not take, or one out of its range.

    Source: Jalili Sabet et al. 2020, section 2 (`itermax` is its algorithm 1, `mwmf` its "Match"); Dou, Neubig
        2021, section 2.2; Peters, Niculae, Martins 2019 for entmax. The null cell is ours.
    """
    pairs, scores = _core.extract_links(
        similarity,
        _optional("source_words", source_words, np.int32),
        _optional("target_words", target_words, np.int32),
        _options(method, max_count, alpha, distortion, threshold, null_threshold),
    )
    return Links(pairs, scores)


def extract_batch(
    similarities: Sequence[npt.NDArray[np.float32] | npt.NDArray[np.float16]]
    | npt.NDArray[np.float32]
    | npt.NDArray[np.float16],
    method: Method,
    *,
    source_lengths: npt.ArrayLike | None = None,
    target_lengths: npt.ArrayLike | None = None,
    source_words: Sequence[npt.ArrayLike] | None = None,
    target_words: Sequence[npt.ArrayLike] | None = None,
    threads: int = 0,
    max_count: int | None = None,
    alpha: float | None = None,
    distortion: float | None = None,
    threshold: float | None = None,
    null_threshold: float | None = None,
) -> pa.ListArray[Any]:
    """Link the words of many sentence pairs.

    Args:
        similarities: a list of matrices as `extract` takes them, or one array of matrices x rows x columns, padded
            to one size, as a batched matrix product gives it. Nothing is copied on the way to the core.
        method: as in `extract`.
        source_lengths: with a padded array: the number of real rows of each matrix; without, all are.
        target_lengths: likewise, of columns.
        source_words: for each matrix the word of each of its real rows, as in `extract`.
        target_words: likewise, of columns.
        threads: 0: one a core. Never changes the result.
        max_count: as in `extract`, like all that follow.
        alpha: see there.
        distortion: see there.
        threshold: see there.
        null_threshold: see there.

    Returns:
        One list of links with scores a matrix, of the type `xner.schema.LINKS_TYPE`, sorted as in `extract`.

    Raises:
        DataError: what `extract` raises it for; it names the row.
        Error: what `extract` raises it for, or arguments with different numbers of rows.
    """
    options = _options(method, max_count, alpha, distortion, threshold, null_threshold)
    threads = whole_number("threads", threads, 0)
    source, target = _word_maps("source_words", source_words), _word_maps("target_words", target_words)
    if isinstance(similarities, np.ndarray):
        links = _core.extract_padded_link_lists(
            similarities,
            _optional("source_lengths", source_lengths, np.int64),
            _optional("target_lengths", target_lengths, np.int64),
            source,
            target,
            options,
            threads=threads,
        )
        return from_core(links)
    if source_lengths is not None or target_lengths is not None:
        raise OptionError(
            "source_lengths and target_lengths go with a padded array; matrices of a list have their own sizes"
        )
    return from_core(_core.extract_link_lists(list(similarities), source, target, options, threads=threads))


def _options(
    method: Method,
    max_count: int | None,
    alpha: float | None,
    distortion: float | None,
    threshold: float | None,
    null_threshold: float | None,
) -> _core.ExtractionOptions:
    """The core's options, checked.

    Raises:
        Error: as in `extract`.
    """
    options = _core.ExtractionOptions()
    options.method = choose("method", method, METHODS)
    given = {
        "max_count": max_count,
        "alpha": alpha,
        "distortion": distortion,
        "threshold": threshold,
        "null_threshold": null_threshold,
    }
    for name, value in given.items():
        if value is not None and name not in _TAKES[method]:
            raise OptionError(f"{name}={value!r}: the method {method!r} takes only {', '.join(_TAKES[method])}")
    if max_count is not None:
        options.max_count = whole_number("max_count", max_count, 1)
    if alpha is not None:
        options.alpha = number("alpha", alpha, "above 0 and at most 1", lambda value: 0 < value <= 1)
    if distortion is not None:
        options.distortion = number("distortion", distortion, "from 0 to 1", lambda value: 0 <= value <= 1)
    if threshold is None:
        threshold = _DEFAULT_THRESHOLDS.get(method, 0.0)
    options.threshold = number("threshold", threshold, "of at least 0 and below 1", lambda value: 0 <= value < 1)
    if null_threshold is not None:
        options.null_threshold = number("null_threshold", null_threshold, "of 32 bits", _fits_float32)
    return options


def _fits_float32(value: float) -> bool:
    return abs(value) <= float(np.finfo(np.float32).max)


def _word_maps(name: str, maps: Sequence[npt.ArrayLike] | None) -> list[npt.NDArray[np.int32]] | None:
    if maps is None:
        return None
    result = []
    for row, words in enumerate(maps):
        try:
            result.append(integer_array(name, words, np.int32))
        except DataError as error:
            raise DataError(row, error.column, error.value, error.reason) from None
    return result


def _optional(name: str, values: npt.ArrayLike | None, dtype: type[T]) -> npt.NDArray[T] | None:
    return None if values is None else integer_array(name, values, dtype)
