"""The study of shifts as files: tables, plots, and one self-contained HTML page."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.csv as pacsv

from xner import io
from xner._support.pages import Html, element, lines
from xner.experiments.pages.page import made_by, page, plots_html
from xner.experiments.pages.plots import Axis, Curve, Mark, Spot, curves, intervals, plot_files, scatter
from xner.experiments.pages.tables import (
    figure_column,
    interval_column,
    markdown_table,
    number,
    percent,
    signed,
    table_html,
    text_column,
)
from xner.experiments.robustness.degradation import ALL, POWER
from xner.experiments.robustness.findings import findings, under

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from xner.experiments.pages.plots import Plot
    from xner.experiments.pages.tables import Column, Row
    from xner.experiments.robustness.study import ShiftStudy

__all__ = ["markdown", "render", "write_shift_report"]

_TITLE = "Degradation under shift"

_TEST = text_column("test", "test", "gold data that were shifted")
_SHIFT = text_column("shift", "shift", "what was changed; `all`: the mean over the shifts")
_METHOD = text_column("method", "method", "the way to a tagger")


def _drop_columns(study: ShiftStudy) -> list[Column]:
    wide = f"{100 * study.confidence:g} %"
    columns = [
        _METHOD,
        figure_column("runs", "runs", number(0), "that count in the means"),
        figure_column("collapsed", "collapsed", number(0), "runs that do not, as they found next to nothing"),
        figure_column("clean F1", "clean", number(3), "on the text that is not shifted, mean over the runs"),
        figure_column("shifted F1", "shifted", number(3), "mean over runs, severities and seeds of the shift"),
        interval_column(
            f"loss, {wide} interval",
            "drop",
            signed(3),
            "clean minus shifted F1; two-way bootstrap over runs and documents",
        ),
        figure_column("kept", "kept", percent(1), "shifted F1 as a share of clean F1"),
        figure_column("loss, spans", "agnostic", signed(3), "of F1 of spans, whatever their class"),
    ]
    optional = [
        figure_column(
            "loss, unseen", "unseen", signed(3), "of F1 of entities whose words are no name in training data"
        ),
        figure_column(
            "robustness", "residual", signed(3), "shifted F1 above the line of clean and shifted F1 of all runs"
        ),
        figure_column("calibration, clean", "clean_calibration", number(3), "expected calibration error of entities"),
        figure_column("calibration, shifted", "shifted_calibration", number(3), "likewise, on the shifted texts"),
    ]
    keys = ("unseen", "residual", "clean_calibration", "shifted_calibration")
    rows = study.drops.to_pylist()
    return columns + [one for one, key in zip(optional, keys, strict=True) if any(row[key] is not None for row in rows)]


def _comparison_columns(study: ShiftStudy) -> list[Column]:
    wide = f"{100 * study.confidence:g} %"
    columns = [
        _METHOD,
        text_column("against", "against", "the method that it is compared with"),
        interval_column(
            f"difference of losses, {wide} interval",
            "difference",
            signed(3),
            "below 0 it loses less; two-way bootstrap, the same documents for both",
        ),
        figure_column("p", "p_value", number(4), "two-sided"),
        figure_column("p, Holm", "p_holm", number(4), "adjusted for the number of comparisons on the same test data"),
        figure_column(
            "detectable",
            "detectable",
            number(3),
            f"difference that {percent(0)(POWER)} of such studies find, by itself",
        ),
        figure_column(
            "error, runs", "error_runs", number(4), "standard error that comes of the seeds, of several runs"
        ),
        figure_column("error, documents", "error_documents", number(4), "standard error that comes of the documents"),
        interval_column(f"clean F1, {wide} interval", "clean", signed(3), "difference on the text that is not shifted"),
    ]
    if any(row["residual"] is not None for row in study.comparisons.to_pylist()):
        meaning = "difference of what is above the line of clean and shifted F1: what is left at the same clean F1"
        columns.append(interval_column(f"robustness, {wide} interval", "residual", signed(3), meaning))
    return columns


def _contrast_columns(study: ShiftStudy) -> list[Column]:
    shifts = [
        text_column("entities", "entities", "the shift of entities"),
        text_column("context", "context", "the shift of what is around them"),
    ]
    return _paired_columns(study, shifts, "above 0 entities cost more", "contrasts on the same test data")


def _transfer_columns(study: ShiftStudy) -> list[Column]:
    shifts = [
        text_column("attack", "attack", "the shift whose changes are looked for, against a tagger"),
        text_column("chance", "chance", "the same one whose changes are drawn"),
    ]
    meaning = "above 0 the attack costs more: it carries over to the method"
    return _paired_columns(study, shifts, meaning, "such differences on the same data")


def _paired_columns(study: ShiftStudy, shifts: list[Column], meaning: str, adjusted: str) -> list[Column]:
    """Of what one of two shifts costs a method more than the other."""
    title = f"difference of losses, {100 * study.confidence:g} % interval"
    return [
        _METHOD,
        *shifts,
        interval_column(title, "difference", signed(3), meaning),
        figure_column("p", "p_value", number(4), "two-sided"),
        figure_column("p, Holm", "p_holm", number(4), f"adjusted for the number of {adjusted}"),
    ]


def _level_columns(study: ShiftStudy) -> list[Column]:
    return [
        _METHOD,
        figure_column("severity", "severity", number(0), "0 is the clean text"),
        figure_column("changed", "changed", percent(1), "share of the units that differ, counted after the shift"),
        interval_column(f"F1, {100 * study.confidence:g} % interval", "f1", number(3), "mean over the runs"),
    ]


_COLLAPSED = [
    text_column("run", "run", "that counts in no mean"),
    figure_column("clean F1", "f1", number(3), "on the text that is not shifted"),
]
_TEXTS = [
    _SHIFT,
    figure_column("severity", "severity", number(0), "1 to 5"),
    figure_column("seed", "seed", number(0), "of the shift"),
    text_column("of what", "unit", "what is changed or is not"),
    figure_column("asked", "asked", percent(0), "share that was to change"),
    figure_column("changed", "changed", percent(1), "share that differs"),
    text_column("why less", "reason", "empty where as much changed as was to"),
    text_column("file", "file", "in the study's folder; the file in `edits` of the same name has its edits"),
]


def markdown(study: ShiftStudy) -> str:
    """What was found, what each method loses, and the differences, as tables in Markdown."""
    parts = [f"{told}\n" for told in findings(study)]
    parts.append(markdown_table(study.drops.to_pylist(), [_TEST, _SHIFT, *_drop_columns(study)]))
    if study.comparisons.num_rows:
        parts.append(markdown_table(study.comparisons.to_pylist(), [_TEST, _SHIFT, *_comparison_columns(study)]))
    if study.contrasts.num_rows:
        parts.append(markdown_table(study.contrasts.to_pylist(), [_TEST, *_contrast_columns(study)]))
    if study.transfers.num_rows:
        parts.append(markdown_table(study.transfers.to_pylist(), [_TEST, *_transfer_columns(study)]))
    return "\n".join(parts)


def write_shift_report(study: ShiftStudy, folder: str | os.PathLike[str], *, command: str | None = None) -> Path:
    """Write all that a study found.

    Args:
        study: the study.
        folder: gets `summary.md`; as CSV and Parquet `runs`, the tidy table that all figures follow from, `levels`,
            `drops`, `comparisons`, `contrasts` and `transfers`, which are left out where there are none; the plots
            as `plot_files` says; and `report.html`. Made if it is not there.
        command: line that made the study, for the page.

    Returns:
        The page's path.

    Raises:
        OSError: a file cannot be written.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name in ("runs", "levels", "drops", "comparisons", "contrasts", "transfers"):
        table: pa.Table = getattr(study, name)
        if table.num_rows:
            io.write(table, target / f"{name}.parquet")
            with io.replacing(target / f"{name}.csv") as file:
                pacsv.write_csv(table, file)
    plots = _plots(study)
    files = plot_files(plot for some in plots.values() for plot in some)
    files["summary.md"] = f"{markdown(study)}\n{study.signature}\n".encode()
    files["report.html"] = render(study, plots, command=command).encode()
    for name, content in files.items():
        with io.replacing(target / name) as file:
            file.write(content)
    return target / "report.html"


