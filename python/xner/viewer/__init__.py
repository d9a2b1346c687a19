"""One self-contained HTML page to look at projections: both sentences, word links, entity spans, scores."""

from __future__ import annotations

from xner.viewer.page import render, write

__all__ = ["render", "write"]
