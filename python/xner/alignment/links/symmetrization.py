"""One alignment out of a source-to-target and a target-to-source one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import xner._core as _core
from xner._support.arguments import choose, index_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SYMMETRIZATIONS", "Symmetrization", "symmetrize"]

Symmetrization = Literal["intersect", "union", "grow-diag", "grow-diag-final", "grow-diag-final-and"]

SYMMETRIZATIONS = {
    "intersect": _core.Symmetrization.intersect,
    "union": _core.Symmetrization["union"],
    "grow-diag": _core.Symmetrization.grow_diag,
    "grow-diag-final": _core.Symmetrization.grow_diag_final,
    "grow-diag-final-and": _core.Symmetrization.grow_diag_final_and,
}


def symmetrize(
    forward: Iterable[tuple[int, int]], reverse: Iterable[tuple[int, int]], method: Symmetrization
) -> list[tuple[int, int]]:
    """Make one alignment of a source-to-target and a target-to-source one.

    Args:
        forward: links `(source, target)` of the one direction; order and repetitions do not matter.
        reverse: links `(source, target)` of the other, indices the same way round.
        method: `intersect`, `union`, or growing from the intersection towards the union: `grow-diag` adds
            links next to present ones while one of their words is free, `-final` then links with one free
            word, `-final-and` links with both words free. Equal to fast_align's `atools`.

    Returns:
        The links, sorted by source, then target.

    Raises:
        DataError: a link is not a pair of whole numbers.
        Error: an unknown method, or an index that is negative or beyond any sentence.

    Source: Och, Ney 2003; Koehn et al. 2005.
    """
    return _core.symmetrize(
        index_pairs("forward", forward),
        index_pairs("reverse", reverse),
        method=choose("method", method, SYMMETRIZATIONS),
    )
