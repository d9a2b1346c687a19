"""The study of extrinsic evaluation as files: tables, plots, predictions, and one self-contained HTML page."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from xner import io, labels, schema
from xner._support.pages import Html, element, lines
from xner.experiments.extrinsic.findings import findings
from xner.experiments.extrinsic.study import predictions
from xner.experiments.pages.page import made_by, page, plots_html
from xner.experiments.pages.plots import Axis, Mark, intervals, plot_files
from xner.experiments.pages.sentences import VIEW, Reading, Sentence, View, block, most_different
from xner.experiments.pages.tables import (
    figure_column,
    interval_column,
    markdown_table,
    number,
    signed,
    table_html,
    text_column,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from xner.experiments.extrinsic.study import ExtrinsicStudy
    from xner.experiments.pages.plots import Plot
    from xner.experiments.pages.sentences import WriteView
    from xner.experiments.pages.tables import Column, Row

__all__ = ["markdown", "render", "write_extrinsic_report"]

_TITLE = "Extrinsic evaluation"

_TEST = text_column("test", "test", "gold data that the taggers were scored on")
_METHOD = text_column("method", "method", "the way to a tagger")


def _summary_columns(study: ExtrinsicStudy) -> list[Column]:
    wide = f"{100 * study.confidence:g} %"
    columns = [
        _METHOD,
        figure_column("runs", "runs", number(0), "taggers, one a seed"),
        figure_column("sentences", "sentences", number(0), "rows of the training data"),
        interval_column(
            f"F1, {wide} interval", "f1", number(3), "entity-level micro F1, mean over the runs; bootstrap"
        ),
        figure_column("deviation", "f1_deviation", number(3), "standard deviation of the runs' F1: what the seed does"),
        figure_column("precision", "precision", number(3), "share of the found entities that are right, mean"),
        figure_column("recall", "recall", number(3), "share of the gold entities that were found, mean"),
    ]
    if len(study.tests) > 1:
        meaning = "what F1 loses against the first test data; below 0 it gains"
        columns.append(figure_column("loss", "f1_loss", signed(3), meaning))
    return columns


def _comparison_columns(study: ExtrinsicStudy) -> list[Column]:
    return [
        _METHOD,
        text_column("against", "against", "the method that it is compared with"),
        interval_column(
            f"difference, {100 * study.confidence:g} % interval",
            "difference",
            signed(4),
            "F1 minus that of the other method; paired bootstrap over sentences",
            bounds=("low", "high"),
        ),
        figure_column("p, bootstrap", "p_bootstrap", number(4), "one-sided p-value of paired bootstrap"),
        figure_column("p, randomization", "p_randomization", number(4), "two-sided, of approximate randomization"),
        figure_column(
            "p, Holm", "p_holm", number(4), "the latter, adjusted for the number of comparisons on the same data"
        ),
    ]


def markdown(study: ExtrinsicStudy) -> str:
    """What was found, the scores, and the differences between the methods, as tables in Markdown."""
    parts = [f"{told}\n" for told in findings(study)]
    parts.append(markdown_table(study.summary.to_pylist(), [_TEST, *_summary_columns(study)]))
    if study.comparisons:
        parts.append(markdown_table(map(asdict, study.comparisons), [_TEST, *_comparison_columns(study)]))
    return "\n".join(parts)


def write_extrinsic_report(
    study: ExtrinsicStudy,
    folder: str | os.PathLike[str],
    *,
    view: WriteView | None = None,
    command: str | None = None,
) -> Path:
    """Write all that a study found.

    Args:
        study: the study.
        folder: gets `summary.md`, `summary.csv`, `comparisons.csv`, for each of the test data `plot-f1-N.svg`,
            `plot-difference-N.svg` and `predictions-N.parquet`, `report.html`, and with `view` the sentences that it
            names as `view.html`; made if it is not there.
        view: `xner.viewer.view`, or what writes another page of the same rows; None: no such page, and no links.
        command: line that made the study, for the page.

    Returns:
        The page's path.

    Raises:
        OSError: a file cannot be written.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    tables = {"summary.csv": study.summary}
    if study.comparisons:
        tables["comparisons.csv"] = pa.Table.from_pylist([asdict(one) for one in study.comparisons])
    for number_, test in enumerate(study.tests, 1):
        io.write(predictions(study, test), target / f"predictions-{number_}.parquet")
    for name, table in tables.items():
        with io.replacing(target / name) as file:
            pacsv.write_csv(table, file)
    scores, differences = _score_plots(study), _difference_plots(study)
    rows = None if view is None else View()
    files = plot_files([*scores, *differences])
    files["summary.md"] = f"{markdown(study)}\n{study.signature}\n".encode()
    files["report.html"] = render(study, scores, differences, view=rows, command=command).encode()
    if view is not None and rows is not None:
        rows.write(target / VIEW, f"{_TITLE}: sentences", view)
    for name, content in files.items():
        with io.replacing(target / name) as file:
            file.write(content)
    return target / "report.html"


