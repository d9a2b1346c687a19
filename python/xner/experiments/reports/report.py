"""The results of runs as tables: scores, differences, agreement, choices without gold labels, published figures."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from xner._version import __version__
from xner.evaluation.causes import CAUSES
from xner.evaluation.entities import evaluate
from xner.evaluation.significance import holm, paired_bootstrap
from xner.experiments.pages.provenance import Data
from xner.experiments.recipes.results import MICRO, RESULTS_SCHEMA
from xner.experiments.reports.published import compared_with
from xner.experiments.reports.reading import read_runs

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from xner.experiments.reports.reading import Place, Read

__all__ = [
    "AGREEMENT_SCHEMA",
    "ANY",
    "CHANCE",
    "CHOICES_SCHEMA",
    "CRITERIA",
    "DIFFERENCES_SCHEMA",
    "PUBLISHED_SCHEMA",
    "Report",
    "make_report",
]

CRITERIA: Final[Mapping[str, str]] = {
    "agreement": "the mean F1 of its labels against those of each other method",
    "projected_share": "the share of the source entities that it projects",
    "mean_margin": "the mean margin of its entities",
}
"""What chooses a method without gold labels: a column of the results, of which the greatest is chosen."""

CHANCE: Final = "chance"
ANY: Final = "any"

_ALL: Final = "all"

_PLACE: Final[list[tuple[str, pa.DataType]]] = [("dataset", pa.string()), ("language", pa.string())]

_FOUND: Final[list[tuple[str, pa.DataType]]] = [
    ("confidence", pa.float64()),
    ("projected_share", pa.float64()),
    ("agreement", pa.float64()),
    *((f"errors_{cause.replace(' ', '_')}", pa.int64()) for cause in CAUSES),
    ("seconds", pa.float64()),
    ("sentences_per_second", pa.float64()),
]

_DIFFERENCES: Final[list[tuple[str, pa.DataType]]] = [
    *_PLACE,
    ("method", pa.string()),
    ("against", pa.string()),
    ("difference", pa.float64()),
    ("difference_low", pa.float64()),
    ("difference_high", pa.float64()),
    ("p_value", pa.float64()),
    ("p_holm", pa.float64()),
]
DIFFERENCES_SCHEMA: Final = pa.schema(_DIFFERENCES)
"""F1 of a method minus that of one before it, on the same sentences; `p_holm` is adjusted for the data set's and
language's number of comparisons."""

_AGREEMENT: Final[list[tuple[str, pa.DataType]]] = [
    *_PLACE,
    ("method", pa.string()),
    ("other", pa.string()),
    ("f1", pa.float64()),
]
AGREEMENT_SCHEMA: Final = pa.schema(_AGREEMENT)
"""F1 of a method's labels against another one's, which is the same either way."""

_CHOICES: Final[list[tuple[str, pa.DataType]]] = [
    *_PLACE,
    ("criterion", pa.string()),
    ("method", pa.string()),
    ("value", pa.float64()),
    ("f1", pa.float64()),
    ("best_method", pa.string()),
    ("best_f1", pa.float64()),
    ("regret", pa.float64()),
]
CHOICES_SCHEMA: Final = pa.schema(_CHOICES)
"""What each criterion chooses, and where there are gold labels F1 of the best method minus that of the chosen one. The
criterion `chance` takes any method: its F1 is the mean of all."""

