"""What a study of shifts found, in a few sentences that are made from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xner.experiments.pages.tables import number, percent, signed
from xner.experiments.robustness.degradation import ALL, POWER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xner.experiments.robustness.study import ShiftStudy

    Row = Mapping[str, Any]

__all__ = ["findings", "under"]

_MOST_NAMED = 3  # comparisons and contrasts beside the first ones


def findings(study: ShiftStudy) -> list[str]:
    """For each of the test data what the shifts cost, who loses more, and what must be known beside that."""
    return [sentence for test in study.tests for sentence in _of_test(study, test)]


def under(shift: str) -> str:
    """A shift within a sentence."""
    return "over all shifts" if shift == ALL else f"under {shift}"


def _of_test(study: ShiftStudy, test: str) -> Iterator[str]:
    drops, comparisons, contrasts, transfers = (
        [row for row in table.to_pylist() if row["test"] == test]
        for table in (study.drops, study.comparisons, study.contrasts, study.transfers)
    )
    headline = drops[-1]["shift"] if drops else ""
    if drops:
        yield _costs(study, test, [row for row in drops if row["shift"] == headline])
    for row in comparisons:
        if row["shift"] == headline:
            yield _compared(study, row)
    others = [row for row in comparisons if row["shift"] != headline and _is_found(study, row)]
    yield from _strongest(others, lambda row: _compared(study, row))
    if headline == ALL:
        yield _worst(drops)
    yield from _contrasts(study, contrasts)
    yield from _transfers(study, transfers)
    yield from _reservations(study, test, drops)


def _wide(study: ShiftStudy) -> str:
    return f"{100 * study.confidence:g} % interval"


def _is_found(study: ShiftStudy, row: Row) -> bool:
    return bool(row["p_holm"] < 1 - study.confidence)


def _strongest(rows: Sequence[Row], tell: Any) -> Iterator[str]:
    """Sentences about the largest differences, and how many more there are."""
    for row in sorted(rows, key=lambda row: -abs(row["difference"]))[:_MOST_NAMED]:
        yield tell(row)
    if len(rows) > _MOST_NAMED:
        yield f"The tables have {len(rows) - _MOST_NAMED} more such differences."


def _costs(study: ShiftStudy, test: str, rows: Sequence[Row]) -> str:
    write = number(3)
    parts = []
    for place, row in enumerate(rows):
        wide = f"{_wide(study)} " if place == 0 else ""
        interval = f"{wide}{write(row['drop_low'])} to {write(row['drop_high'])}"
        parts.append(
            f"{write(row['drop'])} for {row['method']} ({interval}; from {write(row['clean'])} on the clean text)"
        )
    return f"On {test}, {under(rows[0]['shift'])} F1 falls by {'; by '.join(parts)}."


def _compared(study: ShiftStudy, row: Row) -> str:
    where, after = under(row["shift"]).capitalize(), _at_same_clean(study, row)
    if not row["detectable"]:
        return f"{where}, {row['method']} and {row['against']} lose the same in each document.{after}"
    p_value = f"p = {number(4)(row['p_holm'])} after Holm's correction"
    if _is_found(study, row):
        more = "more" if row["difference"] > 0 else "less"
        size, interval = _size(study, row)
        return f"{where}, {row['method']} loses {size} {more} than {row['against']} ({interval}, {p_value}).{after}"
    interval = f"{_wide(study)} {signed(3)(row['difference_low'])} to {signed(3)(row['difference_high'])}"
    missed = f"a difference of {number(3)(row['detectable'])} would be found in {percent(0)(POWER)} of such studies"
    return (
        f"{where}, the test does not tell the loss of {row['method']} from that of {row['against']} "
        f"({signed(3)(row['difference'])}, {interval}, {p_value}); {missed}.{after}"
    )


def _size(study: ShiftStudy, row: Row) -> tuple[str, str]:
    """How large a difference is, whichever way it goes, and its interval."""
    sign = 1 if row["difference"] > 0 else -1
    low, high = sorted((sign * row["difference_low"], sign * row["difference_high"]))
    return number(3)(abs(row["difference"])), f"{_wide(study)} {number(3)(low)} to {number(3)(high)}"


def _at_same_clean(study: ShiftStudy, row: Row) -> str:
    """What to make of methods that are not equally good on the clean text."""
    if row["clean_low"] <= 0 <= row["clean_high"]:
        return ""
    better = "better" if row["clean"] > 0 else "worse"
    told = f" It is {better} on the clean text by {number(3)(abs(row['clean']))}"
    if row["residual"] is None:
        return f"{told}, so that drops alone say little."
    interval = f"{_wide(study)} {signed(3)(row['residual_low'])} to {signed(3)(row['residual_high'])}"
    return f"{told}; against the line of clean and shifted F1, it keeps {signed(3)(row['residual'])} ({interval})."


def _worst(drops: Sequence[Row]) -> str:
    methods = list(dict.fromkeys(row["method"] for row in drops))
    parts = []
    for method in methods:
        its = [row for row in drops if row["method"] == method and row["shift"] != ALL]
        most = max(its, key=lambda row: row["drop"])
        told = f"most under {most['shift']} ({number(3)(most['drop'])})" if most["drop"] > 0 else "under none"
        parts.append(f"{method} loses {told}")
    return f"Shift by shift, {'; '.join(parts)}."


def _contrasts(study: ShiftStudy, rows: Sequence[Row]) -> Iterator[str]:
    """Whether entities cost more than what is around them."""
    found = [row for row in rows if _is_found(study, row)]
    if rows and not found:
        yield "For no method does the test tell what a shift of entities costs from what one of their context does."
    yield from _strongest(found, lambda row: _contrast(study, row, row["entities"], row["context"]))


def _transfers(study: ShiftStudy, rows: Sequence[Row]) -> Iterator[str]:
    """Whom attacks on a tagger cost more than chance does."""
    found = [row for row in rows if _is_found(study, row)]
    if rows and not found:
        yield "For no method does the test tell what attacks cost from what the same shifts cost by chance."
    yield from _strongest(found, lambda row: _contrast(study, row, row["attack"], row["chance"]))


def _contrast(study: ShiftStudy, row: Row, first: str, second: str) -> str:
    more, less = (first, second) if row["difference"] > 0 else (second, first)
    size, interval = _size(study, row)
    told = f"{interval}, p = {number(4)(row['p_holm'])} after Holm's correction"
    return f"{row['method']} loses {size} more under {more} than under {less} ({told})."


def _reservations(study: ShiftStudy, test: str, drops: Sequence[Row]) -> Iterator[str]:
    """Runs that collapsed, and methods whose luck is not known."""
    scored = study.scored[test]
    collapsed = [run for run in scored.runs if scored.has_collapsed(run)]
    if collapsed:
        listed = ", ".join(f"{run.name} ({number(3)(run.scores('f1', 0).f1)})" for run in collapsed)
        yield f"Collapsed, with an F1 on the clean text that is next to nothing, and in none of these means: {listed}."
    if len(scored.methods) > 1 and not scored.of(study.reference):
        yield f"No method is compared with the reference {study.reference}: all of its runs have collapsed."
    alone = [row["method"] for row in drops if row["runs"] == 1 and row["shift"] == drops[-1]["shift"]]
    if alone:
        yield f"One run alone: {', '.join(alone)}. What its seed did is in no interval."
