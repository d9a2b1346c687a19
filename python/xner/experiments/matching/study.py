"""Greedy against exact matching: objectives, labels, F1 and time, sentence by sentence.

The question of Shkalikov 2024: what is lost when the best pair is taken again and again instead of the best choice of
all pairs. The study solves the same problems by several matchers and compares what they say.
"""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass, fields
from functools import cached_property
from statistics import mean, median
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from xner import labels, schema
from xner._support.digests import table_digest
from xner._support.tables import html_records
from xner._version import __version__
from xner.errors import Error, InfeasibleError, NotSolvedError
from xner.evaluation.entities import evaluate
from xner.evaluation.intervals import wilson
from xner.evaluation.significance import bootstrap, paired_bootstrap
from xner.experiments.matching.problems import CandidateSpans, Problem, Size, corpus_problems, synthetic_problem
from xner.experiments.pages.provenance import Data
from xner.projection.matching.solving import Matching, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xner.evaluation.entities import Scores
    from xner.projection.matching.constraints import Constraint, Matcher

__all__ = ["GrowthPoint", "MatchingOptions", "MatchingStudy", "Outcome", "Setting", "study_matching"]


MADE_UP = "made up"
"""The score of made-up problems, with which the names of their corpora begin."""

PROBLEMS_A_SIZE = 200
"""How many made-up problems of one size a study solves."""

CONFIDENCE = 0.95
"""Of all intervals: share of the resamples within, or of samples whose interval holds the true share."""


@dataclass(frozen=True, slots=True)
class MatchingOptions:
    """What decides a study's figures beside its corpora.

    Attributes:
        sizes: of made-up problems to study as well, `PROBLEMS_A_SIZE` of each.
        scores: as for `corpus_problems`; made-up problems have their own.
        constraints: numbers of projections, as relation and n.
        matchers: the first one is what the others are held against.
        candidates: which spans.
        min_words: shortest span, in words.
        max_words: longest span; None for no limit.
        time_limit: seconds a problem for the matchers that take one; None for none.
        growth: whether to measure how time grows on made-up problems.

    Raises:
        Error: no score, constraint or matcher, or one that is there twice.
    """

    sizes: tuple[Size, ...] = ()
    scores: tuple[str, ...] = ("links",)
    constraints: tuple[tuple[Constraint, int], ...] = (("<=", 1),)
    matchers: tuple[Matcher, ...] = ("exact", "greedy")
    candidates: CandidateSpans = "ngram"
    min_words: int = 1
    max_words: int | None = None
    time_limit: float | None = None
    growth: bool = True

    def __post_init__(self) -> None:
        for name in ("scores", "constraints", "matchers"):
            if not getattr(self, name):
                raise Error(f"{name}: at least one is needed")
        for name in ("sizes", "scores", "constraints", "matchers"):
            given = getattr(self, name)
            if twice := [value for value in given if given.count(value) > 1]:
                raise Error(f"{name}: {_spelled(twice[0])} is there twice")

    @property
    def signature(self) -> str:
        """All options by name, in one line."""
        return "|".join(f"{field.name}:{_spelled(getattr(self, field.name))}" for field in fields(self))


