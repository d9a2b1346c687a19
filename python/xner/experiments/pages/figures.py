"""What plots of studies have in common."""

from __future__ import annotations

import io
from typing import Any

from xner._support.extras import require

__all__ = ["figure", "to_svg"]

_WHAT = "plotting"
_SIZE = (7.0, 4.0)  # inches


def figure(size: tuple[float, float] = _SIZE) -> tuple[Any, Any]:
    """A figure apart from pyplot's, which would keep it and may look for a screen, and its axes.

    Args:
        size: width and height in inches.

    Raises:
        Error: matplotlib is not installed.
    """
    made = require("matplotlib.figure", extra="report", what=_WHAT).Figure(figsize=size, layout="constrained")
    axes = made.add_subplot()
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return made, axes


def to_svg(made: Any) -> str:
    """A figure as SVG text that may stand inside a page: without XML declaration and document type."""
    # The same study gives the same bytes: no date, and identifiers that do not depend on chance.
    require("matplotlib", extra="report", what=_WHAT).rcParams["svg.hashsalt"] = "xner"
    text = io.StringIO()
    made.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
