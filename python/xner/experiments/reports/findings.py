"""What runs found, in a few sentences that are made from a report's tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from xner.experiments.pages.tables import number, signed
from xner.experiments.reports.plots import by_dataset, means, micro_rows
from xner.experiments.reports.published import FROM_FILES
from xner.experiments.reports.report import CHANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xner.experiments.reports.report import Report

__all__ = ["findings", "ranking"]

_F1 = number(3)


def ranking(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """The methods of a data set that have all its languages, with their mean F1, the best first."""
    return sorted(means(rows).items(), key=lambda one: -one[1])


def findings(report: Report) -> list[str]:
    """Which method is best on each data set, whether chance may explain it, and what would be chosen without gold."""
    differences = by_dataset(report.differences.to_pylist())
    choices = by_dataset(report.choices.to_pylist())
    found = []
    for dataset, rows in by_dataset(micro_rows(report)).items():
        told = [_best(dataset, rows, differences.get(dataset, []))]
        told += _bound(rows)
        told += _chosen(choices.get(dataset, []))
        found.append(" ".join(told))
    if report.published.num_rows:
        verdicts = report.published["verdict"].to_pylist()
        found.append(
            f"Of {len(verdicts)} published figures, {verdicts.count('reproduced')} lie within the interval of what was "
            f"found here; {verdicts.count('above')} times F1 is above, {verdicts.count('below')} times below."
        )
        if FROM_FILES in report.published["aligner"].to_pylist():
            found[-1] += " Links that came in files may be another aligner's than the paper's."
    found += [
        f"No published figure stands beside {method}: it differs from the published method in {', '.join(names)}."
        for method, names in report.changed.items()
    ]
    return found


def _best(dataset: str, rows: Sequence[Mapping[str, Any]], differences: Sequence[Mapping[str, Any]]) -> str:
    ranked = ranking(rows)
    languages = len({row["language"] for row in rows})
    over = f" over {languages} languages" if languages > 1 else ""
    if not ranked:
        return f"On {dataset} no method has gold labels for every language to be scored on."
    (best, f1), *others = ranked
    mean = "a mean F1" if languages > 1 else "an F1"
    if not others:
        return f"On {dataset}, {best} has {mean} of {_F1(f1)}{over}; there is no other method to compare it with."
    second, below = others[0]
    if f1 == below:
        return f"On {dataset}, {best} and {second} tie at {mean} of {_F1(f1)}{over}."
    pairs = [row for row in differences if {row["method"], row["against"]} == {best, second}]
    sure = [row for row in pairs if row["p_holm"] < 0.05]
    led = sum((row["difference"] > 0) == (row["method"] == best) for row in sure)
    told = f"{signed(3)(f1 - below)} before {second}"
    if languages == 1:
        tells = "the test tells them apart" if sure else "the test does not tell them apart"
    else:
        tells = f"in {led} of {languages} languages the test finds it better, in {len(sure) - led} worse"
    return f"On {dataset}, {best} is best with {mean} of {_F1(f1)}{over}, {told} (after Holm's correction, {tells})."


def _bound(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    bounds: dict[str, set[float]] = {}
    for row in rows:
        if row["upper_bound"] is not None:
            bounds.setdefault(row["language"], set()).add(row["upper_bound"])
    known = [bound for one in bounds.values() if len(one) == 1 for bound in one]  # others have other source entities
    if len(known) == len(bounds) and min(known, default=1) < 1:
        mean = math.fsum(known) / len(known)
        over = ", on average" if len(known) > 1 else ""
        yield f"A perfect projection would reach {_F1(mean)}{over}."


def _chosen(choices: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    regrets: dict[str, list[float]] = {}
    for row in choices:
        if row["regret"] is not None:
            regrets.setdefault(row["criterion"], []).append(row["regret"])
    chance = regrets.pop(CHANCE, None)
    if not regrets or chance is None:
        return
    mean = {name: math.fsum(some) / len(some) for name, some in {**regrets, CHANCE: chance}.items()}
    told = ", ".join(f"{_F1(mean[name])} by {name.replace('_', ' ')}" for name in regrets)
    yield f"Chosen without gold labels, a method loses {told}; any method at random, {_F1(mean[CHANCE])}."