def render(
    study: ExtrinsicStudy,
    scores: Sequence[Plot],
    differences: Sequence[Plot],
    *,
    view: View | None = None,
    command: str | None = None,
) -> str:
    """The page.

    Args:
        study: the study.
        scores: plots of the scores.
        differences: plots of the differences.
        view: gets the rows that the page's sentences link to; without, there are no links.
        command: line that made the study.
    """
    help_ = "Intervals are about the choice of sentences, over all runs; the deviation is about the seeds."
    table = table_html("Scores on gold labels", help_, _by_test(study.summary.to_pylist()), _summary_columns(study))
    sections: dict[str, str] = {"Scores": lines([table, plots_html(scores)])}
    if study.comparisons:
        sections["Differences"] = _compared(study, differences)
        sections["Where the methods differ"] = _differing(study, view)
    used = ("torch", "transformers", "accelerate")
    sections["How it was made"] = made_by(command, study.signature, study.data, used)
    return page(_TITLE, findings(study), sections)


def _by_test(rows: Sequence[Row]) -> dict[str, list[Row]]:
    return {test: list(some) for test, some in itertools.groupby(rows, key=lambda row: str(row["test"]))}


def _compared(study: ExtrinsicStudy, plots: Sequence[Plot]) -> Html:
    help_ = (
        "Every method against every one before it; an interval without 0 and a small p-value speak for a difference."
    )
    rows = _by_test([asdict(one) for one in study.comparisons])
    parts = [table_html("Differences between the methods", help_, rows, _comparison_columns(study))]
    parts.append(plots_html(plots) if plots else element("p", "All methods tie: there is nothing to draw."))
    return lines(parts)


def _score_plots(study: ExtrinsicStudy) -> list[Plot]:
    """Each run's F1 as a point, their mean, and the bootstrap interval."""
    wide = f"{100 * study.confidence:g} % interval"
    help_ = f"Mean over the runs with its {wide}; small points are single runs. Further to the right is better."
    found = []
    for number_, (test, rows) in enumerate(_by_test(study.summary.to_pylist()).items(), 1):
        marks = {}
        for row in rows:
            runs = [run.scores[test].f1 for run in study.runs[row["method"]]]
            marks[row["method"]] = {"F1": Mark(row["f1"], row["f1_low"], row["f1_high"], runs)}
        axis = Axis("entity-level micro F1 (from 0 to 1)")
        found.append(intervals(f"f1-{number_}", f"F1 on {test}", help_, marks, axis, {"F1": 0}))
    return found


def _difference_plots(study: ExtrinsicStudy) -> list[Plot]:
    """How far methods are apart; none for data on which all tie."""
    wide = f"{100 * study.confidence:g} % interval"
    help_ = f"With the {wide}; where the bar crosses 0, chance alone may explain the difference."
    found = []
    for number_, test in enumerate(study.tests, 1):
        some = [one for one in study.comparisons if one.test == test]
        if any(one.difference for one in some):
            marks = {
                f"{one.method} − {one.against}": {"difference": Mark(one.difference, one.low, one.high)} for one in some
            }
            axis = Axis("difference of F1", zero=True)
            caption = f"Differences on {test}"
            found.append(intervals(f"difference-{number_}", caption, help_, marks, axis, {"difference": 0}))
    return found


# -- sentences ------------------------------------------------------------------------------------------------


def _differing(study: ExtrinsicStudy, view: View | None) -> Html:
    blocks = list(_blocks(study, view))
    return lines(blocks) if blocks else element("p", "Nowhere: all methods give the same labels.")


def _blocks(study: ExtrinsicStudy, view: View | None) -> Iterator[Html]:
    """Sentences that the first runs of the methods label differently."""
    is_first = True
    for test, judged in study.tests.items():
        said = {name: runs[0].labels[test] for name, runs in study.runs.items()}
        rows = [row for row in range(len(judged.sentences)) if len({tuple(one[row]) for one in said.values()}) > 1]
        if not rows:
            continue
        entities = {name: {row: labels.decode(one[row]) for row in rows} for name, one in said.items()}
        shown = []
        for row in most_different(rows, list(entities.values())):
            tokens, gold = judged.sentences.tokens[row], judged.gold[row]
            readings = {}
            for name in said:
                record: dict[str, Any] = {
                    schema.ID: f"row {row} · {name} · {test}",
                    schema.TOKENS: tokens,
                    schema.LABELS: said[name][row],
                    schema.GOLD_LABELS: gold,
                }
                readings[name] = Reading(entities[name][row], None if view is None else view.add(record))
            shown.append(Sentence(f"row {row}", tokens, readings, labels.decode(gold)))
        yield block(f"First runs on {test}", len(rows), shown, is_open=is_first)
        is_first = False