def _spelled(value: object) -> str:
    """A value as it is told on the command line; several with commas."""
    if isinstance(value, bool | None):
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, Size):
        return value.spelled
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int):
        return f"{value[0]}{value[1]}"
    return ";".join(map(_spelled, value)) or "none" if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the matchers are compared on: a corpus, a score and a constraint."""

    corpus: str
    score: str
    constraint: Constraint
    n: int

    def __str__(self) -> str:
        return setting_name(self.corpus, self.score, f"{self.constraint} {self.n}")


def setting_name(corpus: str, score: str, constraint: str) -> str:
    """What a setting is called; the scores of made-up problems are a part of their corpus's name."""
    return ", ".join((corpus, constraint) if score == MADE_UP else (corpus, score, constraint))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a matcher made of one problem.

    Attributes:
        matching: its choice; None where there is none.
        status: `ok`; `infeasible` where the constraint cannot be met; `not_solved` where no choice was found in time.
        seconds: that it took, through Python, margins included.
    """

    matching: Matching | None
    status: str
    seconds: float


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """Time and bound on made-up problems of one size.

    Attributes:
        varied: what varies along the curve: `words`, `candidates` or `entities`.
        words: target words.
        entities: source entities.
        candidates: of each entity.
        matcher: which one.
        seconds: median over the problems.
        slowest: of them.
        optimal: share of the problems proven optimal.
        gap: largest gap between bound and objective, as a share of the bound; None where the matcher bounds nothing.
    """

    varied: str
    words: int
    entities: int
    candidates: int
    matcher: str
    seconds: float
    slowest: float
    optimal: float
    gap: float | None


@dataclass(frozen=True, eq=False)
class MatchingStudy:
    """What the study found. Figures are computed when they are first asked for, and kept.

    Attributes:
        options: how it was made.
        corpora: the tables, by name; those of made-up problems have words alone.
        problems: by setting, the problems of its rows.
        outcomes: by setting and matcher, one a problem.
        growth: the curves.
    """

    options: MatchingOptions
    corpora: Mapping[str, pa.Table]
    problems: Mapping[Setting, Sequence[Problem]]
    outcomes: Mapping[tuple[Setting, str], Sequence[Outcome]]
    growth: Sequence[GrowthPoint]

    def __repr__(self) -> str:
        matchers, problems = ", ".join(self.options.matchers), sum(map(len, self.problems.values()))
        return f"<MatchingStudy: {matchers} on {problems} problems in {len(self.problems)} settings>"

    def _repr_html_(self) -> str:
        return html_records(self.summary.to_pylist(), self.signature)

    @cached_property
    def signature(self) -> str:
        """One line that tells how the figures were made: all that may change them, the machine aside."""
        data = ";".join(f"{one.name}={one.digest[:12]}" for one in self.data) or "none"
        return f"xner:{__version__}|corpora:{data}|{self.options.signature}"

    @cached_property
    def data(self) -> Sequence[Data]:
        """The corpora that were given."""
        made_up = set(map(_made_up_name, self.options.sizes))
        given = {name: table for name, table in self.corpora.items() if name not in made_up}
        return [Data(name, table.num_rows, table_digest(table)) for name, table in given.items()]

    def labels(self, setting: Setting, matcher: str) -> list[list[str]]:
        """The labels of all rows of a setting's corpus."""
        return self._labels[setting, matcher]

    @cached_property
    def _labels(self) -> Mapping[tuple[Setting, str], list[list[str]]]:
        return {key: self._labels_of(*key) for key in self.outcomes}

    def _labels_of(self, setting: Setting, matcher: str) -> list[list[str]]:
        words = pc.list_value_length(self.corpora[setting.corpus].column(schema.TOKENS)).to_pylist()
        result = [["O"] * (count or 0) for count in words]
        for problem, outcome in zip(self.problems[setting], self.outcomes[setting, matcher], strict=True):
            if outcome.matching is not None:
                spans = problem.candidates.tolist()
                chosen = [
                    (spans[candidate][0], spans[candidate][1], problem.labels[entity])
                    for entity, candidate in outcome.matching.pairs
                ]
                result[problem.row] = labels.encode(chosen, len(result[problem.row]))
        return result

    def differing(self, setting: Setting, matcher: str) -> list[int]:
        """Rows on which a matcher's labels are not those of the first matcher."""
        first, other = self.labels(setting, self.options.matchers[0]), self.labels(setting, matcher)
        return [row for row, (a, b) in enumerate(zip(first, other, strict=True)) if a != b]

    def best_objectives(self, setting: Setting) -> list[float]:
        """For each problem the highest objective that any matcher reached; NaN where none has a solution."""
        found = zip(*(self.outcomes[setting, matcher] for matcher in self.options.matchers), strict=True)
        return [
            max((o.matching.objective for o in outcomes if o.matching is not None), default=float("nan"))
            for outcomes in found
        ]

    @cached_property
    def summary(self) -> pa.Table:
        """A row for each setting and matcher.

        Returns:
            The columns `corpus`, `score`, `constraint`, `matcher` and `problems`, their number;
            `infeasible`, `not_solved`: shares of the problems without a choice, by the reason;
            `optimal`: share of the solved ones whose choice is proven to be the best;
            `gap`: mean of what the objective is below the best known one, as a share of that;
            `below`: share of the solved problems where it is below at all, `below_low`, `below_high` its interval;
            `differing`: share of the problems whose labels are not the first matcher's, with its interval likewise;
            `f1`, `f1_low`, `f1_high`: with bootstrap interval, null without gold labels;
            `f1_difference`, `f1_difference_low`, `f1_difference_high`: F1 minus that of the first matcher on the same
            sentences, with the interval of paired bootstrap, null for the first matcher itself;
            `median_us`, `mean_us`, `slowest_us`: microseconds a problem, through Python.
            Intervals are `CONFIDENCE` wide; those of shares are Wilson's.
        """
        rows = [
            {
                "corpus": setting.corpus,
                "score": setting.score,
                "constraint": f"{setting.constraint} {setting.n}",
                "matcher": matcher,
                **self._choices(setting, matcher),
                **self._f1(setting, matcher),
            }
            for setting, matcher in itertools.product(self.problems, self.options.matchers)
        ]
        return pa.Table.from_pylist(rows, schema=_SUMMARY)

    def _choices(self, setting: Setting, matcher: str) -> dict[str, float]:
        """What was chosen on a setting's problems, and how quickly."""
        outcomes = self.outcomes[setting, matcher]
        best = self.best_objectives(setting)
        solved = [(o.matching, b) for o, b in zip(outcomes, best, strict=True) if o.matching is not None]
        gaps = [max(0.0, b - m.objective) / b if b > 0 else 0.0 for m, b in solved]
        micro = [outcome.seconds * 1e6 for outcome in outcomes]
        return {
            "problems": len(outcomes),
            "infeasible": _share(outcome.status == "infeasible" for outcome in outcomes),
            "not_solved": _share(outcome.status == "not_solved" for outcome in outcomes),
            "optimal": _share(matching.optimal for matching, _ in solved),
            "gap": mean(gaps) if gaps else 0.0,
            **_share_with_interval("below", sum(gap > 1e-9 for gap in gaps), len(gaps)),
            **_share_with_interval("differing", len(self.differing(setting, matcher)), len(outcomes)),
            "median_us": median(micro) if micro else 0.0,
            "mean_us": mean(micro) if micro else 0.0,
            "slowest_us": max(micro, default=0.0),
        }

    def _f1(self, setting: Setting, matcher: str) -> dict[str, float]:
        """F1, and how far it is from the first matcher's; nothing without gold labels."""
        scores, first = self._scores.get((setting, matcher)), self.options.matchers[0]
        if scores is None:
            return {}
        interval = bootstrap(scores, confidence=CONFIDENCE).micro.f1
        found = {"f1": scores.f1, "f1_low": interval.low, "f1_high": interval.high}
        if matcher != first:
            apart = paired_bootstrap(scores, self._scores[setting, first], confidence=CONFIDENCE).f1
            bounds = apart.interval
            found |= {
                f"f1_difference{end}": v for end, v in zip(_ENDS, (apart.value, bounds.low, bounds.high), strict=True)
            }
        return found

    @cached_property
    def _scores(self) -> Mapping[tuple[Setting, str], Scores]:
        """Of the settings whose corpora have gold labels."""
        gold = {
            name: table.column(schema.GOLD_LABELS)
            for name, table in self.corpora.items()
            if schema.GOLD_LABELS in table.column_names
        }
        return {key: evaluate(gold[key[0].corpus], self.labels(*key)) for key in self.outcomes if key[0].corpus in gold}

    def confidence(self, setting: Setting, matcher: str, by: str) -> list[tuple[float, float]]:
        """How precise the most confident entities are.

        Args:
            setting: one whose corpus has gold labels.
            matcher: whose entities.
            by: `margin` or `score`.

        Returns:
            For each twentieth of the entities, the most confident first: the share of entities up to there, and
            the precision among them. Nothing where there is no entity or no gold label.
        """
        table = self.corpora[setting.corpus]
        if schema.GOLD_LABELS not in table.column_names:
            return []
        gold = [set(labels.decode(row or [])) for row in table.column(schema.GOLD_LABELS).to_pylist()]
        found = []
        for problem, outcome in zip(self.problems[setting], self.outcomes[setting, matcher], strict=True):
            if outcome.matching is None:
                continue
            pairs, margins = outcome.matching.pairs, outcome.matching.margins
            values = margins if by == "margin" else [float(problem.scores[pair]) for pair in pairs]
            for (entity, candidate), value in zip(pairs, values, strict=True):
                start, end = map(int, problem.candidates[candidate])
                found.append((value, (start, end, problem.labels[entity]) in gold[problem.row]))
        found.sort(key=lambda pair: -pair[0])
        steps = sorted({round(len(found) * k / 20) for k in range(1, 21)} - {0})
        return [(step / len(found), sum(right for _, right in found[:step]) / step) for step in steps]


