"""A report as files: one self-contained page, and its tables and plots beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from xner import io
from xner._support.pages import Html, element, lines
from xner.evaluation.causes import CAUSES
from xner.experiments.pages.page import made_by, page, plots_html
from xner.experiments.pages.plots import plot_files
from xner.experiments.pages.tables import (
    Column,
    figure_column,
    interval_column,
    markdown_table,
    number,
    percent,
    signed,
    table_html,
    text_column,
)
from xner.experiments.recipes.results import MICRO
from xner.experiments.reports.findings import findings
from xner.experiments.reports.plots import all_plots, micro_rows
from xner.experiments.reports.report import CRITERIA

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from xner.experiments.pages.plots import Plot
    from xner.experiments.reports.report import Report

    Row = Mapping[str, Any]

__all__ = ["files_of", "render", "write_report"]

_TITLE = "Results of runs"
_NONE = "–"
_MOST_ROWS = 60  # of a table of pairs that is open at first

_METHOD = text_column("method", "method", "run and variant, or the variant of a single run")


def _known(heading: str, key: str, meaning: str) -> Column:
    """A column of texts; a dash where a row has none."""
    return Column(heading, meaning, lambda row: _NONE if row[key] is None else str(row[key]), is_text=True)


def _result_columns(report: Report) -> list[Column]:
    """The columns of F1 and what goes with it."""
    return [
        _METHOD,
        interval_column(f"F1{_wide(report)}", "f1", number(3), "entity-level micro F1, bootstrap over sentences"),
        interval_column("precision", "precision", number(3), "share of the predicted entities that are right"),
        interval_column("recall", "recall", number(3), "share of the gold entities that were found"),
        figure_column("upper bound", "upper_bound", number(3), _UPPER_BOUND),
        figure_column("all projected", "all_projected", number(3), _ALL_PROJECTED),
        figure_column(
            "projection ratio", "projection_ratio", number(3), "mean over sentences of predicted by gold entities"
        ),
        figure_column("projected", "projected", number(0), "source entities that were projected"),
        figure_column("of", "to_project", number(0), "source entities"),
        _known("statuses", "statuses", "of the sentences, with their numbers"),
        _known(
            "links",
            "aligner",
            "whose: an aligner's, the built-in one's (builtin), or of files; none where no words are linked",
        ),
        _known("signature", "signature", "of what made the labels"),
    ]


_UPPER_BOUND = (
    "F1 of a perfect projection: each gold entity of whose class the source sentence has one left gets its words, and "
    "source entities without a partner are left out"
)
_ALL_PROJECTED = "F1 of the same where source entities without a partner are projected as well"

_CLASS_COLUMNS = [
    text_column("class", "class", "of entities"),
    _METHOD,
    interval_column("F1 with interval", "f1", number(3), "of this class, bootstrap over sentences"),
    interval_column("precision", "precision", number(3), "share of the predicted entities that are right"),
    interval_column("recall", "recall", number(3), "share of the gold entities that were found"),
    figure_column("gold", "gold", number(0), "gold entities"),
    figure_column("predicted", "predicted", number(0), "entities of the labels"),
    figure_column("upper bound", "upper_bound", number(3), "F1 of a perfect projection"),
]

_DIFFERENCE_COLUMNS = [
    _METHOD,
    text_column("against", "against", "the method that it is compared with"),
    interval_column(
        "difference of F1, with interval",
        "difference",
        signed(4),
        "F1 minus that of the other method, paired bootstrap over the same sentences",
    ),
    figure_column("p", "p_value", number(4), "one-sided p-value of the paired bootstrap"),
    figure_column("p, Holm", "p_holm", number(4), "adjusted for the number of comparisons of the same data"),
]

_CAUSES = {
    "translation": "errors in sentences whose translation failed; a dash where nothing was translated",
    "source tag": "gold entities that the source side lacks, and entities that it alone has",
    "link": "entities that the source side has, and that were given to no word or to other ones",
    "boundary": "entities of the right class that share words with the gold one, and not all",
    "class": "entities of the wrong class that share words with the gold one",
}

_ERROR_COLUMNS = [
    _METHOD,
    figure_column("gold", "gold", number(0), "gold entities"),
    *(figure_column(one, f"errors_{one.replace(' ', '_')}", number(0), _CAUSES[one]) for one in CAUSES),
]

_BLIND_COLUMNS = [
    _METHOD,
    figure_column("agreement", "agreement", number(3), "mean F1 of the labels against those of each other method"),
    figure_column("projected share", "projected_share", percent(1), "source entities that were projected"),
    figure_column("mean margin", "mean_margin", number(3), "what the next best choice is worse, mean over entities"),
]

_CHOICE_COLUMNS = [
    Column(
        "criterion",
        "that chooses the method of which it is greatest; chance takes any",
        lambda row: str(row["criterion"]).replace("_", " "),
        is_text=True,
    ),
    _known("chosen", "method", "the method"),
    figure_column("value", "value", number(3), "of the criterion"),
    figure_column("F1", "f1", number(3), "of the chosen method; of any one, their mean"),
    _known("best", "best_method", "the method of the greatest F1"),
    figure_column("its F1", "best_f1", number(3), "of the best method"),
    figure_column("regret", "regret", number(3), "F1 of the best minus that of the chosen method"),
]

_AGREEMENT_COLUMNS = [
    _METHOD,
    text_column("other", "other", "the method that it is compared with"),
    figure_column("F1", "f1", number(3), "of the labels of one against those of the other, the same either way"),
]

_PUBLISHED_COLUMNS = [
    text_column("published as", "published_method", "what the paper calls the method"),
    _METHOD,
    _known("links", "aligner", "whose; links of files may be another aligner's than the paper's"),
    interval_column("F1 here, with interval", "f1", number(3), "as above; of means over languages, their mean"),
    figure_column("published", "published_f1", number(3), "F1 that the paper has"),
    text_column("verdict", "verdict", "whether the published figure lies in the interval, or F1 is above or below it"),
    text_column("paper", "paper", "that has the figure"),
    text_column("table", "table", "where in the paper"),
]


def _stage_columns(report: Report) -> list[Column]:
    columns = [
        _METHOD,
        figure_column("all, s", "seconds", number(2), "seconds of all stages"),
        figure_column("sentences/s", "sentences_per_second", number(1), "sentences a second through all stages"),
    ]
    for stage in report.stages:
        columns.append(figure_column(f"{stage}, s", f"seconds_{stage}", number(2), "seconds of this stage"))
        speed = f"sentences_per_second_{stage}"
        columns.append(figure_column(f"{stage}, sentences/s", speed, number(1), "sentences a second through it"))
    return columns


def _wide(report: Report) -> str:
    """What the intervals are, where all runs have the same."""
    found = {value for value in report.results["confidence"].to_pylist() if value is not None}
    return f", {100 * found.pop():g} % interval" if len(found) == 1 else " with interval"


def write_report(
    report: Report,
    path: str | os.PathLike[str],
    *,
    tables: str | os.PathLike[str] | None = None,
    command: str | None = None,
) -> list[Path]:
    """Write a report.

    Args:
        report: the report.
        path: of the page, one HTML file that needs no network.
        tables: folder that gets each table as `NAME.csv`, `.parquet` and `.md`, and the plots, see `plot_files`; made
            if it is not there. None: no such files.
        command: line that made the report, for the page.

    Returns:
        What was written, the page first.

    Raises:
        OSError: a file cannot be written.
    """
    plots = all_plots(report)
    files = {Path(path): render(report, plots, command=command).encode()}
    if tables is not None:
        Path(tables).mkdir(parents=True, exist_ok=True)
        for place, content in _files(report, plots, Path(tables)).items():
            if isinstance(content, bytes):
                files[place] = content
            elif place.suffix == ".csv":
                with io.replacing(place) as file:
                    pacsv.write_csv(content, file)
            else:
                io.write(content, place)
    for place, its in files.items():
        with io.replacing(place) as file:
            file.write(its)
    return [Path(path), *([] if tables is None else files_of(report, tables))]


def files_of(report: Report, tables: str | os.PathLike[str]) -> list[Path]:
    """The files that `write_report` writes into the folder of tables."""
    return list(_files(report, all_plots(report), Path(tables)))


def _files(report: Report, plots: Mapping[str, Sequence[Plot]], folder: Path) -> dict[Path, bytes | pa.Table]:
    """What goes into the folder of tables: bytes, and tables that the file's name says how to write."""
    found: dict[Path, bytes | pa.Table] = {}
    for name, table in report.tables.items():
        found |= {folder / f"{name}.csv": table, folder / f"{name}.parquet": table}
        found[folder / f"{name}.md"] = _markdown(table).encode()
    drawn = plot_files(one for some in plots.values() for one in some)
    return found | {folder / name: content for name, content in drawn.items()}


