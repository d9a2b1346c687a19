"""Reports: the results of runs of recipes as one page, and as tables and plots beside it.

report = make_report(["runs/ngram", "runs/heuristic"])
write_report(report, "report.html", tables="tables")
"""

from __future__ import annotations

from xner._support.faces import listing
from xner.experiments.reports.page import write_report
from xner.experiments.reports.published import PublishedFigure, published_figures
from xner.experiments.reports.report import (
    AGREEMENT_SCHEMA,
    CHOICES_SCHEMA,
    CRITERIA,
    DIFFERENCES_SCHEMA,
    PUBLISHED_SCHEMA,
    Report,
    make_report,
)

__all__ = [
    "AGREEMENT_SCHEMA",
    "CHOICES_SCHEMA",
    "CRITERIA",
    "DIFFERENCES_SCHEMA",
    "PUBLISHED_SCHEMA",
    "PublishedFigure",
    "Report",
    "make_report",
    "published_figures",
    "write_report",
]

__dir__ = listing(__all__)
