"""What a study of extrinsic evaluation found, in a few sentences that are made from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xner.experiments.pages.tables import number, signed

if TYPE_CHECKING:
    from xner.experiments.extrinsic.study import Comparison, ExtrinsicStudy

__all__ = ["findings"]


def findings(study: ExtrinsicStudy) -> list[str]:
    """For each of the test data the best method, and how far it is from the next one."""
    return [_best(study, test) for test in study.tests]


def _best(study: ExtrinsicStudy, test: str) -> str:
    rows = [row for row in study.summary.to_pylist() if row["test"] == test]
    best, *others = sorted(rows, key=lambda row: -row["f1"])
    wide = f"{100 * study.confidence:g} % interval"
    reached = f"{number(3)(best['f1'])} ({wide} {number(3)(best['f1_low'])} to {number(3)(best['f1_high'])})"
    if not others:
        return f"On {test}, {best['method']} reaches an F1 of {reached}; there is no other method to compare it with."
    second = others[0]["method"]
    sign, one = _compared(study, test, best["method"], second)
    if not one.difference:
        return f"On {test}, {best['method']} and {second} tie at an F1 of {reached}."
    low, high = sorted((sign * one.low, sign * one.high))
    apart = f"{signed(3)(sign * one.difference)}, {wide} {signed(3)(low)} to {signed(3)(high)}"
    level = 1 - study.confidence
    told = (
        f"{number(4)(one.p_holm)} after Holm's correction"
        if one.p_holm < level
        else f"{number(2)(one.p_holm)} after Holm's correction: the test does not tell them apart"
    )
    return f"On {test}, {best['method']} is best with an F1 of {reached}. Its lead over {second}: {apart}; p = {told}."


def _compared(study: ExtrinsicStudy, test: str, method: str, against: str) -> tuple[int, Comparison]:
    """The comparison of two methods, with -1 where it is the other way round."""
    pair = {method, against}
    found = next(one for one in study.comparisons if one.test == test and {one.method, one.against} == pair)
    return (1 if found.method == method else -1), found
