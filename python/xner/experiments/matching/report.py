"""The study of matching as files: tables, plots, one self-contained page, and the viewer's page of its sentences."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from xner import io, labels, schema
from xner._support.pages import Html, element, lines
from xner.experiments.matching.findings import findings, found_on
from xner.experiments.matching.plots import all_plots
from xner.experiments.matching.study import CONFIDENCE, PROBLEMS_A_POINT
from xner.experiments.pages.page import made_by, page, plots_html
from xner.experiments.pages.plots import plot_files
from xner.experiments.pages.sentences import VIEW, Reading, Sentence, View, block, most_different
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

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from xner.experiments.matching.problems import Problem
    from xner.experiments.matching.study import MatchingStudy, Outcome, Setting
    from xner.experiments.pages.plots import Plot
    from xner.experiments.pages.sentences import Span, WriteView

__all__ = ["markdown", "render", "write_matching_report"]

_TITLE = "Greedy and exact matching"
_LIBRARIES = {"ortools": "ortools", "milp": "scipy"}
_WIDE = f"{100 * CONFIDENCE:g} %"

_SETTING = [
    text_column("corpus", "corpus", "the target file, or the size of made-up problems"),
    text_column("score", "score", "what a pair of an entity and a span is worth"),
    text_column("constraint", "constraint", "how many projections an entity may have"),
]
_MATCHER = text_column("matcher", "matcher", "what chose")
_CHOICES = [
    figure_column("problems", "problems", number(0), "sentences with something to choose"),
    figure_column("infeasible", "infeasible", percent(1), "share of the problems whose constraint cannot be met"),
    figure_column("not solved", "not_solved", percent(1), "share of the problems without a choice when time was up"),
    figure_column(
        "optimal", "optimal", percent(1), "share of the solved problems whose choice is proven to be the best"
    ),
    figure_column(
        "gap", "gap", percent(3), "mean of what the total score lacks of the best one that any matcher found"
    ),
    interval_column(
        f"below best, {_WIDE} interval", "below", percent(2), "share of the solved problems where it lacks anything"
    ),
    interval_column(
        f"other labels, {_WIDE} interval",
        "differing",
        percent(2),
        "share of the problems whose labels are not the first matcher's; without a choice there are no labels",
    ),
]
_F1 = [
    interval_column(
        f"F1, {_WIDE} interval",
        "f1",
        number(3),
        "entity-level micro F1 against the gold labels, bootstrap over sentences",
    ),
    interval_column(
        f"F1 against the first, {_WIDE} interval",
        "f1_difference",
        signed(4),
        "F1 minus that of the first matcher, paired bootstrap over the same sentences",
    ),
]
_TIME = [
    figure_column("median, µs", "median_us", number(0), "half of the problems took less"),
    figure_column("mean, µs", "mean_us", number(0), "the time of all problems by their number"),
    figure_column("slowest, µs", "slowest_us", number(0), "the problem that took longest"),
]
_GROWTH = [
    _MATCHER,
    figure_column("words", "words", number(0), "target words"),
    figure_column("entities", "entities", number(0), "source entities"),
    figure_column("candidates", "candidates", number(0), "spans of each entity, at most"),
    figure_column("median, µs", "median_us", number(0), f"of {PROBLEMS_A_POINT} problems"),
    figure_column("slowest, µs", "slowest_us", number(0), "of them"),
    figure_column(
        "optimal", "optimal", percent(0), "share of the solved problems whose choice is proven to be the best"
    ),
    figure_column("largest gap", "gap", percent(2), "between bound and total score, as a share of the bound"),
]


def write_matching_report(
    study: MatchingStudy,
    folder: str | os.PathLike[str],
    *,
    view: WriteView | None = None,
    command: str | None = None,
) -> Path:
    """Write all that a study found.

    Args:
        study: the study.
        folder: gets `summary.md`, `summary.csv`, `summary.parquet`, `growth.csv`, the plots as `plot_files` says,
            `report.html`, and with `view` the sentences that it names as `view.html`; made if it is not there.
        view: `xner.viewer.view`, or what writes another page of the same rows; None: no such page, and no links.
        command: line that made the study, for the page.

    Returns:
        The page's path.

    Raises:
        OSError: a file cannot be written.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    tables = {"summary": study.summary}
    if study.growth:
        tables["growth"] = pa.Table.from_pylist([asdict(point) for point in study.growth])
    for name, table in tables.items():
        with io.replacing(target / f"{name}.csv") as file:
            pacsv.write_csv(table, file)
    io.write(study.summary, target / "summary.parquet")
    plots = all_plots(study)
    rows = None if view is None else View()
    files = plot_files(plot for some in plots.values() for plot in some)
    files["summary.md"] = f"{markdown(study)}\n{study.signature}\n".encode()
    files["report.html"] = render(study, plots, view=rows, command=command).encode()
    if view is not None and rows is not None:
        rows.write(target / VIEW, f"{_TITLE}: sentences", view)
    for name, content in files.items():
        with io.replacing(target / name) as file:
            file.write(content)
    return target / "report.html"


