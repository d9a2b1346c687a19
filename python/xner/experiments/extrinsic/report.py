"""The study of extrinsic evaluation as files: tables, plots, predictions, and one self-contained HTML page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from xner import io, labels
from xner.experiments.extrinsic.study import predictions
from xner.experiments.pages.figures import figure, to_svg
from xner.experiments.pages.page import figures_html, markdown_table, marked, page, sentence, table_html

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from xner.experiments.extrinsic.study import ExtrinsicStudy

__all__ = ["markdown", "write_extrinsic_report"]

# Sentences that the page shows of each of the test data.
_SHOWN = 50
_TITLE = "Extrinsic evaluation"

_SUMMARY_COLUMNS = {
    "test": "{}",
    "method": "{}",
    "runs": "{:d}",
    "sentences": "{:d}",
    "f1": "{:.4f}",
    "f1_deviation": "{:.4f}",
    "f1_low": "{:.3f}",
    "f1_high": "{:.3f}",
    "precision": "{:.3f}",
    "recall": "{:.3f}",
    "f1_loss": "{:+.3f}",
}
_NOTE = (
    '<p class="quiet">Intervals and p-values are about the choice of sentences, over all runs; f1_deviation says '
    "what the seed does. p_holm is p_randomization, adjusted for the number of comparisons.</p>"
)
_COMPARISON_COLUMNS = {
    "test": "{}",
    "method": "{}",
    "against": "{}",
    "difference": "{:+.4f}",
    "low": "{:+.3f}",
    "high": "{:+.3f}",
    "p_bootstrap": "{:.4f}",
    "p_randomization": "{:.4f}",
    "p_holm": "{:.4f}",
}


def markdown(study: ExtrinsicStudy) -> str:
    """The scores, and the differences between the methods, as tables in Markdown."""
    parts = [markdown_table(study.summary.to_pylist(), _SUMMARY_COLUMNS)]
    compared = [asdict(one) for one in study.comparisons]
    if compared:
        parts.append(markdown_table(compared, _COMPARISON_COLUMNS))
    return "\n".join(parts)


def write_extrinsic_report(study: ExtrinsicStudy, folder: str | os.PathLike[str]) -> Path:
    """Write all that a study found.

    Args:
        study: the study.
        folder: gets `summary.md`, `summary.csv`, `comparisons.csv`, `plot-N.svg` and `predictions-N.parquet` for each
            of the test data, and `report.html`; made if it is not there.

    Returns:
        The page's path.

    Raises:
        Error: matplotlib is not installed.
        OSError: a file cannot be written.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    figures = {f"F1 on {test}": _plot(study, test) for test in study.tests}
    texts = {"summary.md": f"{markdown(study)}\n{study.signature}\n"}
    texts |= {f"plot-{number}.svg": svg for number, svg in enumerate(figures.values(), 1)}
    compared = [asdict(one) for one in study.comparisons]
    tables = {"summary.csv": study.summary}
    if compared:
        tables["comparisons.csv"] = pa.Table.from_pylist(compared)
    for number, test in enumerate(study.tests, 1):
        io.write(predictions(study, test), target / f"predictions-{number}.parquet")
    for name, table in tables.items():
        with io.replacing(target / name) as file:
            pacsv.write_csv(table, file)
    sections = {
        "Scores": table_html(study.summary.to_pylist(), _SUMMARY_COLUMNS),
        "Differences": _NOTE + table_html(compared, _COMPARISON_COLUMNS) if compared else "<p>There is one method.</p>",
        "Plots": figures_html(figures.items()),
        "Where the methods differ": "\n".join(_differing(study)),
    }
    texts["report.html"] = page(_TITLE, study.signature, sections)
    for name, text in texts.items():
        with io.replacing(target / name) as file:
            file.write(text.encode())
    return target / "report.html"


def _plot(study: ExtrinsicStudy, test: str) -> str:
    """Each run's F1 as a point, their mean, and the bootstrap interval."""
    drawing, axes = figure((7.0, 1.2 + 0.5 * len(study.methods)))
    for place, row in enumerate(row for row in study.summary.to_pylist() if row["test"] == test):
        runs = [run.scores[test].f1 for run in study.runs[row["method"]]]
        axes.plot([row["f1_low"], row["f1_high"]], [place, place], color="C0", alpha=0.4, linewidth=4)
        axes.plot(runs, [place] * len(runs), "o", color="C0", markersize=4)
        axes.plot([row["f1"]], [place], "|", color="black", markersize=14)
    axes.set_yticks(range(len(study.methods)), [method.name for method in study.methods])
    axes.set_ylim(len(study.methods) - 0.5, -0.5)
    axes.set_xlabel(f"entity-level micro F1: runs, mean, {100 * study.confidence:g} % bootstrap interval")
    return to_svg(drawing)


def _differing(study: ExtrinsicStudy) -> Iterable[str]:
    """Sentences that the first runs of the methods label differently."""
    is_first = True
    for test, judged in study.tests.items():
        first: dict[str, Any] = {name: runs[0].labels[test] for name, runs in study.runs.items()}
        rows = [row for row in range(len(judged.sentences)) if len({tuple(one[row]) for one in first.values()}) > 1]
        if not rows:
            continue
        yield f"<h3>{len(rows)} sentences of {test}</h3>"
        if len(rows) > _SHOWN:
            yield f'<p class="quiet">The first {_SHOWN} of them.</p>'
        for row in rows[:_SHOWN]:
            tokens = judged.sentences.tokens[row]
            readings = {"gold": judged.gold[row], **{name: one[row] for name, one in first.items()}}
            lines = {name: marked(tokens, labels.decode(found)) for name, found in readings.items()}
            yield sentence(f"row {row}", lines, is_open=is_first)
            is_first = False
    if is_first:
        yield "<p>Nowhere: all methods give the same labels.</p>"