def _markdown(table: pa.Table) -> str:
    """A table with all its columns and digits."""
    columns = [
        _known(one.name, one.name, "")
        if pa.types.is_string(one.type)
        else figure_column(one.name, one.name, number(0) if pa.types.is_integer(one.type) else number(4), "")
        for one in table.schema
    ]
    return markdown_table(table.to_pylist(), columns)


def render(report: Report, plots: Mapping[str, Sequence[Plot]], *, command: str | None = None) -> str:
    """The page.

    Args:
        report: the report.
        plots: of `all_plots`.
        command: line that made the report.
    """
    micro = micro_rows(report)
    scored = [row for row in micro if row["f1"] is not None]
    sections: dict[str, str] = {"Scores": _scores(report, micro, plots["f1"])}
    if report.differences.num_rows:
        sections["Differences"] = _differences(report, plots["differences"])
    if scored:
        table = table_html(
            "Errors by cause",
            "Counts of errors; each has the first cause that applies.",
            _by_place(scored),
            _ERROR_COLUMNS,
        )
        sections["Errors"] = lines([_drawn(plots["errors"], "There are no errors: there is nothing to draw."), table])
    help_ = "A run that goes on after it was stopped tells the time of the process that ended it."
    table = table_html("Time by stage", help_, _by_place(micro), _stage_columns(report))
    sections["Speed"] = lines(
        [_drawn(plots["speed"], "There are fewer than two methods with F1 and times: there is nothing to draw."), table]
    )
    sections["Choosing without gold labels"] = _choices(report, micro)
    sections["Published figures"] = _published(report)
    machines = {
        f"Machine of {run}": {**its["machine"], "versions": ", ".join(map(" ".join, its["libraries"].items()))}
        for run, its in report.versions.items()
    }
    sections["How it was made"] = made_by(command, report.signature, report.data, machines=machines)
    return page(_TITLE, findings(report), sections)


