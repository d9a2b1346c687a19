"""Extrinsic evaluation: what labels are worth to a tagger that is trained on them, on gold labels of the target.

Several ways to a tagger are compared: trained on projected labels, on labels of the source language (model transfer),
on gold labels of the target (what projection could reach at best), distilled, or there already. Each is trained with
several seeds, so that luck shows; differences are tested on the sentences.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import statistics
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from xner import evaluation, schema
from xner._support.arrow import pylist
from xner._support.digests import table_digest
from xner._support.tables import html_records
from xner._version import __version__
from xner.errors import Error, OptionError
from xner.evaluation.significance import holm
from xner.experiments.pages.provenance import Data
from xner.models.taggers.catalogue import load_tagger, takes_options_of
from xner.models.taggers.tagger import Tagger
from xner.training.run import Corpus, Judged, train
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from xner.evaluation.entities import Scores
    from xner.models.taggers.tagger import WordTagger
    from xner.training.fine_tuning import Moment
    from xner.training.noise import NoiseOptions

__all__ = ["Comparison", "ExtrinsicStudy", "Method", "Run", "predictions", "run_name", "study_extrinsic"]

_NAME = re.compile(r"[\w+-][\w.+-]*")


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A way to a tagger.

    Attributes:
        name: letters, digits and `.+-_`, the first one no dot, as it names a folder.
        training: what it learns from, all together; empty for a tagger that is there already.
        tagger: that one, as for `load_tagger`.
        development: chooses the best checkpoint and stops training early.
    """

    name: str
    training: Sequence[Corpus] = ()
    tagger: str | None = None
    development: Corpus | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Error(f"method {self.name!r}: a name has letters, digits and . + - _ only, and no dot in front")
        if bool(self.training) == (self.tagger is not None):
            raise Error(f"method '{self.name}' needs either data to train on or a tagger that is there already")


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A tagger, and what it makes of the test data.

    Attributes:
        seed: of its training; None for a tagger that was there already.
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
            f"{run_name(method, run)}={run.identity[:12]}" for method, runs in self.runs.items() for run in runs
        )
        tests = ";".join(f"{name}={one.sentences.digest()[:12]}" for name, one in self.tests.items())
        drawn = f"samples:{self.samples}|confidence:{self.confidence:g}"
        return f"xner:{__version__}|taggers:{taggers}|tests:{tests}|{drawn}"

    @cached_property
    def data(self) -> list[Data]:
        """The test data, what was learnt from, and what chose checkpoints; each once, with all its uses."""
        used: dict[tuple[str, int, str], list[str]] = {}
        for name, judged in self.tests.items():
            used.setdefault((name, len(judged.sentences), judged.sentences.digest()), []).append("test")
        for method in self.methods:
            uses = [(one, f"training of {method.name}") for one in method.training]
            if method.development is not None:
                uses.append((method.development, f"development of {method.name}"))
            for one, use in uses:
                used.setdefault((one.name, one.table.num_rows, table_digest(one.table)), []).append(use)
        return [Data(*key, use=", ".join(uses)) for key, uses in used.items()]

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
                    "sentences": sum(one.table.num_rows for one in method.training) or None,
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
    if asked_classes and not any(one.tagger and takes_options_of(one.tagger, "classes") for one in methods):
        raise OptionError("asked_classes goes with a tagger that is asked for classes: gliner:MODEL")
    _check(methods, tests, seeds, model)
    judged = {one.name: Judged.read(one, classes) for one in tests}
    target = Path(folder)
    runs: dict[str, list[Run]] = {}
    for method in methods:
        if method.tagger is not None:
            ready = load_tagger(
                method.tagger, device=_tagger_device(device), classes=classes, **_asked(method.tagger, asked_classes)
            )
            identity = hashlib.sha256(ready.identity.encode()).hexdigest()
            runs[method.name] = [_run(None, identity, ready, judged)]
            continue
        place = target / "models" / method.name
        place.mkdir(parents=True, exist_ok=True)
        runs[method.name] = []
        for seed in seeds:
            report = train(
                model or "",
                method.training,
                place / f"seed-{seed}",
                development=method.development,
                settings=replace(settings or TrainingSettings(), seed=seed),
                noise=noise,
                classes=classes,
                random_weights=random_weights,
                device=device,
                resume=resume,
                progress=None if progress is None else _named(progress, method.name, seed),
            )
            tagger = Tagger.load(str(report.folder), device=_tagger_device(device), dtype="float32")
            runs[method.name].append(_run(seed, report.metrics["run"], tagger, judged))
    return ExtrinsicStudy(tuple(methods), judged, runs, samples, confidence)


def _named(progress: Callable[[str, int, Moment], None], method: str, seed: int) -> Callable[[Moment], None]:
    return lambda moment: progress(method, seed, moment)


def _tagger_device(device: str) -> str:
    return "cpu" if device == "cpu" else "auto"


def _check(methods: Sequence[Method], tests: Sequence[Corpus], seeds: Sequence[int], model: str | None) -> None:
    for what, names in (
        ("methods", [one.name for one in methods]),
        ("tests", [one.name for one in tests]),
        ("seeds", list(seeds)),
    ):
        if not names:
            raise Error(f"there are no {what}")
        if twice := [name for name in names if names.count(name) > 1]:  # type: ignore[arg-type]  # of one kind each
            raise Error(f"{what}: {twice[0]!r} is there twice")
    if model is None and any(method.training for method in methods):
        raise Error("training needs a model to start from")


def _asked(tagger: str, classes: Sequence[str]) -> dict[str, Any]:
    return {"asked_classes": classes} if takes_options_of(tagger, "classes") else {}


def _run(seed: int | None, identity: str, tagger: WordTagger, tests: Mapping[str, Judged]) -> Run:
    found = {name: pylist(tagger.tag_batch(one.sentences.tokens).labels) for name, one in tests.items()}
    scores = {name: evaluation.evaluate(one.gold, found[name]) for name, one in tests.items()}
    return Run(seed, identity, found, scores)


def run_name(method: str, run: Run) -> str:
    """What a run is called: `METHOD`, or `METHOD/seed-N`."""
    return method if run.seed is None else f"{method}/seed-{run.seed}"


def predictions(study: ExtrinsicStudy, test: str) -> pa.Table:
    """The test data's words, gold labels, and the labels of every run by its name."""
    one = study.tests[test]
    columns = {
        schema.TOKENS: pa.array(one.sentences.tokens, schema.WORDS_TYPE),
        schema.GOLD_LABELS: pa.array(one.gold, schema.WORDS_TYPE),
    }
    for method, runs in study.runs.items():
        for run in runs:
            columns[run_name(method, run)] = pa.array(run.labels[test], schema.WORDS_TYPE)
    return pa.table(columns)