_ENDS = ("", "_low", "_high")
_SUMMARY_FIELDS: list[tuple[str, pa.DataType]] = [
    *((name, pa.string()) for name in ("corpus", "score", "constraint", "matcher")),
    ("problems", pa.int64()),
    *((name, pa.float64()) for name in ("infeasible", "not_solved", "optimal", "gap")),
    *((f"{name}{end}", pa.float64()) for name in ("below", "differing", "f1", "f1_difference") for end in _ENDS),
    *((name, pa.float64()) for name in ("median_us", "mean_us", "slowest_us")),
]
_SUMMARY = pa.schema(_SUMMARY_FIELDS)


def _share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return sum(values) / len(values) if values else 0.0


def _share_with_interval(name: str, count: int, total: int) -> dict[str, float]:
    share = count / total if total else 0.0
    found = wilson(count, total, confidence=CONFIDENCE)
    return {f"{name}{end}": value for end, value in zip(_ENDS, (share, found.low, found.high), strict=True)}


def study_matching(
    corpora: Mapping[str, pa.Table],
    options: MatchingOptions | None = None,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> MatchingStudy:
    """Solve the problems of corpora by several matchers.

    Args:
        corpora: tables with `tokens`, `source_entities` and what the scores need, by name; `gold_labels` where there
            are any.
        options: what to compare; `MatchingOptions()` by default.
        progress: called with the name of the work, what is done, and how much there is.

    Raises:
        Error: no corpus and no size of made-up problems; an option that is none; a table lacks columns.
        DataError: malformed rows.
    """
    options = options or MatchingOptions()
    if not corpora and not options.sizes:
        raise Error("corpora: at least one is needed, or a size of made-up problems")
    problems: dict[Setting, list[Problem]] = {}
    outcomes: dict[tuple[Setting, str], list[Outcome]] = {}

    def solve_all(corpus: str, score: str, found: list[Problem]) -> None:
        for constraint, n in options.constraints:
            setting = Setting(corpus, score, constraint, n)
            problems[setting] = found
            for matcher in options.matchers:
                solved = outcomes[setting, matcher] = []
                for problem in found:
                    solved.append(_solve(problem, matcher, constraint, n, options.time_limit))
                    if progress is not None:
                        progress(f"{setting}: {matcher}", len(solved), len(found))

    for corpus, table in corpora.items():
        for score in options.scores:
            found = corpus_problems(
                table,
                score=score,
                candidates=options.candidates,
                min_words=options.min_words,
                max_words=options.max_words,
            )
            solve_all(corpus, score, list(found))
    tables = {_made_up_name(size): _made_up_table(size) for size in options.sizes}
    for name, size in zip(tables, options.sizes, strict=True):
        solve_all(name, MADE_UP, [synthetic_problem(size, seed=seed) for seed in range(PROBLEMS_A_SIZE)])
    growth = _measure_growth(options.matchers, options.time_limit, progress) if options.growth else []
    return MatchingStudy(options, {**corpora, **tables}, problems, outcomes, growth)


def _made_up_name(size: Size) -> str:
    return f"{MADE_UP}, {size}"


def _made_up_table(size: Size) -> pa.Table:
    """Target sentences for made-up problems; their words are numbers."""
    return pa.table({schema.TOKENS: [[str(word) for word in range(1, size.words + 1)]] * PROBLEMS_A_SIZE})


def _solve(problem: Problem, matcher: Matcher, constraint: Constraint, n: int, time_limit: float | None) -> Outcome:
    start = time.perf_counter()
    matching, status = None, "ok"
    try:
        matching = solve(
            problem.scores,
            problem.candidates,
            constraint=constraint,
            n=n,
            matcher=matcher,
            time_limit=time_limit,
            # The judges search again for each margin, which would be another comparison.
            margins=matcher in {"exact", "greedy"},
        )
    except InfeasibleError:
        status = "infeasible"
    except NotSolvedError:
        status = "not_solved"
    return Outcome(matching, status, time.perf_counter() - start)


# What varies, and what stays the same: words, entities, candidates an entity.
_WORDS = (10, 20, 40, 80, 150, 300, 600)
_ENTITIES = (1, 2, 4, 8, 12, 20, 40)
_CANDIDATES = (5, 10, 20, 40, 80, 160)
_CURVES = {
    "words": [Size(words, 6, 20) for words in _WORDS],
    "entities": [Size(100, entities, 20) for entities in _ENTITIES],
    "candidates": [Size(100, 6, candidates) for candidates in _CANDIDATES],
}
PROBLEMS_A_POINT = 5
"""How many made-up problems a point of the curves stands for."""


def _measure_growth(
    matchers: Sequence[Matcher], time_limit: float | None, progress: Callable[[str, int, int], None] | None
) -> list[GrowthPoint]:
    points = []
    total = len(matchers) * sum(map(len, _CURVES.values()))
    for varied, sizes in _CURVES.items():
        for size in sizes:
            problems = [synthetic_problem(size, seed=seed) for seed in range(PROBLEMS_A_POINT)]
            for matcher in matchers:
                outcomes = [_solve(problem, matcher, "<=", 1, time_limit) for problem in problems]
                solved = [outcome.matching for outcome in outcomes if outcome.matching is not None]
                points.append(
                    GrowthPoint(
                        varied,
                        size.words,
                        size.entities,
                        size.candidates,
                        matcher,
                        median(outcome.seconds for outcome in outcomes),
                        max(outcome.seconds for outcome in outcomes),
                        _share(matching.optimal for matching in solved),
                        max((m.gap / m.bound for m in solved if 0 < m.bound < math.inf), default=None),
                    )
                )
                if progress is not None:
                    progress("growth", len(points), total)
    return points
