"""The plots of a report, each from its tables, and none where there is nothing to see."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from xner.evaluation.causes import CAUSES
from xner.experiments.pages.plots import Axis, Mark, Spot, heat_map, intervals, scatter, stacked
from xner.experiments.recipes.results import MICRO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xner.experiments.pages.plots import Plot
    from xner.experiments.reports.report import Report

    Row = Mapping[str, Any]

__all__ = ["MEAN_OF_ALL", "all_plots", "by_dataset", "means", "micro_rows"]

MEAN_OF_ALL = "mean"


def micro_rows(report: Report) -> list[dict[str, Any]]:
    """The rows of all classes."""
    return [row for row in report.results.to_pylist() if row["class"] == MICRO]


def by_dataset(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows by their data set."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["dataset"], []).append(row)
    return found


def means(rows: Sequence[Row]) -> dict[str, float]:
    """Mean F1 over the languages of a data set, by method, of those that have it for every language."""
    languages = {row["language"] for row in rows}
    found = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row["f1"] for row in rows if row["method"] == method and row["f1"] is not None]
        if len(own) == len(languages):
            found[method] = math.fsum(own) / len(own)
    return found


def all_plots(report: Report) -> dict[str, list[Plot]]:
    """The plots by what they are about: `f1`, `differences`, `errors`, `speed`; those of each data set in turn."""
    found: dict[str, list[Plot]] = {"f1": [], "differences": [], "errors": [], "speed": []}
    differences = by_dataset(report.differences.to_pylist())
    for number, (dataset, rows) in enumerate(by_dataset(micro_rows(report)).items(), 1):
        found["f1"] += _heat_map(f"f1-{number}", dataset, rows)
        some = differences.get(dataset, [])
        found["differences"] += _differences(f"difference-{number}", dataset, some, report.confidence)
        found["errors"] += _errors(f"errors-{number}", dataset, rows)
        found["speed"] += _speed(f"speed-{number}", dataset, rows)
    return found


def _heat_map(name: str, dataset: str, rows: Sequence[Row]) -> list[Plot]:
    scored = [row for row in rows if row["f1"] is not None]
    if len(scored) < 2:
        return []
    found: dict[str, dict[str, float | None]] = {}
    for row in scored:
        found.setdefault(row["method"], {})[row["language"]] = row["f1"]
    languages = dict.fromkeys(row["language"] for row in scored)
    if len(languages) > 1:
        mean = means(scored)
        found = {
            method: {**{one: values.get(one) for one in languages}, MEAN_OF_ALL: mean.get(method)}
            for method, values in found.items()
        }
    help_ = "Entity-level micro F1, from 0 to 1; the stronger the colour, the greater among the cells of this plot."
    return [heat_map(name, f"F1 of methods and languages on {dataset}", help_, found)]


def _differences(name: str, dataset: str, rows: Sequence[Row], confidence: float) -> list[Plot]:
    """The differences to the first method; none where all tie."""
    if not rows:
        return []
    first = rows[0]["against"]
    own = [row for row in rows if row["against"] == first]
    if not any(row["difference"] for row in own):
        return []
    methods = list(dict.fromkeys(row["method"] for row in own))
    marks: dict[str, dict[str, Mark]] = {}
    for row in own:
        ends = (row["difference_low"], row["difference_high"])
        marks.setdefault(row["language"], {})[row["method"]] = Mark(row["difference"], *ends)
    axis = Axis("difference of F1", zero=True)
    help_ = f"With {100 * confidence:g} % intervals, by language; where a bar crosses 0, chance alone may explain it."
    series = {
        method: place for place, method in enumerate(methods, 1)
    }  # the first method's colour is its own elsewhere
    caption = f"F1 of {methods[0]} minus F1 of {first}" if len(methods) == 1 else f"F1 minus that of {first}"
    return [intervals(name, f"{caption}, on {dataset}", help_, marks, axis, series)]


def _errors(name: str, dataset: str, rows: Sequence[Row]) -> list[Plot]:
    """Errors a hundred gold entities, of all languages that a method has; none where no causes or errors are known."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if any(row[f"errors_{cause.replace(' ', '_')}"] is not None for cause in CAUSES):
            counts = found.setdefault(row["method"], dict.fromkeys(["gold", *CAUSES], 0.0))
            counts["gold"] += row["gold"]
            for cause in CAUSES:
                counts[cause] += row[f"errors_{cause.replace(' ', '_')}"] or 0
    shares = {
        method: {cause: 100 * counts[cause] / counts["gold"] for cause in CAUSES}
        for method, counts in found.items()
        if counts["gold"]
    }
    shares = {
        method: {cause: size for cause, size in its.items() if any(one[cause] for one in shares.values())}
        for method, its in shares.items()
    }
    if not any(any(its.values()) for its in shares.values()):
        return []
    help_ = "All languages of a method together; what each cause means stands beside the table. Shorter is better."
    axis = Axis("errors a hundred gold entities (a wrong pair of entities is one error)")
    return [stacked(name, f"Errors by cause on {dataset}", help_, shares, axis)]


def _speed(name: str, dataset: str, rows: Sequence[Row]) -> list[Plot]:
    spots: dict[str, list[Spot]] = {}
    for row in rows:
        if row["f1"] is not None and row["sentences_per_second"]:
            spot = Spot(row["sentences_per_second"], row["f1"], f"{row['method']}, {row['language']}")
            spots.setdefault(row["method"], []).append(spot)
    if sum(map(len, spots.values())) < 2:
        return []
    help_ = "A point a language. All stages together; what another variant had made already took no time."
    x = Axis("sentences a second (further to the right is faster)", logarithmic=True)
    return [
        scatter(name, f"F1 against speed on {dataset}", help_, spots, x, Axis("entity-level micro F1 (from 0 to 1)"))
    ]