_PUBLISHED: Final[list[tuple[str, pa.DataType]]] = [
    *_PLACE,
    ("method", pa.string()),
    ("aligner", pa.string()),
    ("f1", pa.float64()),
    ("f1_low", pa.float64()),
    ("f1_high", pa.float64()),
    ("published_method", pa.string()),
    ("published_f1", pa.float64()),
    ("verdict", pa.string()),
    ("paper", pa.string()),
    ("table", pa.string()),
]
PUBLISHED_SCHEMA: Final = pa.schema(_PUBLISHED)
"""Published figures beside rows of the same data set, language and method."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What runs have given, as tables that all figures of the page are from.

    Attributes:
        results: the tidy table: `run`, `method` and `aligner`, the columns of the runs' own results, then in rows of
            all classes what is found of several outputs: the mean agreement with other methods, errors by cause,
            seconds and sentences a second, of all stages and of each (`seconds_STAGE`).
        differences: with the columns of `DIFFERENCES_SCHEMA`.
        agreement: of `AGREEMENT_SCHEMA`.
        choices: of `CHOICES_SCHEMA`.
        published: of `PUBLISHED_SCHEMA`.
        changed: by method, what of a published recipe was changed, so that no published figure stands beside it.
        confidence: of the intervals of differences.
        signature: how these were found.
        data: what was labelled.
        versions: `libraries` and `machine` of each run, by its name.
    """

    results: pa.Table
    differences: pa.Table
    agreement: pa.Table
    choices: pa.Table
    published: pa.Table
    changed: Mapping[str, Sequence[str]]
    confidence: float
    signature: str
    data: tuple[Data, ...]
    versions: Mapping[str, Mapping[str, Any]]

    def __repr__(self) -> str:
        methods = len(set(self.results["method"].to_pylist()))
        return f"<Report: {methods} methods on {', '.join(one.name for one in self.data)}>"

    @property
    def tables(self) -> dict[str, pa.Table]:
        """All tables by name."""
        names = ("results", "differences", "agreement", "choices", "published")
        return {name: getattr(self, name) for name in names}

    @property
    def stages(self) -> list[str]:
        """The stages that the results have times of."""
        return [one.removeprefix(_SECONDS) for one in self.results.schema.names if one.startswith(_SECONDS)]


_SECONDS: Final = "seconds_"
_SPEED: Final = "sentences_per_second_"


def make_report(
    folders: Sequence[str | os.PathLike[str]], *, samples: int = 1000, seed: int = 1, confidence: float = 0.95
) -> Report:
    """Compute all that there is to say of runs, from their folders' files.

    Args:
        folders: of finished runs.
        samples: resamples of the sentences, for differences between methods.
        seed: of the random numbers.
        confidence: share of the resamples within an interval of a difference. Intervals of single figures are those
            of the runs.

    Raises:
        Error: a folder without a finished run; a file that is missing, damaged or was changed; runs of different data
            under one name.
    """
    places, versions = read_runs(folders)
    agreement = [row for place in places for row in _agreements(place)]
    results = _results(places, agreement)
    micro = [row for row in results.to_pylist() if row["class"] == MICRO]
    changed = {one.method: one.changes for place in places for one in place.outputs}
    how = {"samples": samples, "seed": seed, "confidence": confidence}
    signature = f"xner:{__version__}|paired-bootstrap:{samples}|seed:{seed}|confidence:{confidence:g}|holm"
    return Report(
        results=results,
        differences=_table([row for place in places for row in _differences(place, how)], DIFFERENCES_SCHEMA),
        agreement=_table(agreement, AGREEMENT_SCHEMA),
        choices=_table(_choices(micro), CHOICES_SCHEMA),
        published=_table(list(compared_with([row for row in micro if not changed[row["method"]]])), PUBLISHED_SCHEMA),
        changed={row["method"]: changed[row["method"]] for row in compared_with(micro) if changed[row["method"]]},
        confidence=confidence,
        signature=signature,
        data=tuple(Data(f"{one.dataset} {one.language}", one.sentences, one.digest) for one in places),
        versions=versions,
    )


def _table(rows: list[dict[str, Any]], columns: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, columns)


