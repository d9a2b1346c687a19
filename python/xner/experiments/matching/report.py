"""The study of matching as files: tables, plots, and one self-contained HTML page."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from xner import io, labels, schema
from xner.experiments.matching.plots import plots
from xner.experiments.pages.page import figures_html, markdown_table, marked, page, sentence, table_html

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from xner.experiments.matching.study import MatchingStudy, Setting

__all__ = ["markdown", "render", "write_matching_report"]

# Sentences of a setting that the page shows; the tables count all.
_SHOWN = 50
_TITLE = "Greedy and exact matching"

_COLUMNS = {
    "corpus": "{}",
    "score": "{}",
    "constraint": "{}",
    "matcher": "{}",
    "problems": "{}",
    "infeasible": "{:.1%}",
    "optimal": "{:.1%}",
    "gap": "{:.3%}",
    "below": "{:.2%}",
    "differing": "{:.2%}",
    "f1": "{:.4f}",
    "f1_low": "{:.3f}",
    "f1_high": "{:.3f}",
    "median_us": "{:.1f}",
    "mean_us": "{:.1f}",
    "slowest_us": "{:.0f}",
}


def write_matching_report(study: MatchingStudy, folder: str | os.PathLike[str]) -> Path:
    """Write all that a study found.

    Args:
        study: the study.
        folder: gets `summary.md`, `summary.csv`, `summary.parquet`, `growth.csv`, the plots as `*.svg`, and
            `report.html`; made if it is not there.

    Returns:
        The page's path.

    Raises:
        Error: matplotlib is not installed.
        OSError: a file cannot be written.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    figures = plots(study)
    summary = study.summary()
    growth = pa.Table.from_pylist([_fields(point) for point in study.growth])
    with io.replacing(target / "summary.md") as file:
        file.write(f"{markdown(summary)}\n{study.signature}\n".encode())
    for name, table in (("summary", summary), ("growth", growth)):
        if table.num_columns:
            with io.replacing(target / f"{name}.csv") as file:
                pacsv.write_csv(table, file)
    io.write(summary, target / "summary.parquet")
    for number, svg in enumerate(figures.values(), 1):
        with io.replacing(target / f"plot-{number}.svg") as file:
            file.write(svg.encode())
    place = target / "report.html"
    with io.replacing(place) as file:
        file.write(render(study, figures.items()).encode())
    return place


def _fields(point: Any) -> dict[str, Any]:
    return {name: getattr(point, name) for name in point.__slots__}


def markdown(summary: pa.Table) -> str:
    """A study's summary as a table in Markdown."""
    return markdown_table(summary.to_pylist(), _COLUMNS)


def render(study: MatchingStudy, figures: Iterable[tuple[str, str]]) -> str:
    """The page: the sentences on which the matchers differ, the figures, the plots.

    Args:
        study: the study.
        figures: captions and SVG documents.
    """
    sections = {
        "Where the matchers differ": "\n".join(_differing(study)),
        "Figures": table_html(study.summary().to_pylist(), _COLUMNS),
        "Plots": figures_html(figures),
    }
    return page(_TITLE, study.signature, sections)


def _differing(study: MatchingStudy) -> Iterable[str]:
    first = study.matchers[0]
    nowhere = True
    for setting in study.problems:
        for matcher in study.matchers[1:]:
            rows = study.differing(setting, matcher)
            if not rows:
                continue
            yield f"<h3>{html.escape(str(setting))}: {matcher} against {first}, {len(rows)} sentences</h3>"
            if len(rows) > _SHOWN:
                yield f'<p class="quiet">The first {_SHOWN} of them.</p>'
            ours, theirs = study.labels(setting, first), study.labels(setting, matcher)
            for row in rows[:_SHOWN]:
                yield _sentence(study, setting, row, {first: ours[row], matcher: theirs[row]}, open_=nowhere)
                nowhere = False
    if nowhere:
        yield "<p>Nowhere: all matchers give the same labels.</p>"


def _sentence(study: MatchingStudy, setting: Setting, row: int, found: dict[str, Sequence[str]], *, open_: bool) -> str:
    record = study.corpora[setting.corpus].slice(row, 1).to_pylist()[0]
    tokens = record[schema.TOKENS]
    lines = {}
    if record.get(schema.SOURCE_TOKENS):
        entities = [(e["start"], e["end"], e["label"]) for e in record[schema.SOURCE_ENTITIES]]
        lines["source"] = marked(record[schema.SOURCE_TOKENS], entities)
    lines |= {matcher: marked(tokens, labels.decode(tags)) for matcher, tags in found.items()}
    if record.get(schema.GOLD_LABELS):
        lines["gold"] = marked(tokens, labels.decode(record[schema.GOLD_LABELS]))
    return sentence(str(record.get(schema.ID) or f"row {row}"), lines, is_open=open_)