def render(study: ShiftStudy, plots: Mapping[str, Sequence[Plot]], *, command: str | None = None) -> str:
    """The page.

    Args:
        study: the study.
        plots: by what they show: `levels`, `drops`, `comparisons`, `robustness`.
        command: line that made the study.
    """
    help_ = "Clean F1 has so much more than shifted F1. Intervals are about the choice of documents and of seeds."
    losses = table_html("Loss of F1", help_, _grouped(study.drops, "shift"), _drop_columns(study))
    curve_help = "How far F1 falls as more is changed."
    curve_table = table_html("F1 by severity", curve_help, _grouped(study.levels, "shift"), _level_columns(study))
    sections: dict[str, str] = {
        "What the shifts cost": lines([losses, plots_html(plots["drops"])]),
        "By severity": lines([plots_html(plots["levels"]), curve_table]),
    }
    if study.comparisons.num_rows:
        help_ = f"Against {study.reference}. An interval without 0 and a small p-value speak for a difference."
        table = table_html("Who loses more", help_, _grouped(study.comparisons, "shift"), _comparison_columns(study))
        sections["Differences"] = lines([table, plots_html(plots["comparisons"])])
    if plots["robustness"]:
        told = (
            "A method that is better on the clean text has more to lose. What counts is whether it lies above the line "
            "that clean F1 and shifted F1 follow over all runs; with few methods the line goes near each of them."
        )
        sections["At the same clean F1"] = lines([element("p", told), plots_html(plots["robustness"])])
    if study.contrasts.num_rows:
        help_ = "Where entities cost more than context, a tagger knows names rather than what is said of them."
        table = table_html("Entities against context", help_, _grouped(study.contrasts), _contrast_columns(study))
        sections["Entities against context"] = table
    if study.transfers.num_rows:
        help_ = (
            "What harms one tagger may harm others: changes that were looked for against it, and the same by chance."
        )
        table = table_html("Attacks and chance", help_, _grouped(study.transfers), _transfer_columns(study))
        sections["Attacks that carry over"] = table
    sections["Runs that collapsed"] = _collapsed(study)
    sections["Texts"] = _texts(study)
    used = ("torch", "transformers", "accelerate")
    told = "All figures follow from the table runs.csv, whose rows name the files of texts and labels that they are of."
    made = made_by(command, study.signature, study.data, used)
    sections["How it was made"] = lines([element("p", told), made])
    return page(_TITLE, findings(study), sections)


