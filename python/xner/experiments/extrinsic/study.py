"""Extrinsic evaluation: what labels are worth to a tagger that is trained on them, on gold labels of the target.

Several ways to a tagger are compared: trained on projected labels, on labels of the source language (model transfer),
on gold labels of the target (what projection could reach at best), distilled, or there already. Each is trained with
several seeds, so that luck shows; differences are tested on the sentences.
"""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from xner import evaluation, schema
from xner._support.arrow import pylist
from xner._support.tables import html_records
from xner._version import __version__
from xner.evaluation.significance import holm
from xner.experiments.extrinsic.methods import Making, check_distinct, data_of, made_taggers, run_name
from xner.training.run import Judged
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from xner.evaluation.entities import Scores
    from xner.experiments.extrinsic.methods import MadeTagger, Method
    from xner.experiments.pages.provenance import Data
    from xner.training.fine_tuning import Moment
    from xner.training.noise import NoiseOptions
    from xner.training.run import Corpus

__all__ = ["Comparison", "ExtrinsicStudy", "Run", "predictions", "study_extrinsic"]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A tagger, and what it makes of the test data.

    Attributes:
        seed: of its training, or the number of one of several taggers that were there already; None for the only one.
        identity: a digest that tells the tagger from all others: of what its training went by, or of what it is.
        labels: by test data, IOB2 labels of each sentence.
        scores: by test data.
    """

    seed: int | None
    identity: str
    labels: dict[str, list[list[str]]]
    scores: dict[str, Scores]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two methods are apart on test data.

    Attributes:
        test: the data.
        method: the method.
        against: the one that it is compared with.
        difference: mean F1 of the method's runs minus that of the other's.
        low: lower end of the bootstrap interval of the difference.
        high: upper end.
        p_bootstrap: one-sided, of paired bootstrap.
        p_randomization: two-sided, of approximate randomization.
        p_holm: the latter, adjusted for the number of comparisons on these data.
    """

    test: str
    method: str
    against: str
    difference: float
    low: float
    high: float
    p_bootstrap: float
    p_randomization: float
    p_holm: float


@dataclass(frozen=True, eq=False)
class ExtrinsicStudy:
    """What `study_extrinsic` found.

    Attributes:
        methods: in the given order.
        tests: the data that were scored on.
        runs: of each method, by name.
        samples: resamples for intervals and p-values.
        confidence: share of the resamples within an interval.
    """

    methods: Sequence[Method]
    tests: Mapping[str, Judged]
    runs: Mapping[str, Sequence[Run]]
    samples: int
    confidence: float

    def __repr__(self) -> str:
        names = [one.name for one in self.methods]
        return (
            f"<ExtrinsicStudy: {', '.join(names)} on {', '.join(self.tests)}, {sum(map(len, self.runs.values()))} runs>"
        )

    def _repr_html_(self) -> str:
        return html_records(self.summary.to_pylist(), self.signature)

    @property
    def signature(self) -> str:
        """How it was made, in one line: all that may change the figures."""
        taggers = ";".join(
            f"{run_name(method, run.seed)}={run.identity[:12]}" for method, runs in self.runs.items() for run in runs
        )
        tests = ";".join(f"{name}={one.sentences.digest()[:12]}" for name, one in self.tests.items())
        drawn = f"samples:{self.samples}|confidence:{self.confidence:g}"
        return f"xner:{__version__}|taggers:{taggers}|tests:{tests}|{drawn}"

    @cached_property
    def data(self) -> list[Data]:
        """The test data, what was learnt from, and what chose checkpoints; each once, with all its uses."""
        return data_of(self.methods, self.tests.values())

    @cached_property
    def summary(self) -> pa.Table:
        """A row for each test data and method.

        `f1`, `precision` and `recall` are means over the runs, `f1_deviation` is the standard deviation of theirs (null
        for one run), `f1_low` and `f1_high` bound the bootstrap interval of the runs' pooled F1 over sentences, and
        `f1_loss` is what F1 loses against the first test data.
        """
        rows = []
        for test, method in itertools.product(self.tests, self.methods):
            scores = [run.scores[test] for run in self.runs[method.name]]
            means = {name: statistics.fmean(getattr(one, name) for one in scores) for name in _FIGURES}
            first = [run.scores[next(iter(self.tests))].f1 for run in self.runs[method.name]]
            interval = evaluation.bootstrap(
                self._pool(test, method.name), samples=self.samples, confidence=self.confidence
            ).micro.f1
            rows.append(
                {
                    "test": test,
                    "method": method.name,
                    "runs": len(scores),
                    "sentences": sum(one.table.num_rows for one in method.learnt_from) or None,
                    **means,
                    "f1_deviation": statistics.stdev(one.f1 for one in scores) if len(scores) > 1 else None,
                    "f1_low": interval.low,
                    "f1_high": interval.high,
                    "f1_loss": statistics.fmean(first) - means["f1"],
                }
            )
        return pa.Table.from_pylist(rows, schema=_SUMMARY)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Every method against every one before it, on each of the test data."""
        found = []
        for test in self.tests:
            pairs = list(itertools.combinations([method.name for method in self.methods], 2))
            some = [self._compare(test, method, against) for against, method in pairs]
            adjusted = holm([one.p_randomization for one in some])
            found += [replace(one, p_holm=value) for one, value in zip(some, adjusted, strict=True)]
        return found

    def _compare(self, test: str, method: str, against: str) -> Comparison:
        count = max(len(self.runs[method]), len(self.runs[against]))
        sides = self._pool(test, method, count), self._pool(test, against, count)
        drawn = evaluation.paired_bootstrap(*sides, samples=self.samples, confidence=self.confidence).f1
        exchanged = evaluation.approximate_randomization(*sides, samples=self.samples)
        means = [statistics.fmean(run.scores[test].f1 for run in self.runs[name]) for name in (method, against)]
        p_value = exchanged.p_value["f1"]
        bounds = drawn.interval.low, drawn.interval.high
        return Comparison(test, method, against, means[0] - means[1], *bounds, drawn.p_value, p_value, p_value)

    def _pool(self, test: str, method: str, count: int = 1) -> Scores:
        """A method's runs as one; where `count` are wanted and it has one, this one so many times."""
        runs = self.runs[method]
        return evaluation.pool([run.scores[test] for run in runs] * (count if len(runs) == 1 else 1))