def markdown(study: MatchingStudy) -> str:
    """What was found, and a study's summary as a table in Markdown."""
    f1 = _F1 if _is_judged(study) else []
    columns = [*_SETTING, _MATCHER, *_CHOICES, *f1, *_TIME]
    told = "\n\n".join(findings(study))
    return f"{told}\n\n{markdown_table(study.summary.to_pylist(), columns)}"


def render(
    study: MatchingStudy, plots: Mapping[str, Sequence[Plot]], *, view: View | None = None, command: str | None = None
) -> str:
    """The page.

    Args:
        study: the study.
        plots: of `all_plots`.
        view: gets the rows that the page's sentences link to; without, there are no links.
        command: line that made the study.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in study.summary.to_pylist():
        rows.setdefault(found_on(row), []).append(row)
    sections = {"Total scores and labels": _choices(study, rows, plots["choices"])}
    if _is_judged(study):
        judged = {name: some for name, some in rows.items() if some[0]["f1"] is not None}
        table = table_html(
            "F1 against gold labels",
            "The second interval is the one that tells matchers apart: where it holds 0, chance alone may do so.",
            judged,
            [_MATCHER, *_F1],
        )
        sections["F1"] = lines(
            [table, _drawn(plots["f1"], "F1 is the same for all matchers: there is nothing to draw.")]
        )
    sections["Where the matchers differ"] = _differing(study, view)
    if plots["confidence"]:
        sections["Confidence"] = plots_html(plots["confidence"])
    sections["Time"] = _time(study, rows, plots["growth"])
    used = [library for matcher, library in _LIBRARIES.items() if matcher in study.options.matchers]
    sections["How it was made"] = made_by(command, study.signature, study.data, used)
    return page(_TITLE, findings(study), sections)


def _is_judged(study: MatchingStudy) -> bool:
    return any(row["f1"] is not None for row in study.summary.to_pylist())


def _drawn(plots: Sequence[Plot], instead: str) -> Html:
    """Plots, or a sentence where there is nothing to see on one."""
    return plots_html(plots) if plots else element("p", instead)


def _choices(study: MatchingStudy, rows: Mapping[str, Sequence[Mapping[str, Any]]], plots: Sequence[Plot]) -> Html:
    caption, help_ = (
        "What was chosen",
        f"Every matcher solved the same problems; {study.options.matchers[0]} is the first.",
    )
    columns = [column for column in _CHOICES if column.heading != "not solved" or study.options.time_limit is not None]
    table = table_html(caption, help_, rows, [_MATCHER, *columns])
    return lines(
        [table, _drawn(plots, "All matchers reach the same total scores everywhere: there is nothing to draw.")]
    )


def _time(study: MatchingStudy, rows: Mapping[str, Sequence[Mapping[str, Any]]], plots: Sequence[Plot]) -> Html:
    caption = "Time a problem, in microseconds"
    parts = [table_html(caption, "Through Python, on the machine below; margins included.", rows, [_MATCHER, *_TIME])]
    if study.growth:
        parts.append(plots_html(plots))
        grown: dict[str, list[dict[str, Any]]] = {}
        for point in study.growth:
            micro = {"median_us": 1e6 * point.seconds, "slowest_us": 1e6 * point.slowest}
            grown.setdefault(f"More {point.varied}", []).append(asdict(point) | micro)
        help_ = f"Each line stands for {PROBLEMS_A_POINT} made-up problems of one size."
        table = table_html("Time against size", help_, grown, _GROWTH)
        parts.append(element("details", element("summary", "The plots' numbers as a table"), table))
    return lines(parts)


# -- sentences ------------------------------------------------------------------------------------------------


def _differing(study: MatchingStudy, view: View | None) -> Html:
    blocks = list(_blocks(study, view))
    return lines(blocks) if blocks else element("p", "Nowhere: all matchers give the same labels.")


def _blocks(study: MatchingStudy, view: View | None) -> Iterator[Html]:
    first, *others = study.options.matchers
    is_first = True
    for setting, other in itertools.product(study.problems, others):
        rows = study.differing(setting, other)
        if rows:
            found = {
                name: {row: labels.decode(study.labels(setting, name)[row]) for row in rows} for name in (first, other)
            }
            shown = []
            for row in most_different(rows, list(found.values())):
                record = study.corpora[setting.corpus].slice(row, 1).to_pylist()[0]
                readings: dict[str, Reading] = {}
                for name, entities in found.items():
                    place = None if view is None else view.add(_view_row(study, setting, name, row, record))
                    readings[name] = Reading(entities[row], place, _remark(study, setting, name, row))
                shown.append(_sentence(record, row, readings))
            yield block(f"{setting}: {other} against {first}", len(rows), shown, is_open=is_first)
            is_first = False


def _outcome(study: MatchingStudy, setting: Setting, matcher: str, row: int) -> tuple[Problem, Outcome]:
    pairs = zip(study.problems[setting], study.outcomes[setting, matcher], strict=True)
    return next(pair for pair in pairs if pair[0].row == row)


def _remark(study: MatchingStudy, setting: Setting, matcher: str, row: int) -> str:
    """Why a matcher chose nothing, if it did not."""
    reasons = {"ok": "", "infeasible": "the constraint cannot be met", "not_solved": "no choice when time was up"}
    return reasons[_outcome(study, setting, matcher, row)[1].status]


def _sentence(record: Mapping[str, Any], row: int, readings: Mapping[str, Reading]) -> Sentence:
    gold = record.get(schema.GOLD_LABELS)
    return Sentence(
        _name(record, row),
        record[schema.TOKENS],
        readings,
        None if gold is None else labels.decode(gold),
        record.get(schema.SOURCE_TOKENS) or (),
        _spans(record.get(schema.SOURCE_ENTITIES)),
    )


def _spans(entities: Sequence[Mapping[str, Any]] | None) -> list[Span]:
    return [(one["start"], one["end"], one["label"]) for one in entities or ()]


def _name(record: Mapping[str, Any], row: int) -> str:
    return str(record.get(schema.ID) or f"row {row}")


def _view_row(
    study: MatchingStudy, setting: Setting, matcher: str, row: int, record: Mapping[str, Any]
) -> dict[str, Any]:
    """A sentence with a matcher's choice, its scores and margins, as the viewer shows it."""
    problem, outcome = _outcome(study, setting, matcher, row)
    chosen = () if outcome.matching is None else outcome.matching.pairs
    margins = () if outcome.matching is None else outcome.matching.margins
    entities = []
    # Margins were asked of the project's own matchers alone.
    for (entity, candidate), margin in itertools.zip_longest(chosen, margins):
        start, end = map(int, problem.candidates[candidate])
        score = float(problem.scores[entity, candidate])
        names = ("start", "end", "label", "score", "margin", "source")
        entities.append(dict(zip(names, (start, end, problem.labels[entity], score, margin, entity), strict=True)))
    shown = (schema.TOKENS, schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES, schema.LINKS, schema.GOLD_LABELS)
    name = f"{_name(record, row)} · {matcher} · {setting}"
    return {schema.ID: name, **{column: record.get(column) for column in shown}, schema.ENTITIES: entities}
