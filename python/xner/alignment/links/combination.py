"""One set of links out of several, of different aligners or files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pyarrow as pa

from xner._support.arguments import choose, number, several
from xner.alignment.links._merging import LinkColumn, merge
from xner.errors import OptionError
from xner.schema import LINKS_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["COMBINATIONS", "Combination", "combine"]

Combination = Literal["union", "intersect", "vote", "mean"]
COMBINATIONS = dict.fromkeys(("union", "intersect", "vote", "mean"))

_WEIGHED = ("vote", "mean")


def combine(
    link_columns: Sequence[LinkColumn],
    method: Combination = "union",
    *,
    weights: Sequence[float] | None = None,
    threshold: float | None = None,
) -> pa.ListArray[Any]:
    """Make one set of links for each row out of several.

    Args:
        link_columns: the sets, as many rows each: Arrow arrays of lists of structs `source`, `target` and perhaps
            `score`, or rows of links in any other form: `(source, target)`, `(source, target, score)`, `Links`, ... A
            link without a score counts as one of 1.
        method: `union`: links of any set, with their best score. `intersect`: links of all sets, with their lowest
            score. `vote`: links whose share of the sets, by weight, exceeds the threshold; the share is the score.
            `mean`: links whose weighted mean score, 0 where a set has not the link, exceeds the threshold.
        weights: of the sets, for `vote` and `mean`; equal by default.
        threshold: for `vote` and `mean`; 0.5 by default.

    Returns:
        For each row a list of structs `source`, `target` and `score`, sorted by source, then target.

    Raises:
        Error: no set; numbers of rows differ; an option is wrong or does not go with the method.
        DataError: something else than links.
    """
    choose("method", method, COMBINATIONS)
    link_columns = several("link_columns", link_columns, "sets of links")
    if not link_columns:
        raise OptionError("link_columns=[]: expected at least one set of links")
    if method not in _WEIGHED and not (weights is None and threshold is None):
        raise OptionError(
            f"weights and threshold go with {' and '.join(map(repr, _WEIGHED))}, not with method={method!r}"
        )
    shares = _shares(weights, len(link_columns))
    least = 0.5 if threshold is None else number("threshold", threshold, "from 0 to 1", lambda value: 0 <= value <= 1)
    merged = merge(link_columns, [f"set {index}" for index in range(len(link_columns))])
    if method == "union":
        kept = np.ones(len(merged.row), np.bool_)
        scores = merged.scores.max(axis=0, where=merged.present, initial=-np.inf)
    elif method == "intersect":
        kept = merged.present.sum(axis=0) == len(link_columns)
        scores = merged.scores.min(axis=0, initial=np.inf)
    else:
        values = shares @ (merged.present if method == "vote" else merged.scores)
        # Three tenths and two fifths make no more than seven tenths.
        kept = np.greater(values, least + 1e-9)
        scores = values
    offsets = np.zeros(merged.rows + 1, np.int32)
    np.cumsum(merged.count(kept), out=offsets[1:])
    ends = [pa.array(side[kept].astype(np.int32)) for side in (merged.source, merged.target)]
    links = pa.StructArray.from_arrays(
        [*ends, pa.array(scores[kept].astype(np.float32))], fields=list(LINKS_TYPE.value_type)
    )
    return cast("pa.ListArray[Any]", pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), links).cast(LINKS_TYPE))


def _shares(weights: Sequence[float] | None, sets: int) -> npt.NDArray[np.float64]:
    if weights is None:
        return np.full(sets, 1 / sets)
    checked = [number("weights", value, "from 0 on", lambda one: 0 <= one < np.inf) for value in weights]
    if len(checked) != sets:
        raise OptionError(f"{len(checked)} weights for {sets} sets of links")
    if not sum(checked):
        raise OptionError("weights: at least one must be above 0")
    return np.array(checked) / sum(checked)
