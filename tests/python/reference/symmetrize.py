"""Symmetrisation of two alignments in plain Python, by Koehn et al. 2005 with the order of fast_align's atools."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["symmetrize"]

Link = tuple[int, int]


def symmetrize(forward: Iterable[Link], reverse: Iterable[Link], method: str) -> list[Link]:
    """The links of the two directions combined, sorted by source, then target."""
    there, back = set(forward), set(reverse)
    union = sorted(there | back)
    links = there & back
    if method == "intersect":
        return sorted(links)
    if method == "union":
        return union

    def source_free(link: Link) -> bool:
        return all(source != link[0] for source, _ in links)

    def target_free(link: Link) -> bool:
        return all(target != link[1] for _, target in links)

    grown = True
    while grown:
        grown = False
        for source, target in union:
            link = (source, target)
            near = any((source + ds, target + dt) in links for ds in (-1, 0, 1) for dt in (-1, 0, 1) if ds or dt)
            if link not in links and near and (source_free(link) or target_free(link)):
                links.add(link)
                grown = True
    if method != "grow-diag":
        for side in (there, back):
            for link in sorted(side):
                free = (source_free(link), target_free(link))
                if all(free) if method == "grow-diag-final-and" else any(free):
                    links.add(link)
    return sorted(links)
