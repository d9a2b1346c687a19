"""One alignment out of a source-to-target and a target-to-source one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import xner._core as _core
from xner._support.arguments import choose
from xner._support.records import link_tuples

if TYPE_CHECKING:
    from xner._support.records import LinksLike

__all__ = ["SYMMETRIZATIONS", "Symmetrization", "symmetrize"]

Symmetrization = Literal["intersect", "union", "grow-diag", "grow-diag-final", "grow-diag-final-and"]

SYMMETRIZATIONS = {
    "intersect": _core.Symmetrization.intersect,
    "union": _core.Symmetrization["union"],
    "grow-diag": _core.Symmetrization.grow_diag,
    "grow-diag-final": _core.Symmetrization.grow_diag_final,
    "grow-diag-final-and": _core.Symmetrization.grow_diag_final_and,
}


def symmetrize(forward: LinksLike, reverse: LinksLike, method: Symmetrization) -> list[tuple[int, int]]:
    """Make one alignment of a source-to-target and a target-to-source one.

    Args:
        forward: links `(source, target)` of the one direction, in any form; order and repetitions do not matter, and
            scores, where links have them, have no say.
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
        [link[:2] for link in link_tuples("forward", forward)],
        [link[:2] for link in link_tuples("reverse", reverse)],
        method=choose("method", method, SYMMETRIZATIONS),
    )