def _by_place(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(f"{row['dataset']}, {row['language']}", []).append(row)
    return found


def _drawn(plots: Sequence[Plot], instead: str) -> Html:
    """Plots, or a sentence where there is nothing to see on one."""
    return plots_html(plots) if plots else element("p", instead)


def _details(summary: str, body: Html) -> Html:
    return element("details", element("summary", summary), body)


def _scores(report: Report, micro: Sequence[Row], plots: Sequence[Plot]) -> Html:
    help_ = "All classes together. What is not known, as F1 without gold labels, is a dash."
    table = table_html("Scores on gold labels", help_, _by_place(micro), _result_columns(report))
    parts = [_drawn(plots, "There are fewer than two figures of F1: there is nothing to draw."), table]
    classes = [row for row in report.results.to_pylist() if row["class"] != MICRO]
    if classes:
        by_class = table_html(
            "Scores by class", "As above, of each class by itself.", _by_place(classes), _CLASS_COLUMNS
        )
        parts.append(_details("Scores by class", by_class))
    return lines(parts)


def _differences(report: Report, plots: Sequence[Plot]) -> Html:
    help_ = (
        f"Every method against every one before it, {100 * report.confidence:g} % intervals; an interval without 0 and "
        "a small p speak for a difference."
    )
    rows = _by_place(report.differences.to_pylist())
    table = table_html("Differences between the methods", help_, rows, _DIFFERENCE_COLUMNS)
    shown = table if report.differences.num_rows <= _MOST_ROWS else _details("All differences", table)
    return lines([_drawn(plots, "All methods tie with the first: there is nothing to draw."), shown])


def _choices(report: Report, micro: Sequence[Row]) -> Html:
    told = "; ".join(f"{name.replace('_', ' ')}: {meaning}" for name, meaning in CRITERIA.items())
    parts = [element("p", f"Each criterion chooses the method of which it is greatest ({told}).")]
    if report.choices.num_rows:
        help_ = (
            "Of methods that are equal by a criterion, the first is chosen. Margins of other scores are other margins."
        )
        rows = _by_place(report.choices.to_pylist())
        parts.append(table_html("What would be chosen", help_, rows, _CHOICE_COLUMNS))
    else:
        parts.append(element("p", "There is one method, and nothing to choose."))
    parts.append(table_html("Criteria", "None of them looks at gold labels.", _by_place(micro), _BLIND_COLUMNS))
    if report.agreement.num_rows:
        help_ = "Methods that share links or options agree for that reason alone."
        table = table_html("Agreement", help_, _by_place(report.agreement.to_pylist()), _AGREEMENT_COLUMNS)
        parts.append(_details("Agreement of each two methods", table))
    return lines(parts)


def _published(report: Report) -> Html:
    if not report.published.num_rows:
        return element("p", "No published figure is known of the same data set, language and method.")
    help_ = "Reproduced: the published figure lies within the interval of F1 here."
    rows = _by_place(report.published.to_pylist())
    return table_html("Published figures", help_, rows, _PUBLISHED_COLUMNS)
