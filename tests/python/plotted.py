"""Which files plots come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import extras

if TYPE_CHECKING:
    from collections.abc import Iterable


def plot_names(names: Iterable[str]) -> list[str]:
    """The files of plots, in order; pictures in pixels come with the extra `plots`."""
    endings = ("svg",) if extras.missing("plots") else ("png", "svg")
    return sorted(f"plot-{name}.{ending}" for name in names for ending in endings)
