"""How taggers degrade: drops of F1 under shifts, their differences, and what is left at the same clean F1.

All intervals are of the two-way bootstrap: each resample draws documents, the same ones for all runs, and for each
method its runs. Methods whose runs have the same seeds are paired there as well. A figure is the mean over a method's
runs that have not collapsed, over the severities and the seeds of the shift.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from xner.evaluation.significance import holm
from xner.evaluation.two_way import (
    drawn_documents,
    drawn_runs,
    interval_of,
    p_value_of,
    resampled_f1,
    run_weights,
)
from xner.experiments.robustness.texts import CLEAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from xner.evaluation.intervals import Interval
    from xner.experiments.robustness.scoring import Scored
    from xner.experiments.robustness.texts import StudiedShift

__all__ = ["ALL", "POWER", "Comparison", "Contrast", "Degradation", "Drop", "Figure", "Level", "Transfer"]

ALL: Final = "all"
"""What the mean over several shifts is called."""
POWER: Final = 0.8
"""How often a difference of the size `detectable` is found."""

_SEED: Final = 1  # of the resamples
_LEAST_SPREAD: Final = 1e-6  # of clean F1: without more there is no line


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with the interval of its resamples."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Level:
    """F1 at a severity.

    Attributes:
        method: whose.
        shift: its name.
        severity: 0 for the clean text.
        changed: the mean share of units that differ.
        f1: the mean over runs.
    """

    method: str
    shift: str
    severity: int
    changed: float
    f1: Figure


@dataclass(frozen=True, slots=True)
class Drop:
    """What a method loses under a shift.

    Attributes:
        method: whose.
        shift: its name, or `ALL`.
        runs: that count.
        collapsed: runs that do not.
        clean: mean F1 on the clean text.
        shifted: on the shifted ones.
        drop: clean F1 minus shifted F1.
        kept: the share of clean F1 that is left.
        unseen: the drop of entities unseen in training; None where one of the texts has none that are known to be.
        agnostic: the drop of spans, whatever their class.
        residual: effective robustness: shifted F1 minus what the line through all runs says of their clean F1; None
            where clean F1 is the same for all, or fewer than three runs are there.
        clean_calibration: mean calibration error on the clean text; None without probabilities.
        shifted_calibration: on the shifted ones.
    """

    method: str
    shift: str
    runs: int
    collapsed: int
    clean: Figure
    shifted: Figure
    drop: Figure
    kept: float
    unseen: Figure | None
    agnostic: Figure
    residual: Figure | None
    clean_calibration: float | None
    shifted_calibration: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much more a method loses than another.

    Attributes:
        shift: its name, or `ALL`.
        method: the method.
        against: the one that it is compared with.
        difference: its drop minus the other's; below 0 it loses less.
        p_value: two-sided, of the two-way bootstrap.
        p_holm: adjusted for the number of comparisons on the same test data.
        detectable: the least difference that is found in `POWER` of such studies, by itself.
        error_runs: standard error of the difference that comes of the seeds; None where one of the two methods has a
            single run, of which nobody knows.
        error_documents: that comes of the documents.
        clean: difference of clean F1.
        residual: difference of effective robustness.
    """

    shift: str
    method: str
    against: str
    difference: Figure
    p_value: float
    p_holm: float
    detectable: float
    error_runs: float | None
    error_documents: float
    clean: Figure
    residual: Figure | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """How much more a method loses when entities change than when their context does.

    Attributes:
        method: the method.
        entities: the shift of entities.
        context: that of their context.
        difference: the drop under the first minus that under the second.
        p_value: two-sided, of the two-way bootstrap.
        p_holm: adjusted for the number of contrasts on the same test data.
    """

    method: str
    entities: str
    context: str
    difference: Figure
    p_value: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class Transfer:
    """How much more a method loses when changes are looked for that harm some tagger than when they are drawn.

    Attributes:
        method: the method.
        attack: the shift whose changes are looked for.
        chance: the same one whose changes are drawn.
        difference: the drop under the first minus that under the second.
        p_value: two-sided, of the two-way bootstrap.
        p_holm: adjusted for the number of such differences on the same test data.
    """

    method: str
    attack: str
    chance: str
    difference: Figure
    p_value: float
    p_holm: float


_Difference = TypeVar("_Difference", Contrast, Transfer)


