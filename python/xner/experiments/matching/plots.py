"""The plots of the study of matching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xner.experiments.matching.findings import found_on
from xner.experiments.matching.study import CONFIDENCE, PROBLEMS_A_POINT
from xner.experiments.pages.plots import Axis, Curve, Mark, curves, intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xner.experiments.matching.study import MatchingStudy
    from xner.experiments.pages.plots import Plot

__all__ = ["all_plots"]

_WIDE = f"{100 * CONFIDENCE:g} % interval"


def all_plots(study: MatchingStudy) -> dict[str, list[Plot]]:
    """The plots that have something to show, by what they are about: `choices`, `f1`, `confidence`, `growth`."""
    summary = study.summary.to_pylist()
    return {
        "choices": _below(study, summary),
        "f1": _f1(study, [row for row in summary if row["f1"] is not None]),
        "confidence": _confidence(study),
        "growth": [_growth(study, varied) for varied in dict.fromkeys(point.varied for point in study.growth)],
    }


def _below(study: MatchingStudy, summary: Sequence[Mapping[str, Any]]) -> list[Plot]:
    """How often a matcher misses the best total score; nothing where none does anywhere."""
    missing = [
        matcher for matcher in study.options.matchers if any(r["below"] for r in summary if r["matcher"] == matcher)
    ]
    if not missing:
        return []
    colours = _colours(study)
    rows = _marks([row for row in summary if row["matcher"] in missing], "below", 100)
    help_ = f"Share of the problems, with its {_WIDE}; further to the left is better."
    if unseen := [matcher for matcher in study.options.matchers if matcher not in missing]:
        help_ += f" Never below the best: {', '.join(unseen)}."
    axis = Axis("problems with a total score below the best known one (%)", zero=True)
    return [
        intervals(
            "below",
            "Where the total score is not the best",
            help_,
            rows,
            axis,
            {name: colours[name] for name in missing},
        )
    ]


def _f1(study: MatchingStudy, judged: Sequence[Mapping[str, Any]]) -> list[Plot]:
    """F1, and how far matchers are apart; nothing where they are not apart anywhere."""
    apart = [row for row in judged if row["f1_difference"] is not None]
    if apart and not any(row["f1_difference"] for row in apart):
        return []
    first, *others = study.options.matchers
    colours = _colours(study)
    found = []
    if judged:
        help_ = f"Entity-level micro F1 with its {_WIDE} (bootstrap over sentences); further to the right is better."
        axis = Axis("F1 (from 0 to 1)")
        found.append(intervals("f1", "F1 against gold labels", help_, _marks(judged, "f1"), axis, colours))
    if apart:
        help_ = (
            f"With its {_WIDE} (paired bootstrap); where the bar crosses 0, chance alone may explain the difference."
        )
        axis = Axis(f"F1 minus that of {first}", zero=True)
        rows = _marks(apart, "f1_difference")
        found.append(
            intervals(
                "difference", f"F1 against that of {first}", help_, rows, axis, {name: colours[name] for name in others}
            )
        )
    return found


def _colours(study: MatchingStudy) -> dict[str, int]:
    """Every matcher has the same colour on all plots."""
    return {matcher: number for number, matcher in enumerate(study.options.matchers)}


def _marks(rows: Sequence[Mapping[str, Any]], key: str, factor: float = 1) -> Mapping[str, Mapping[str, Mark]]:
    found: dict[str, dict[str, Mark]] = {}
    for row in rows:
        value, low, high = (factor * row[name] for name in (key, f"{key}_low", f"{key}_high"))
        found.setdefault(found_on(row), {})[row["matcher"]] = Mark(value, low, high)
    return found


def _confidence(study: MatchingStudy) -> list[Plot]:
    first = study.options.matchers[0]
    found = []
    for number, setting in enumerate(study.problems, 1):
        measured = {by: study.confidence(setting, first, by) for by in ("margin", "score")}
        drawn = {
            f"by {by}": Curve([(100 * share, precision) for share, precision in curve])
            for by, curve in measured.items()
            if curve
        }
        if drawn:
            help_ = (
                f"Entities of {first} on {setting}, the most confident first: precision of those kept. A curve that "
                "falls says that the confidence is worth something."
            )
            axes = Axis("most confident entities kept (%)", low=0, high=100), Axis("precision (from 0 to 1)")
            found.append(
                curves(f"confidence-{number}", "How precise the most confident entities are", help_, drawn, *axes)
            )
    return found


def _growth(study: MatchingStudy, varied: str) -> Plot:
    drawn: dict[str, Curve] = {}
    for matcher in study.options.matchers:
        points = [point for point in study.growth if (point.varied, point.matcher) == (varied, matcher)]
        median = [(getattr(point, varied), 1e6 * point.seconds) for point in points]
        drawn[matcher] = Curve(median, [1e6 * point.slowest for point in points])
    of_each = " of each entity" if varied == "candidates" else ""
    help_ = (
        f"Median of {PROBLEMS_A_POINT} made-up problems, the band up to the slowest; both axes are logarithmic: a "
        "straight line is a power of the size."
    )
    axes = Axis(f"{varied}{of_each}", logarithmic=True), Axis("time a problem (µs)", logarithmic=True)
    return curves(f"growth-{varied}", f"Time against {varied}", help_, drawn, *axes)