def _grouped(table: pa.Table, *keys: str) -> dict[str, list[Row]]:
    """Rows by test data and other columns, which head them."""

    def heading(row: Row) -> str:
        return ", ".join(str(row[key]) for key in ("test", *keys))

    return {name: list(some) for name, some in itertools.groupby(_by_shift(table.to_pylist()), key=heading)}


def _by_shift(rows: Sequence[Row]) -> Sequence[Row]:
    """Rows of the same test data and shift one after the other, in the order of their first ones."""
    places: dict[tuple[Any, Any], int] = {}
    for row in rows:
        places.setdefault((row["test"], row.get("shift")), len(places))
    return sorted(rows, key=lambda row: places[row["test"], row.get("shift")])


def _collapsed(study: ShiftStudy) -> Html:
    threshold = next(iter(study.scored.values())).collapse
    told = (
        f"A run has collapsed whose F1 on the clean text is 0, or below {percent(0)(threshold)} of its method's "
        "median. What has learnt nothing loses nothing: such runs count in no mean."
    )
    rows = {
        name: [{"run": run.name, "f1": run.scores("f1", 0).f1} for run in scored.runs if scored.has_collapsed(run)]
        for name, scored in study.scored.items()
    }
    found = {name: its for name, its in rows.items() if its}
    shown = table_html("Collapsed runs", "", found, _COLLAPSED) if found else element("p", "None has.")
    return lines([element("p", told), shown])


def _texts(study: ShiftStudy) -> Html:
    names = ("shift", "severity", "seed", "unit", "asked", "changed", "reason", "file")
    rows = {
        test: [{name: getattr(text, name) for name in names} for text in scored.texts if text.severity]
        for test, scored in study.scored.items()
    }
    return table_html("Shifted texts", "What was asked for, and what differs.", rows, _TEXTS)


# -- plots ----------------------------------------------------------------------------------------------------


def _plots(study: ShiftStudy) -> dict[str, list[Plot]]:
    """By what they show."""
    tests = list(enumerate(study.tests, 1))
    makers: dict[str, Callable[[ShiftStudy, int, str], list[Plot]]] = {
        "levels": _level_plots,
        "drops": _drop_plots,
        "comparisons": _comparison_plots,
        "robustness": _robustness_plots,
    }
    return {name: [plot for place, test in tests for plot in make(study, place, test)] for name, make in makers.items()}


def _rows_of(table: pa.Table, test: str) -> list[dict[str, Any]]:
    return [row for row in table.to_pylist() if row["test"] == test]


