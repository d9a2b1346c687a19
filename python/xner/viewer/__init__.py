"""One self-contained HTML page to look at projections: both sentences, word links, entity spans, scores."""

from __future__ import annotations

from xner._support.faces import listing
from xner.viewer.page import Page, render, view

__all__ = ["Page", "render", "view"]

__dir__ = listing(__all__)
