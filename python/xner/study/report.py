"""The study as files: tables, plots, and one self-contained HTML page."""

from __future__ import annotations

import html
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from xner import io, labels, schema
from xner.study.plots import plots

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from xner.study.matching import MatchingStudy, Setting

__all__ = ["markdown", "render", "write_report"]

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
_TEXT = ("corpus", "score", "constraint", "matcher")


def write_report(study: MatchingStudy, folder: str | os.PathLike[str]) -> Path:
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
    page = target / "report.html"
    with io.replacing(page) as file:
        file.write(render(study, figures.items()).encode())
    return page


def _fields(point: Any) -> dict[str, Any]:
    return {name: getattr(point, name) for name in point.__slots__}


def _cells(row: dict[str, Any]) -> list[str]:
    return [form.format(row[name]) if row[name] is not None else "–" for name, form in _COLUMNS.items()]


def markdown(summary: pa.Table) -> str:
    """A study's summary as a table in Markdown."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + " --- |" * len(_COLUMNS)]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in summary.to_pylist()]
    return "\n".join(lines) + "\n"


def render(study: MatchingStudy, figures: Iterable[tuple[str, str]]) -> str:
    """The page: the sentences on which the matchers differ, the figures, the plots.

    Args:
        study: the study.
        figures: captions and SVG documents.
    """
    parts = {
        "title": html.escape(_TITLE),
        "signature": html.escape(study.signature),
        "style": _asset("style.css"),
        "differing": "\n".join(_differing(study)),
        "figures": _table(study.summary()),
        "plots": "\n".join(
            f"<figure><figcaption>{html.escape(caption)}</figcaption>{svg}</figure>" for caption, svg in figures
        ),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda marker: parts[marker[1]], _asset("template.html"))


def _asset(name: str) -> str:
    return (files("xner.study") / name).read_text(encoding="utf-8")


def _table(summary: pa.Table) -> str:
    def row(tag: str, cells: Iterable[str]) -> str:
        inner = "".join(
            f"<{tag}{' class=text' if name in _TEXT else ''}>{html.escape(cell)}</{tag}>"
            for name, cell in zip(_COLUMNS, cells, strict=True)
        )
        return f"<tr>{inner}</tr>"

    body = "".join(row("td", _cells(record)) for record in summary.to_pylist())
    return f'<div class="wide"><table><thead>{row("th", _COLUMNS)}</thead><tbody>{body}</tbody></table></div>'


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
    lines = []
    if record.get(schema.SOURCE_TOKENS):
        entities = [(e["start"], e["end"], e["label"]) for e in record[schema.SOURCE_ENTITIES]]
        lines.append(("source", _marked(record[schema.SOURCE_TOKENS], entities)))
    lines += [(matcher, _marked(tokens, labels.decode(tags))) for matcher, tags in found.items()]
    if record.get(schema.GOLD_LABELS):
        lines.append(("gold", _marked(tokens, labels.decode(record[schema.GOLD_LABELS]))))
    body = "".join(f'<dt>{html.escape(name)}</dt><dd dir="auto">{text}</dd>' for name, text in lines)
    name = html.escape(str(record.get(schema.ID) or f"row {row}"))
    return f"<details{' open' if open_ else ''}><summary>{name}</summary><dl>{body}</dl></details>"


def _marked(tokens: Sequence[str], entities: Sequence[tuple[int, int, str]]) -> str:
    starts = {start: (end, label) for start, end, label in entities}
    parts = []
    word = 0
    while word < len(tokens):
        if word in starts:
            end, label = starts[word]
            text = html.escape(" ".join(tokens[word:end]))
            parts.append(f"<mark>{text}<small>{html.escape(label)}</small></mark>")
            word = max(end, word + 1)
        else:
            parts.append(html.escape(tokens[word]))
            word += 1
    return " ".join(parts)