class Degradation:
    """The figures of scored test data.

    Args:
        scored: what runs make of them.
        shifts: kinds of shift, as in the texts.
        reference: the method that the others are compared with.
        samples: resamples.
        confidence: share of them within an interval.
    """

    def __init__(
        self, scored: Scored, shifts: Sequence[StudiedShift], reference: str, samples: int, confidence: float
    ) -> None:
        self.scored = scored
        self.methods = [name for name in scored.methods if scored.of(name)]
        self.shifts = [one.name for one in shifts]
        self._kinds = shifts
        self._reference = reference
        self._samples = samples
        self._confidence = confidence
        self._runs = {name: scored.of(name) for name in self.methods}
        self._under: dict[tuple[str, str], npt.NDArray[np.float64]] = {}  # means that several figures are made of

    @cached_property
    def _points(self) -> dict[tuple[str, int], list[int]]:
        """The texts of each shift and severity: one a seed of the shift."""
        found: dict[tuple[str, int], list[int]] = {}
        for number, text in enumerate(self.scored.texts):
            found.setdefault((text.shift, text.severity), []).append(number)
        return found

    @cached_property
    def _f1(self) -> dict[str, npt.NDArray[np.float64]]:
        """By measure, (1 + samples) × runs × points: F1 on every resample of the documents."""
        blocks: dict[str, list[npt.NDArray[np.float64]]] = {measure: [] for measure in self.scored.runs[0].counts}
        for drawn in drawn_documents(self.scored.documents, self._samples, _SEED):
            for measure, its in blocks.items():
                by_run = [self._at_points(resampled_f1(run.counts[measure], drawn)) for run in self.scored.runs]
                its.append(np.stack(by_run, axis=1))
        return {measure: np.concatenate(its) for measure, its in blocks.items()}

    def _at_points(self, f1: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.stack([f1[:, texts].mean(axis=1) for texts in self._points.values()], axis=1)

    @cached_property
    def _shares(self) -> dict[str, npt.NDArray[np.float64]]:
        """What share of each resample a method's runs have; the same for methods whose runs have the same seeds."""
        found: dict[tuple[int | None, ...], npt.NDArray[np.float64]] = {}
        shares = {}
        for name, runs in self._runs.items():
            seeds = tuple(self.scored.runs[run].seed for run in runs)
            if seeds not in found:
                found[seeds] = drawn_runs(len(runs), self._samples, (_SEED, 1 + len(found)))
            shares[name] = found[seeds]
        return shares

    def _columns(self, shift: str) -> list[int]:
        """The points of a shift; of all of them for `ALL`."""
        return [
            number for number, (name, _) in enumerate(self._points) if name == shift or (shift == ALL and name != CLEAN)
        ]

    def _of_runs(self, measure: str, shift: str) -> npt.NDArray[np.float64]:
        """(1 + samples) × runs: F1 under a shift."""
        if (measure, shift) not in self._under:
            self._under[measure, shift] = self._f1[measure][:, :, self._columns(shift)].mean(axis=2)
        return self._under[measure, shift]

    def _mean(self, method: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The mean over a method's runs, of (1 + samples) × runs."""
        found: npt.NDArray[np.float64] = (values[:, self._runs[method]] * run_weights(self._shares[method])).sum(axis=1)
        return found

    def _lost(self, method: str, shift: str, measure: str = "f1") -> npt.NDArray[np.float64]:
        return self._mean(method, self._of_runs(measure, CLEAN) - self._of_runs(measure, shift))

    def _figure(self, values: npt.NDArray[np.float64]) -> Figure:
        interval: Interval = interval_of(values, self._confidence)
        return Figure(float(values[0]), interval.low, interval.high)

    @property
    def _all_shifts(self) -> list[str]:
        """Each shift, and their mean if there are several."""
        return [*self.shifts, ALL] if len(self.shifts) > 1 else list(self.shifts)

    @cached_property
    def levels(self) -> list[Level]:
        """F1 by method, shift and severity, the clean text with each shift."""
        found = []
        for method, shift in itertools.product(self.methods, self.shifts):
            for number, ((name, severity), texts) in enumerate(self._points.items()):
                if name in {CLEAN, shift}:
                    changed = float(np.mean([self.scored.texts[text].changed for text in texts]))
                    f1 = self._figure(self._mean(method, self._f1["f1"][:, :, number]))
                    found.append(Level(method, shift, severity, changed, f1))
        return found

    @cached_property
    def drops(self) -> list[Drop]:
        """By shift and method."""
        return [self._drop(method, shift) for shift, method in itertools.product(self._all_shifts, self.methods)]

    def _drop(self, method: str, shift: str) -> Drop:
        clean, shifted = (self._figure(self._mean(method, self._of_runs("f1", name))) for name in (CLEAN, shift))
        everyone = sum(run.method == method for run in self.scored.runs)
        residual = self._residual(method, shift)
        calibration = [self._calibration(method, name) for name in (CLEAN, shift)]
        return Drop(
            method,
            shift,
            len(self._runs[method]),
            everyone - len(self._runs[method]),
            clean,
            shifted,
            self._figure(self._lost(method, shift)),
            shifted.value / clean.value,
            self._figure(self._lost(method, shift, "unseen")) if self._has_unseen(shift) else None,
            self._figure(self._lost(method, shift, "agnostic")),
            None if residual is None else self._figure(residual),
            *calibration,
        )

    def _has_unseen(self, shift: str) -> bool:
        """Whether the clean text and all shifted ones have entities unseen in training: else there is no F1 of them."""
        return all(self.scored.has_unseen(text) for text in [0, *self._texts(shift)])

    def _texts(self, shift: str) -> list[int]:
        """The numbers of the texts of a shift."""
        return [text for point in self._columns(shift) for text in list(self._points.values())[point]]

    def _calibration(self, method: str, shift: str) -> float | None:
        found = [self.scored.runs[run].calibration[text] for run in self._runs[method] for text in self._texts(shift)]
        known = [value for value in found if value is not None]
        return float(np.mean(known)) if known else None

    def _residual(self, method: str, shift: str) -> npt.NDArray[np.float64] | None:
        """Effective robustness; the line is fitted anew on each resample, of runs as often as they were drawn."""
        runs = list(itertools.chain.from_iterable(self._runs.values()))
        weights = np.concatenate([its * its.shape[1] for its in self._shares.values()], axis=1)
        clean, shifted = self._of_runs("f1", CLEAN), self._of_runs("f1", shift)
        if len(runs) < 3 or np.ptp(clean[0, runs]) < _LEAST_SPREAD:
            return None
        total = weights.sum(axis=1, keepdims=True)
        centres = [(weights * side[:, runs]).sum(axis=1, keepdims=True) / total for side in (clean, shifted)]
        across, up = clean[:, runs] - centres[0], shifted[:, runs] - centres[1]
        spread = (weights * across**2).sum(axis=1)
        slope = (weights * across * up).sum(axis=1) / np.maximum(spread, _LEAST_SPREAD**2)
        told = centres[1][:, 0] + slope * (self._mean(method, clean) - centres[0][:, 0])
        found: npt.NDArray[np.float64] = self._mean(method, shifted) - told
        return found

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Every method against the reference, under each shift; none where the reference has collapsed."""
        if self._reference not in self.methods:
            return []
        others = [name for name in self.methods if name != self._reference]
        found = [self._compare(method, shift) for shift, method in itertools.product(self._all_shifts, others)]
        adjusted = holm([one.p_value for one in found])
        return [replace(one, p_holm=value) for one, value in zip(found, adjusted, strict=True)]

    def _compare(self, method: str, shift: str) -> Comparison:
        pair = method, self._reference
        difference = self._lost(method, shift) - self._lost(self._reference, shift)
        clean = self._of_runs("f1", CLEAN)
        residuals = [self._residual(one, shift) for one in pair]
        p_value = p_value_of(difference)
        normal = NormalDist()
        reach = normal.inv_cdf((1 + self._confidence) / 2) + normal.inv_cdf(POWER)
        return Comparison(
            shift,
            *pair,
            self._figure(difference),
            p_value,
            p_value,
            reach * float(difference[1:].std()),
            *self._errors(method, shift),
            self._figure(self._mean(method, clean) - self._mean(self._reference, clean)),
            None if residuals[0] is None or residuals[1] is None else self._figure(residuals[0] - residuals[1]),
        )

    def _errors(self, method: str, shift: str) -> tuple[float | None, float]:
        """Standard errors of a difference of drops: of drawing runs alone, and of drawing documents alone."""
        lost = self._of_runs("f1", CLEAN) - self._of_runs("f1", shift)
        pair = method, self._reference
        weighed = [run_weights(self._shares[one]) @ lost[0, self._runs[one]] for one in pair]
        evenly = [lost[:, self._runs[one]].mean(axis=1) for one in pair]
        by_runs, by_documents = weighed[0] - weighed[1], evenly[0] - evenly[1]
        has_several = all(len(self._runs[one]) > 1 for one in pair)
        return float(by_runs[1:].std()) if has_several else None, float(by_documents[1:].std())

    @cached_property
    def contrasts(self) -> list[Contrast]:
        """Shifts of entities against those of the same kind, or of a kind of its own, of their context."""
        pairs = [
            (one.name, other.name)
            for one, other in itertools.permutations(self._kinds, 2)
            if (one.region, other.region) == ("entities", "context") and self._belong_together(one, other)
        ]
        return self._between(Contrast, pairs)

    @cached_property
    def transfers(self) -> list[Transfer]:
        """Shifts against a tagger against the same ones by chance, where both are studied."""
        chances = {one.digest(): one.name for one in self._kinds if not one.is_attack}
        attacks = {one.name: one.by_chance.digest() for one in self._kinds if one.is_attack}
        return self._between(Transfer, [(name, chances[its]) for name, its in attacks.items() if its in chances])

    def _between(self, kind: type[_Difference], pairs: Sequence[tuple[str, str]]) -> list[_Difference]:
        """For each method how much more it loses under the first shift of a pair than under the second."""
        found = []
        for method, (first, second) in itertools.product(self.methods, pairs):
            difference = self._lost(method, first) - self._lost(method, second)
            p_value = p_value_of(difference)
            found.append(kind(method, first, second, self._figure(difference), p_value, p_value))
        adjusted = holm([one.p_value for one in found])
        return [replace(one, p_holm=value) for one, value in zip(found, adjusted, strict=True)]

    @staticmethod
    def _belong_together(one: StudiedShift, other: StudiedShift) -> bool:
        alike = one.kind == other.kind or (one.kind, other.kind) == ("entities", "context")
        return alike and one.is_attack == other.is_attack