_FIGURES = ("f1", "precision", "recall")
_SUMMARY_FIELDS: list[tuple[str, pa.DataType]] = [
    ("test", pa.string()),
    ("method", pa.string()),
    ("runs", pa.int64()),
    ("sentences", pa.int64()),
    ("f1", pa.float64()),
    ("f1_deviation", pa.float64()),
    ("f1_low", pa.float64()),
    ("f1_high", pa.float64()),
    ("precision", pa.float64()),
    ("recall", pa.float64()),
    ("f1_loss", pa.float64()),
]
_SUMMARY = pa.schema(_SUMMARY_FIELDS)


def study_extrinsic(
    methods: Sequence[Method],
    tests: Sequence[Corpus],
    folder: str | os.PathLike[str],
    *,
    model: str | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    settings: TrainingSettings | None = None,
    noise: NoiseOptions | None = None,
    classes: Mapping[str, str] | None = None,
    asked_classes: Sequence[str] = (),
    random_weights: bool = False,
    device: str = "auto",
    resume: bool = True,
    samples: int = 10_000,
    confidence: float = 0.95,
    progress: Callable[[str, int, Moment], None] | None = None,
) -> ExtrinsicStudy:
    """Train taggers by several methods and compare them on gold labels.

    Args:
        methods: at least one; each that trains does so with every seed.
        tests: gold data of the target language, each scored on apart: several domains, for instance.
        folder: for the trained models, `models/METHOD/seed-N`; made where it is missing. Models that are there from a
            run with the same data and settings are used, an interrupted training goes on.
        model: name on the Hugging Face hub, or folder, of the encoder to start from; may be None where nothing is
            trained.
        seeds: of the runs, all different.
        settings: how to train; the seed is replaced.
        noise: what is done about doubtful labels; it goes by columns that projection makes.
        classes: what classes become, in all data and taggers; `O` for none.
        asked_classes: those that taggers are asked for which find what they are told: models of GLiNER.
        random_weights: whether to start from random weights in the shape of `model`.
        device: `auto`, or `cpu`.
        resume: whether to go on with interrupted trainings.
        samples: resamples for intervals and p-values.
        confidence: share of the resamples within an interval.
        progress: called with the method, the seed, and how far its training has come.

    Raises:
        Error: no methods or tests, names or seeds that repeat, or whatever training raises.
        DataError: a wrong row of the data.
    """
    classes = dict(classes or {})
    check_distinct("tests", [one.name for one in tests])
    making = Making(
        model=model,
        seeds=seeds,
        settings=settings or TrainingSettings(),
        noise=noise,
        classes=classes,
        asked_classes=asked_classes,
        random_weights=random_weights,
        device=device,
        resume=resume,
        progress=progress,
    )
    made = made_taggers(methods, folder, making)
    judged = {one.name: Judged.read(one, classes) for one in tests}
    runs: dict[str, list[Run]] = {method.name: [] for method in methods}
    for one in made:
        runs[one.method].append(_run(one, judged))
    return ExtrinsicStudy(tuple(methods), judged, runs, samples, confidence)


def _run(made: MadeTagger, tests: Mapping[str, Judged]) -> Run:
    tagger = made.load()
    found = {name: pylist(tagger.tag_batch(one.sentences.tokens).labels) for name, one in tests.items()}
    scores = {name: evaluation.evaluate(one.gold, found[name]) for name, one in tests.items()}
    return Run(made.seed, made.identity, found, scores)


def predictions(study: ExtrinsicStudy, test: str) -> pa.Table:
    """The test data's words, gold labels, and the labels of every run by its name."""
    one = study.tests[test]
    columns = {
        schema.TOKENS: pa.array(one.sentences.tokens, schema.WORDS_TYPE),
        schema.GOLD_LABELS: pa.array(one.gold, schema.WORDS_TYPE),
    }
    for method, runs in study.runs.items():
        for run in runs:
            columns[run_name(method, run.seed)] = pa.array(run.labels[test], schema.WORDS_TYPE)
    return pa.table(columns)