def _level_plots(study: ShiftStudy, place: int, test: str) -> list[Plot]:
    """A curve a method for each shift."""
    rows = _rows_of(study.levels, test)
    found = []
    for number_, one in enumerate(study.shifts, 1):
        drawn = {}
        for method in dict.fromkeys(row["method"] for row in rows):
            its = [row for row in rows if (row["method"], row["shift"]) == (method, one.name)]
            its.sort(key=lambda row: row["severity"])
            points = [(row["severity"], row["f1"]) for row in its]
            drawn[method] = Curve(points, [row["f1_high"] for row in its], [row["f1_low"] for row in its])
        if drawn:
            axes = Axis("severity; 0 is the clean text"), Axis("entity-level micro F1 (from 0 to 1)")
            help_ = f"Mean over the runs with its {100 * study.confidence:g} % interval."
            found.append(curves(f"levels-{place}-{number_}", f"{test}, {under(one.name)}", help_, drawn, *axes))
    return found


def _drop_plots(study: ShiftStudy, place: int, test: str) -> list[Plot]:
    """What each method loses, shift by shift; small points are single runs."""
    rows = _rows_of(study.drops, test)
    if not rows:
        return []
    marks: dict[str, dict[str, Mark]] = {}
    for row in rows:
        parts = [run[row["shift"]] for run in _losses(study, test, row["method"])]
        marks.setdefault(row["shift"], {})[row["method"]] = Mark(row["drop"], row["drop_low"], row["drop_high"], parts)
    help_ = f"Mean over the runs with its {100 * study.confidence:g} % interval; small points are single runs."
    axis = Axis("loss of F1: clean minus shifted", zero=True)
    return [intervals(f"drops-{place}", f"Loss of F1 on {test}", help_, marks, axis, _series(rows))]


def _series(rows: Sequence[Row]) -> dict[str, int]:
    """A colour and shape for each method."""
    return {name: place for place, name in enumerate(dict.fromkeys(row["method"] for row in rows))}


def _losses(study: ShiftStudy, test: str, method: str) -> list[dict[str, float]]:
    """What each run of a method loses by shift, collapsed ones left out."""
    scored = study.scored[test]
    found = []
    for place in scored.of(method):
        run = scored.runs[place]
        clean = run.scores("f1", 0).f1
        lost: dict[str, list[float]] = {}
        for number_, text in enumerate(scored.texts):
            if text.severity:
                value = clean - run.scores("f1", number_).f1
                for name in (text.shift, ALL):
                    lost.setdefault(name, []).append(value)
        found.append({name: sum(values) / len(values) for name, values in lost.items()})
    return found


def _comparison_plots(study: ShiftStudy, place: int, test: str) -> list[Plot]:
    rows = _rows_of(study.comparisons, test)
    if not any(row["difference"] for row in rows):
        return []
    marks: dict[str, dict[str, Mark]] = {}
    for row in rows:
        mark = Mark(row["difference"], row["difference_low"], row["difference_high"])
        marks.setdefault(row["shift"], {})[row["method"]] = mark
    help_ = (
        f"With the {100 * study.confidence:g} % interval; to the left of 0 a method loses less than {study.reference}."
    )
    axis = Axis("difference of losses of F1", zero=True)
    # Each method as in the other plots.
    series = {
        name: number_ for name, number_ in _series(_rows_of(study.drops, test)).items() if name != study.reference
    }
    caption = f"Losses against {study.reference} on {test}"
    return [intervals(f"comparisons-{place}", caption, help_, marks, axis, series)]


def _robustness_plots(study: ShiftStudy, place: int, test: str) -> list[Plot]:
    """A point a run: F1 on the clean text and on the shifted ones."""
    rows = _rows_of(study.drops, test)
    if all(row["residual"] is None for row in rows):
        return []
    scored = study.scored[test]
    shift = rows[-1]["shift"]
    found = {}
    for method in _series(rows):
        spots = []
        for number_, lost in zip(scored.of(method), _losses(study, test, method), strict=True):
            run = scored.runs[number_]
            clean = run.scores("f1", 0).f1
            spots.append(Spot(clean, clean - lost[shift], run.name))
        found[method] = spots
    axes = Axis("F1 on the clean text"), Axis("F1 on the shifted texts")
    help_ = (
        "A point a run. The higher a point lies above the others' line, the less its method loses for how good it is."
    )
    return [scatter(f"robustness-{place}", f"Clean and shifted F1 on {test}, {under(shift)}", help_, found, *axes)]