def _results(places: Sequence[Place], agreement: Sequence[Mapping[str, Any]]) -> pa.Table:
    stages = dict.fromkeys(stage for place in places for one in place.outputs for stage in one.stages)
    stages.pop(_ALL, None)
    texts: list[tuple[str, pa.DataType]] = [(name, pa.string()) for name in ("run", "method", "aligner")]
    timed: list[tuple[str, pa.DataType]] = [
        (f"{what}{stage}", pa.float64()) for stage in stages for what in (_SECONDS, _SPEED)
    ]
    columns = pa.schema([*texts, *RESULTS_SCHEMA, *_FOUND, *timed])
    found = []
    for place in places:
        for one in place.outputs:
            about: dict[str, Any] = {"run": one.run, "method": one.method, "aligner": one.aligner}
            about |= {"confidence": None if one.scores is None else one.evaluation.confidence}
            for row in one.rows:
                share = row["projected"] / row["to_project"] if row["to_project"] else None
                found.append({**about, **row, "projected_share": share})
            own = [pair["f1"] for pair in agreement if _is_of(pair, place, one)]
            first = found[-len(one.rows)]
            first["agreement"] = math.fsum(own) / len(own) if own else None
            for cause, count in (one.causes or {}).items():
                first[f"errors_{cause.replace(' ', '_')}"] = count
            for name, stage in one.stages.items():
                seconds, speed = (
                    ("seconds", "sentences_per_second") if name == _ALL else (_SECONDS + name, _SPEED + name)
                )
                first |= {seconds: stage.seconds, speed: stage.speed}
    return pa.Table.from_pylist(found, columns)


def _is_of(pair: Mapping[str, Any], place: Place, one: Read) -> bool:
    is_here = (pair["dataset"], pair["language"]) == (place.dataset, place.language)
    return is_here and one.method in {pair["method"], pair["other"]}


def _pairs(place: Place) -> Iterator[tuple[dict[str, Any], Read, Read]]:
    """Each method with each before it."""
    about = {"dataset": place.dataset, "language": place.language}
    for one, other in ((b, a) for a, b in itertools.combinations(place.outputs, 2)):
        yield {**about, "method": one.method}, one, other


def _agreements(place: Place) -> Iterator[dict[str, Any]]:
    for about, one, other in _pairs(place):
        how = one.evaluation
        found = evaluate(other.labels, one.labels, mode=how.mode, ignore=how.ignore)
        yield {**about, "other": other.method, "f1": found.f1}


def _differences(place: Place, how: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for about, one, other in _pairs(place):
        if one.scores is not None and other.scores is not None:
            found = paired_bootstrap(one.scores, other.scores, **how).f1
            ends = {"difference_low": found.interval.low, "difference_high": found.interval.high}
            rows.append({**about, "against": other.method, "difference": found.value, **ends, "p_value": found.p_value})
    adjusted = holm([row["p_value"] for row in rows])
    return [{**row, "p_holm": p} for row, p in zip(rows, adjusted, strict=True)]


def _choices(micro: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each criterion chooses; of methods that are equal by it, the first."""
    found = []
    for dataset, language in dict.fromkeys((row["dataset"], row["language"]) for row in micro):
        rows = [row for row in micro if (row["dataset"], row["language"]) == (dataset, language)]
        about: dict[str, Any] = {"dataset": dataset, "language": language}
        scored = [row for row in rows if row["f1"] is not None]
        best = max(scored, key=lambda row: row["f1"], default=None)
        if best is not None:
            about |= {"best_method": best["method"], "best_f1": best["f1"]}
        for criterion in CRITERIA:
            known = [row for row in rows if row[criterion] is not None]
            if len(known) < 2:
                continue
            chosen = max(known, key=lambda row: row[criterion])
            regret = None if best is None else best["f1"] - chosen["f1"]
            value = {"value": chosen[criterion], "f1": chosen["f1"], "regret": regret}
            found.append({**about, "criterion": criterion, "method": chosen["method"], **value})
        if best is not None and len(scored) > 1:
            mean = math.fsum(row["f1"] for row in scored) / len(scored)
            found.append({**about, "criterion": CHANCE, "method": ANY, "f1": mean, "regret": best["f1"] - mean})
    return found
