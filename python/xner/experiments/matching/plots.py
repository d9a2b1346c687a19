"""The plots of the study of matching, as SVG text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xner.experiments.pages.figures import figure, to_svg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xner.experiments.matching.study import MatchingStudy

__all__ = ["plots"]


def plots(study: MatchingStudy) -> Mapping[str, str]:
    """All plots that a study has data for.

    Returns:
        SVG documents by caption.

    Raises:
        Error: matplotlib is not installed.
    """
    figures: dict[str, str] = {}
    for draw in (_objective_gaps, _f1, _confidence):
        figures |= draw(study)
    for varied in dict.fromkeys(point.varied for point in study.growth):
        figures |= _growth(study, varied)
    return figures


def _names(study: MatchingStudy) -> Sequence[str]:
    return [str(setting) for setting in study.problems]


def _objective_gaps(study: MatchingStudy) -> Mapping[str, str]:
    others = study.matchers[1:]
    if not others:
        return {}
    drawing, axes = figure()
    summary = study.summary().to_pylist()
    height = 0.8 / len(others)
    for number, matcher in enumerate(others):
        rows = [row for row in summary if row["matcher"] == matcher]
        places = [place + height * number for place in range(len(rows))]
        axes.barh(places, [100 * row["below"] for row in rows], height, label=matcher)
    axes.set_yticks([place + 0.4 - height / 2 for place in range(len(study.problems))], _names(study))
    axes.invert_yaxis()
    axes.set_xlabel("sentences with a lower objective than the best known one (%)")
    axes.legend(frameon=False)
    return {"Where a matcher's total score is not the best": to_svg(drawing)}


def _f1(study: MatchingStudy) -> Mapping[str, str]:
    summary = [row for row in study.summary().to_pylist() if row["f1"] is not None]
    if not summary:
        return {}
    drawing, axes = figure()
    settings = list(dict.fromkeys((row["corpus"], row["score"], row["constraint"]) for row in summary))
    for number, matcher in enumerate(study.matchers):
        rows = [row for row in summary if row["matcher"] == matcher]
        places = [
            settings.index((row["corpus"], row["score"], row["constraint"]))
            + (number - (len(study.matchers) - 1) / 2) * 0.2
            for row in rows
        ]
        below = [row["f1"] - row["f1_low"] for row in rows]
        above = [row["f1_high"] - row["f1"] for row in rows]
        axes.errorbar([row["f1"] for row in rows], places, xerr=[below, above], fmt="o", capsize=3, label=matcher)
    axes.set_yticks(range(len(settings)), [", ".join(setting) for setting in settings])
    axes.invert_yaxis()
    axes.set_xlabel("entity-level micro F1, 95 % bootstrap interval")
    axes.legend(frameon=False)
    return {"F1 against gold labels": to_svg(drawing)}


def _confidence(study: MatchingStudy) -> Mapping[str, str]:
    drawing, axes = figure()
    drawn = False
    for setting in study.problems:
        for by in ("margin", "score"):
            curve = study.confidence(setting, study.matchers[0], by)
            if curve:
                drawn = True
                axes.plot(
                    [100 * share for share, _ in curve],
                    [precision for _, precision in curve],
                    "-" if by == "margin" else "--",
                    label=f"{setting}: by {by}",
                )
    if not drawn:
        return {}
    axes.set_xlabel("most confident entities kept (%)")
    axes.set_ylabel("precision")
    axes.legend(frameon=False, fontsize="small")
    return {"How precise the most confident entities are": to_svg(drawing)}


def _growth(study: MatchingStudy, varied: str) -> Mapping[str, str]:
    drawing, axes = figure()
    for matcher in study.matchers:
        points = [point for point in study.growth if (point.varied, point.matcher) == (varied, matcher)]
        sizes = [getattr(point, varied) for point in points]
        axes.plot(sizes, [1e6 * point.seconds for point in points], "o-", label=matcher)
        axes.fill_between(
            sizes, [1e6 * point.seconds for point in points], [1e6 * point.slowest for point in points], alpha=0.15
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(f"{varied}{' of each entity' if varied == 'candidates' else ''}")
    axes.set_ylabel("µs a sentence, median to slowest")
    axes.legend(frameon=False)
    return {f"Time against {varied}": to_svg(drawing)}
