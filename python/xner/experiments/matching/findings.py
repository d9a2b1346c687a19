"""What a study of matching found, in a few sentences that are made from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xner.experiments.matching.study import CONFIDENCE, setting_name
from xner.experiments.pages.tables import number, percent, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xner.experiments.matching.study import MatchingStudy

    Row = Mapping[str, Any]

__all__ = ["findings", "found_on"]


def found_on(row: Row) -> str:
    """The setting of a row of the summary."""
    return setting_name(row["corpus"], row["score"], row["constraint"])


def findings(study: MatchingStudy) -> list[str]:
    """What the other matchers do otherwise than the first one, two sentences each."""
    summary = study.summary.to_pylist()
    first, *others = study.options.matchers
    if not others:
        optimal = min(row["optimal"] for row in summary)
        return [
            f"There is one matcher, {first}, and nothing to compare; it proved {percent(0)(optimal)} or more optimal."
        ]
    held = {found_on(row): row for row in summary if row["matcher"] == first}
    found = []
    for other in others:
        rows = [row for row in summary if row["matcher"] == other]
        found.append(f"{_labels(first, other, rows)} {_worth(first, other, rows, held)}")
    return found


def _labels(first: str, other: str, rows: Sequence[Row]) -> str:
    """On how many problems the labels differ."""
    most = max(rows, key=lambda row: row["differing"])
    if not most["differing"]:
        tightest = min(rows, key=lambda row: row["differing_high"])
        told = f"share that differs: {_interval(tightest, 'differing', percent(2))}"
        return f"{other} and {first} tie: the same labels for all problems{_in_settings(rows)} ({told})."
    share = (
        f"{round(most['differing'] * most['problems'])} of {number(0)(most['problems'])} sentences "
        f"({percent(2)(most['differing'])}, {_interval(most, 'differing', percent(2))}) on {found_on(most)}"
    )
    if len(rows) == 1:
        return f"{other} gives other labels than {first} for {share}."
    return f"Over {len(rows)} settings, {other} gives other labels than {first} at most for {share}."


def _worth(first: str, other: str, rows: Sequence[Row], held: Mapping[str, Row]) -> str:
    """What that is worth: F1 where there are gold labels, else the total score."""
    judged = [row for row in rows if row["f1_difference"] is not None]
    if not judged:
        return _objectives(first, other, rows, held)
    most = max(judged, key=lambda row: abs(row["f1_difference"]))
    if not most["f1_difference"]:
        return f"F1 is the same{_in_settings(judged)}."
    away = [row for row in judged if not row["f1_difference_low"] <= 0 <= row["f1_difference_high"]]
    apart = f"{signed(4)(most['f1_difference'])} ({_interval(most, 'f1_difference', signed(4))}"
    if len(judged) == 1:
        told = "the interval leaves out 0" if away else "the interval holds 0: chance alone may explain it"
        return f"Its F1 differs from that of {first} by {apart}); {told}."
    told = f"the interval leaves out 0 in {len(away)} of {len(judged)} settings" if away else "all intervals hold 0"
    return f"Its F1 differs from that of {first} by {apart}, on {found_on(most)}) at most; {told}."


def _objectives(first: str, other: str, rows: Sequence[Row], held: Mapping[str, Row]) -> str:
    told = []
    for name, some in ((other, rows), (first, [held[found_on(row)] for row in rows])):
        most = max(some, key=lambda row: row["below"])
        if most["below"]:
            where = f", on {found_on(most)}" if len(some) > 1 else ""
            told.append(
                f"{name} misses the best known total score on {percent(1)(most['below'])} of the problems "
                f"({_interval(most, 'below', percent(1))}), by {percent(2)(most['gap'])} on average{where}"
            )
    return "; ".join(told) + "." if told else f"Both reach the same total scores{_in_settings(rows)}."


def _in_settings(rows: Sequence[Row]) -> str:
    return "" if len(rows) == 1 else f" in all {len(rows)} settings"


def _interval(row: Row, name: str, write: Callable[[float], str]) -> str:
    low, high = write(row[f"{name}_low"]), write(row[f"{name}_high"])
    return f"{100 * CONFIDENCE:g} % interval {low} to {high}"
